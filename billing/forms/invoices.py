"""What people type to adjust a draft or to correct an issued invoice."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from django import forms

from billing.models import InvoiceLine, ProductGroup

REASON_HELP: Final = "Stays with the invoice; the customer does not see it."
WHOLE_DIGITS: Final = 20  # more than any amount has; the verb knows the currency's own


class AmountField(forms.DecimalField):
    """An amount as a person writes it: 12.50."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_digits=WHOLE_DIGITS, decimal_places=4, widget=widget, **kwargs)


class Reasoned(forms.Form):
    reason = forms.CharField(max_length=500, help_text=REASON_HELP, widget=forms.Textarea(attrs={"rows": 2}))


class AddLineForm(Reasoned):
    description = forms.CharField(max_length=300, help_text="As the customer reads it.")
    amount = AmountField(help_text="Before tax; below zero takes off.")
    app = forms.CharField(max_length=200, required=False, help_text="The app it is about, if any.")
    group = forms.ChoiceField(
        choices=ProductGroup.choices, initial=ProductGroup.OTHER, help_text="Which credits may pay for it."
    )
    field_order = ("description", "amount", "app", "group", "reason")


class ChangeLineForm(Reasoned):
    amount = AmountField(help_text="What is charged instead; what rating said stays beside it.")
    field_order = ("amount", "reason")


class TakeBackForm(forms.Form):
    """One amount per line that has something left to take back."""

    reason = forms.CharField(
        max_length=500, help_text="Printed on the credit note.", widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, lines: Iterable[tuple[InvoiceLine, Decimal]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = {f"line_{line.pk}": (line, left) for line, left in lines}
        for name, (line, left) in self.lines.items():
            label = f"{line.app} · {line.description}" if line.app else line.description
            self.fields[name] = AmountField(required=False, min_value=Decimal(0), max_value=left, label=label)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each line with what is left of it and its field."""
        for name, (line, left) in self.lines.items():
            yield {"line": line, "left": left, "field": self[name]}

    def amounts(self) -> dict[int, Decimal]:
        """Return what is to be taken back, by line."""
        given = {name: value for name, value in self.cleaned_data.items() if name.startswith("line_") and value}
        return {int(name.removeprefix("line_")): value for name, value in given.items()}
