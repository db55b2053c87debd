"""Whom we bill."""

from typing import Self

from django.db import models
from django.db.models import Q


class AccountKind(models.TextChoices):
    PERSON = "person"
    TEAM = "team"
    ENTERPRISE = "enterprise"


class Delivery(models.TextChoices):
    """How an issued invoice reaches the customer."""

    PDF = "pdf", "E-mail with PDF"
    LINK = "link", "E-mail with link"
    NONE = "none", "No e-mail"


class AccountQuerySet(models.QuerySet["Account"]):
    def matching(self, text: str) -> Self:
        """Accounts whose code, name or e-mail contains ``text``, ignoring case; all of them when it is blank."""
        text = text.strip()
        if not text:
            return self
        return self.filter(Q(code__icontains=text) | Q(name__icontains=text) | Q(email__icontains=text))

    def visible_to(self, user: object) -> Self:
        """The accounts a portal user is a member of."""
        return self.filter(memberships__user=user)


class Account(models.Model):
    """A person, a team or an enterprise with one currency, payment terms and tax identity.

    ``code`` is the platform's own opaque name for it; usage events name accounts by it.
    """

    code = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=AccountKind.choices, default=AccountKind.TEAM)
    currency = models.CharField(max_length=3, default="USD")
    email = models.EmailField(max_length=254, blank=True, default="")
    address = models.TextField(blank=True, default="")  # lines as printed on the invoice
    country = models.CharField(max_length=2, blank=True, default="")  # ISO 3166-1 alpha-2
    region = models.CharField(max_length=20, blank=True, default="")  # state or province, as tax rates name it
    tax_id = models.CharField(max_length=40, blank=True, default="")
    tax_exempt = models.BooleanField(default=False)
    payment_terms_days = models.PositiveSmallIntegerField(default=0)  # 0: due on the day of issue
    delivery = models.CharField(max_length=4, choices=Delivery.choices, default=Delivery.PDF)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=~Q(code=""), name="account_has_a_code"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="account_currency_is_iso_4217"),
            models.CheckConstraint(condition=Q(payment_terms_days__lte=365), name="account_terms_within_a_year"),
        ]

    def __str__(self) -> str:
        return self.name or self.code
