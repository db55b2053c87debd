"""What people enter about runs: which month, which account, on what day, and why."""

from typing import Any

from django import forms

from billing.models import RunState
from core.errors import Invalid
from core.periods import Month

KINDS = (("", "All"), ("real", "Real"), ("shadow", "Shadow"))


class RunFilter(forms.Form):
    """Narrows the list of runs."""

    month = forms.CharField(
        required=False, label="Month", widget=forms.TextInput(attrs={"type": "search", "placeholder": "2026-10"})
    )
    kind = forms.ChoiceField(choices=KINDS, required=False, label="Kind")
    state = forms.ChoiceField(choices=[("", "All"), *RunState.choices], required=False, label="State")

    def clean_month(self) -> Month | None:
        text = self.cleaned_data["month"].strip()
        return _month(text) if text else None


class RosterFilter(forms.Form):
    """Narrows one outcome's accounts; the outcome itself travels along."""

    outcome = forms.CharField(required=False, widget=forms.HiddenInput)
    q = forms.CharField(
        required=False,
        label="Account",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Code, name or e-mail"}),
    )
    reason = forms.ChoiceField(required=False, label="Reason")

    def __init__(self, *args: Any, reasons: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if reasons:
            choices = [(code, code.replace("_", " ").capitalize()) for code in reasons]
            self.fields["reason"].choices = [("", "All"), *choices]  # type: ignore[attr-defined]
        else:
            del self.fields["reason"]


class OpenRunForm(forms.Form):
    """A month, and whether only to look."""

    month = forms.CharField(
        label="Month",
        widget=forms.TextInput(attrs={"type": "month", "placeholder": "2026-10"}),
        help_text="It must be over, unless the run is a shadow.",
    )
    shadow = forms.BooleanField(
        required=False, label="Shadow run", help_text="Builds everything, issues nothing: to look at or to compare."
    )

    despite = forms.CharField(max_length=500, required=False, widget=forms.HiddenInput)

    def clean_month(self) -> Month:
        return _month(self.cleaned_data["month"])


class ReasonForm(forms.Form):
    """Why something is done; kept in the history."""

    reason = forms.CharField(max_length=500, label="Reason", help_text="Kept in the history for ever.")


class IssueForm(forms.Form):
    """The date that is printed on every invoice."""

    issue_date = forms.DateField(
        label="Issue date",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Printed on every invoice; payment terms count from it.",
    )


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except Invalid as error:
        raise forms.ValidationError(f"{error}.") from error
