"""What people type on the pages of the books, read into values the verbs take."""

import json
from datetime import UTC, datetime, time
from typing import Any

from django import forms

from billing.models import PriceModel

SIMPLE = (PriceModel.PRORATED, PriceModel.FLAT, PriceModel.PER_UNIT)


class PriceForm(forms.Form):
    """A new version of a price: an amount for the plain models, terms as JSON for the others."""

    currency = forms.RegexField(r"^[A-Z]{3}$", label="Currency", help_text="Three letters, for example USD.")
    model = forms.ChoiceField(choices=PriceModel.choices, label="Way to price")
    unit_amount = forms.DecimalField(
        min_value=0, max_digits=24, decimal_places=12, required=False, label="Amount",
        help_text="Per month, per fee or per unit. Leave empty when the terms below say it.",
    )  # fmt: skip
    terms = forms.JSONField(
        required=False, widget=forms.Textarea(attrs={"rows": 5}), label="Terms",
        help_text='Only for tiers, packages and percentages: {"tiers": [{"up_to": null, "unit_amount": "0.05"}]}.',
    )  # fmt: skip
    unit = forms.CharField(max_length=40, initial="month", label="Unit", help_text="As printed: month, request, GB.")
    valid_from = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}), label="Valid from", help_text="From 00:00 UTC of this day."
    )
    reason = forms.CharField(max_length=500, label="Reason", help_text="Kept in the history for ever.")

    def clean(self) -> dict[str, Any]:
        """Put amount and terms together, so that the verb gets one description of the price."""
        cleaned = super().clean() or {}
        terms = cleaned.get("terms") or {}
        if not isinstance(terms, dict):
            raise forms.ValidationError("The terms are a JSON object, such as {}.")
        amount = {} if cleaned.get("unit_amount") is None else {"unit_amount": format(cleaned["unit_amount"], "f")}
        if cleaned.get("model") in SIMPLE and not amount and not terms:
            self.add_error("unit_amount", "Say the amount.")
        return cleaned | {"terms": {**amount, **terms, "model": cleaned.get("model")}}

    def values(self) -> dict[str, Any]:
        """Return the verb's arguments."""
        chosen = {name: self.cleaned_data[name] for name in ("currency", "terms", "unit", "reason")}
        return chosen | {"valid_from": datetime.combine(self.cleaned_data["valid_from"], time(), tzinfo=UTC)}


def as_text(terms: dict[str, Any]) -> str:
    """Write a price's terms for people who compare versions."""
    return json.dumps({key: value for key, value in terms.items() if key != "model"}, sort_keys=True)
