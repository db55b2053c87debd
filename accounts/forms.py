"""What people enter about accounts, members and keys. The verbs hold the rules; forms only ask."""

from datetime import datetime, timedelta
from typing import Any

from django import forms

from accounts.models import ACCOUNT_SCOPES, Account, MembershipRole
from core import clock

SCOPE_WORDS = {
    "usage:read": "Current usage",
    "invoices:read": "Invoices and their documents",
    "credits:read": "Credits",
    "accounts:read": "The account itself",
    "payments:read": "Payments",
    "quotes:write": "Quotes (what would it cost)",
    "contracts:read": "The terms of its contract",
    "webhooks:read": "Webhooks and what they were told",
    "webhooks:write": "Adding and removing webhooks",
}
LIFETIMES = (("90", "90 days"), ("365", "One year"), ("never", "Never, until it is revoked"))


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes none at run time
    """The details that may change at any time."""

    reason = forms.CharField(
        label="Why", required=False, max_length=300, help_text="Kept in the account's history beside the change."
    )

    class Meta:
        model = Account
        fields = [
            "name",
            "kind",
            "email",
            "address",
            "country",
            "region",
            "tax_id",
            "tax_exempt",
            "payment_terms_days",
            "delivery",
        ]
        labels = {
            "email": "Invoices go to",
            "tax_id": "Tax number",
            "tax_exempt": "Exempt from tax",
            "payment_terms_days": "Payment terms in days",
            "delivery": "Delivery of invoices",
        }
        help_texts = {
            "address": "Line by line, as it is printed on the invoice.",
            "country": "Two letters, for example US. Country and region decide the tax.",
            "payment_terms_days": "0: an invoice is due on the day it is issued.",
        }
        widgets = {"address": forms.Textarea(attrs={"rows": 4})}

    def validate_unique(self) -> None:
        """Left to the verb, which can say who has the code."""

    def _post_clean(self) -> None:
        """The verb checks the model; a form that did too would say everything twice."""

    def fields_of_the_account(self) -> dict[str, Any]:
        """Return what was entered, without the reason for it."""
        return {name: value for name, value in self.cleaned_data.items() if name != "reason"}


class NewAccountForm(AccountForm):
    """The same, with what never changes afterwards."""

    class Meta(AccountForm.Meta):
        fields = ["code", "currency", *AccountForm.Meta.fields]
        help_texts = AccountForm.Meta.help_texts | {
            "code": "The platform's own name for it; usage names the account by it. It never changes.",
            "currency": "Three letters. Every price, invoice and payment of the account is in it. It never changes.",
        }


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail")
    role = forms.ChoiceField(
        choices=[
            (MembershipRole.VIEWER.value, "Viewer: sees usage and invoices"),
            (MembershipRole.OWNER.value, "Owner: also pays, and manages members and keys"),
        ]
    )


class KeyForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="What will use it, so that you know later what to revoke.")
    scopes = forms.MultipleChoiceField(
        label="May read",
        choices=[(scope, f"{SCOPE_WORDS[scope]} ({scope})") for scope in ACCOUNT_SCOPES],
        widget=forms.CheckboxSelectMultiple,
        initial=["usage:read", "invoices:read"],
    )
    lifetime = forms.ChoiceField(label="Ends after", choices=LIFETIMES, initial="365")

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        return None if days == "never" else clock.now() + timedelta(days=int(days))
