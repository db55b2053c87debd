"""What can be used and what it costs: products, and prices as immutable versions."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class ProductGroup(models.TextChoices):
    """The top-level categories of an invoice; credits are scoped by them."""

    DYNO = "dyno", "Application dynos"
    ADDON = "addon", "Add-on services"
    DATA = "data", "Data services"
    SUPPORT = "support", "Support"
    OTHER = "other", "Other"


class Product(models.Model):
    """One thing that usage names by ``code``. ``partner`` marks a third party's, which credits may exclude."""

    code = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=200)
    group = models.CharField(max_length=10, choices=ProductGroup.choices, default=ProductGroup.OTHER)
    partner = models.BooleanField(default=False)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class PriceModel(models.TextChoices):
    """The ways to price; each is a file in ``billing.rating``."""

    PRORATED = "prorated", "Monthly, by the second"
    HOURLY_CAPPED = "hourly_capped", "Hourly with monthly cap"
    FLAT = "flat", "Flat monthly fee"
    PER_UNIT = "per_unit", "Per unit"
    GRADUATED = "graduated", "Graduated"
    VOLUME = "volume", "Volume"
    STAIRS = "stairs", "Stairs"
    PACKAGE = "package", "Package"
    PERCENTAGE = "percentage", "Percentage"
    GRADUATED_PERCENTAGE = "graduated_percentage", "Graduated percentage"


class PriceQuerySet(models.QuerySet["Price"]):
    def touching(self, start: object, end: object) -> Self:
        """Versions valid at some moment of ``[start, end)``."""
        return self.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=start), valid_from__lt=end)

    def listed(self) -> Self:
        """Versions of the price list, which everybody pays who has no contract of their own."""
        return self.filter(contract=None)


class Price(models.Model):
    """What a product costs in one currency during ``[valid_from, valid_to)``. A change is a new version.

    ``terms`` is the price as ``billing.rating.parse_price`` reads it, e.g.
    ``{"model": "prorated", "unit_amount": "50.00"}``. Versions of one product and currency cannot overlap,
    and nothing but a null ``valid_to`` may ever change (the database refuses both). One with a ``contract`` is that
    contract's own and goes before everybody's, as long as the contract is in force.
    """

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="prices")
    currency = models.CharField(max_length=3)
    model = models.CharField(max_length=20, choices=PriceModel.choices)
    terms = models.JSONField()
    unit = models.CharField(max_length=40, default="month")  # what one unit of quantity is, as printed
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())  # by the database's clock, as cut-offs are
    contract = models.ForeignKey(
        "billing.Contract", null=True, blank=True, on_delete=models.PROTECT, related_name="prices"
    )

    objects = PriceQuerySet.as_manager()

    class Meta:
        ordering = ["product", "currency", "valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")), name="price_validity_is_not_empty"
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="price_currency_is_iso_4217"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.currency} {self.model} from {self.valid_from:%Y-%m-%d}"
