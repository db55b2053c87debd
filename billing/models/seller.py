"""Who sells: the legal entity on the invoice, its number series and the tax it must charge."""

from django.db import models
from django.db.models import F, Q


class Seller(models.Model):
    """One legal entity. ``code`` starts its invoice numbers."""

    code = models.CharField(max_length=10, unique=True)
    name = models.CharField(max_length=200)
    address = models.TextField(blank=True, default="")
    country = models.CharField(max_length=2, default="US")
    tax_id = models.CharField(max_length=40, blank=True, default="")
    email = models.EmailField(max_length=254, blank=True, default="")
    payment_instructions = models.TextField(blank=True, default="")
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_seller")
        ]

    def __str__(self) -> str:
        return self.name


class NumberSeries(models.Model):
    """The counter behind gapless numbers: one row per seller, kind of document and year."""

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="series")
    kind = models.CharField(max_length=12)  # "invoice" | "credit_note"
    year = models.PositiveSmallIntegerField()
    last = models.BigIntegerField(default=0)
    last_on = models.DateField(null=True, blank=True)  # date of the latest number: later ones are not dated before it

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "kind", "year"], name="one_series_per_seller_kind_year"),
            models.CheckConstraint(condition=Q(last__gte=0), name="series_counts_up"),
        ]

    def __str__(self) -> str:
        return f"{self.seller_id} {self.kind} {self.year}"


class TaxRate(models.Model):
    """The rate (as a fraction: 0.06 is 6 %) due in a place during ``[valid_from, valid_to)``."""

    name = models.CharField(max_length=60)  # as printed: "VAT", "Sales tax"
    country = models.CharField(max_length=2)
    region = models.CharField(max_length=20, blank=True, default="")  # blank: the whole country
    rate = models.DecimalField(max_digits=8, decimal_places=6)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["country", "region", "valid_from"]
        constraints = [
            models.CheckConstraint(condition=Q(rate__gte=0, rate__lt=1), name="tax_rate_is_a_fraction"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")), name="tax_validity_is_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.country}{'-' + self.region if self.region else ''} {self.rate}"
