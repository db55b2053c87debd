"""What people enter about products and prices, read into values the verbs take."""

from datetime import UTC, datetime, time
from typing import Any

from django import forms

from billing.models import PriceModel, Product, ProductGroup

SIMPLE = (PriceModel.PRORATED, PriceModel.FLAT, PriceModel.PER_UNIT)


class ProductForm(forms.Form):
    """Something new to sell, under the name that usage gives it."""

    code = forms.CharField(max_length=200, label="Code", help_text="Exactly as usage events name the product.")
    name = forms.CharField(max_length=200, label="Name", help_text="As printed on invoices.")
    group = forms.ChoiceField(choices=ProductGroup.choices, label="Group", help_text="Credits are scoped by it.")
    partner = forms.BooleanField(
        required=False, label="Sold by a third party", help_text="Credits may exclude third parties' products."
    )
    reason = forms.CharField(max_length=500, label="Reason", help_text="Kept in the history for ever.")


class TermsInput(forms.Textarea):
    """JSON as people type it; what was not said is empty rather than ``null``."""

    def format_value(self, value: Any) -> str | None:
        return None if value in (None, "null") else str(value)


class TermsForm(forms.Form):
    """What a price says: an amount for the plain models, terms as JSON for the others."""

    currency = forms.RegexField(
        r"^[A-Z]{3}$",
        label="Currency",
        help_text="Three letters, for example USD.",
        error_messages={"invalid": "Write the three capital letters of the currency, for example USD."},
    )
    model = forms.ChoiceField(choices=PriceModel.choices, label="Way to price")
    unit_amount = forms.DecimalField(
        min_value=0, max_digits=24, decimal_places=12, required=False, label="Amount",
        help_text="Per month, per fee or per unit. Leave empty when the terms below say it.",
    )  # fmt: skip
    terms = forms.JSONField(
        required=False, widget=TermsInput(attrs={"rows": 5, "class": "mono", "spellcheck": "false"}), label="Terms",
        help_text='Only for tiers, packages and percentages: {"tiers": [{"up_to": null, "unit_amount": "0.05"}]}.',
    )  # fmt: skip
    unit = forms.CharField(max_length=40, initial="month", label="Unit", help_text="As printed: month, request, GB.")

    def clean_terms(self) -> dict[str, Any]:
        """Read the terms as an object; nothing at all is an empty one."""
        terms = self.cleaned_data["terms"]
        if terms is not None and not isinstance(terms, dict):
            raise forms.ValidationError('The terms are a JSON object, such as {"package_size": "1000"}.')
        return terms or {}

    def clean(self) -> dict[str, Any]:
        """Put amount and terms together, so that the verb gets one description of the price."""
        cleaned = super().clean() or {}
        terms = cleaned.get("terms") or {}
        amount = {} if cleaned.get("unit_amount") is None else {"unit_amount": format(cleaned["unit_amount"], "f")}
        if cleaned.get("model") in SIMPLE and not amount and not terms and "unit_amount" not in self.errors:
            self.add_error("unit_amount", "Say the amount.")
        return cleaned | {"terms": {**amount, **terms, "model": cleaned.get("model")}}


class PriceForm(TermsForm):
    """A new version of a price."""

    valid_from = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}), label="Valid from",
        help_text="From 00:00 UTC of this day: a day to come, or any day before the product's first price.",
    )  # fmt: skip
    reason = forms.CharField(max_length=500, label="Reason", help_text="Kept in the history for ever.")

    def values(self) -> dict[str, Any]:
        """Return the verb's arguments."""
        chosen = {name: self.cleaned_data[name] for name in ("currency", "terms", "unit", "reason")}
        return chosen | {"valid_from": datetime.combine(self.cleaned_data["valid_from"], time(), tzinfo=UTC)}


class RehearsalForm(TermsForm):
    """A price to try on the last months."""

    product = forms.ModelChoiceField(Product.objects.order_by("name"), to_field_name="code", label="Product")
    months = forms.IntegerField(min_value=1, max_value=12, initial=3, label="Whole months to look back")
    field_order = ["product", "currency", "model", "unit_amount", "terms", "unit", "months"]

    def values(self) -> dict[str, Any]:
        """Return the verb's arguments."""
        return {name: self.cleaned_data[name] for name in ("product", "currency", "terms", "unit", "months")}
