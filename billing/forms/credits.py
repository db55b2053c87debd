"""What people enter about credits. The verbs hold the rules; forms only ask."""

from decimal import Decimal
from typing import Any, Final

from django import forms

from billing.models import ProductGroup
from core import formatting

STATES: Final = (
    ("", "All"),
    ("requested", "Waiting"),
    ("active", "Active"),
    ("spent", "Spent"),
    ("expired", "Expired"),
    ("refused", "Refused"),
)


class CreditFilter(forms.Form):
    """Narrows the list of credits."""

    q = forms.CharField(
        required=False,
        label="Account or reason",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Code, name, e-mail or reason"}),
    )
    state = forms.ChoiceField(choices=STATES, required=False, label="State")
    scope = forms.ChoiceField(choices=[("", "Anything"), *ProductGroup.choices], required=False, label="Pays for")


class CreditRequestForm(forms.Form):
    """A credit for an account; ``limit`` is what the asker may give alone."""

    account = forms.CharField(max_length=200, label="Account", help_text="Its code.")
    amount = forms.DecimalField(max_digits=19, decimal_places=4, label="Amount")
    reason = forms.CharField(max_length=500, label="Reason", help_text="Finance and the customer read it.")
    scope = forms.MultipleChoiceField(
        label="Only for",
        choices=ProductGroup.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="None ticked: it may pay for everything.",
    )
    partners = forms.BooleanField(
        required=False, initial=True, label="Also for third parties' products", help_text="We pay their share for it."
    )
    cap_per_month = forms.DecimalField(
        max_digits=19, decimal_places=4, required=False, label="At most per month", help_text="Empty: no cap."
    )
    expires_on = forms.DateField(
        label="Ends on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Months that begin on or after this day cannot use it.",
    )

    def __init__(self, *args: Any, limit: Decimal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        alone = f"Up to {formatting.quantity(limit)} to one account in a month; more" if limit else "It"
        self.fields["amount"].help_text = f"In the account's currency. {alone} waits until somebody of finance decides."

    def values(self) -> dict[str, Any]:
        """Return the verb's arguments, apart from the account."""
        return {name: value for name, value in self.cleaned_data.items() if name != "account"}


class RefusalForm(forms.Form):
    """Why a request is refused; whoever asked will read it."""

    reason = forms.CharField(max_length=500, label="Reason", help_text="Whoever asked for it will read it.")
