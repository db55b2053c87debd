"""What people enter to correct usage. The verbs hold the rules; forms only ask."""

from typing import Any, Final, TypeAlias

from django import forms

from core.forms import DayField, UTCField, written
from usage.models import EventType
from usage.remedies import REMEDIES
from usage.reported import LIMITS, WITH_QUANTITY

MOST_BY_HAND: Final = 200  # events of one window that a person may edit as a table


class WindowForm(forms.Form):
    """Which resource, and which of its time."""

    resource = forms.CharField(max_length=LIMITS["resource"])
    start = UTCField(label="From", help_text="UTC. What was told of this time is shown next, to be corrected.")
    end = UTCField(label="Up to", help_text="Exclusive; 366 days at most, and not in the future.")
    meter = forms.CharField(max_length=LIMITS["meter"], required=False, help_text="Only this one; all when empty.")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        start, end = given.get("start"), given.get("end")
        if start and end and end <= start:
            self.add_error("end", "The time that is corrected ends after it begins.")
        return given


class EventForm(forms.Form):
    """One event of the corrected time; an empty row is none."""

    type = forms.ChoiceField(choices=[("", "—"), *EventType.choices], required=False)
    time = UTCField(required=False)
    product = forms.CharField(max_length=LIMITS["product"], required=False)
    meter = forms.CharField(max_length=LIMITS["meter"], required=False)
    quantity = forms.CharField(max_length=40, required=False)
    component = forms.CharField(max_length=LIMITS["component"], required=False, label="Process")
    app = forms.CharField(max_length=LIMITS["app"], required=False)
    account = forms.CharField(max_length=LIMITS["account"], required=False, widget=forms.HiddenInput)
    drop = forms.BooleanField(required=False, label="Leave out")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        needed = ("type", "time", "product")
        if not given.get("drop") and any(given.get(name) for name in needed):
            for name in needed:
                if not given.get(name) and name not in self.errors:
                    self.add_error(name, "Needed.")
        return given

    @property
    def said(self) -> dict[str, Any] | None:
        """What the row says as an event, None when it was left out or empty."""
        given = self.cleaned_data
        if given.get("drop") or not given.get("type"):
            return None
        said = {name: given[name] for name in ("type", "product", "meter", "quantity", "component", "app", "account")}
        if given["type"] not in WITH_QUANTITY:
            said.pop("quantity")
        return said | {"time": f"{written(given['time']).replace(' ', 'T')}Z"}


EventRows: TypeAlias = "forms.BaseFormSet[EventForm]"  # the framework's own class cannot be subscripted
EventTable: Final = forms.formset_factory(
    EventForm, extra=0, max_num=MOST_BY_HAND, absolute_max=MOST_BY_HAND, validate_max=True
)


def said(rows: EventRows) -> tuple[list[dict[str, Any]], list[EventForm]]:
    """Return the events of a table, and beside each the row that says it, for its mistakes."""
    told = [(event, row) for row in rows.forms if (event := row.said) is not None]
    return [event for event, _ in told], [row for _, row in told]


class RecordForm(forms.Form):
    """Why; and what was shown."""

    reason = forms.CharField(max_length=1000, label="Why", widget=forms.Textarea(attrs={"rows": 2}))
    token = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)


class AmendmentFilter(forms.Form):
    """Which corrections."""

    resource = forms.CharField(max_length=LIMITS["resource"], required=False)
    by = forms.CharField(max_length=200, required=False, label="By", help_text="Part of the name.")
    state = forms.ChoiceField(
        choices=[("", "Every state"), ("standing", "Standing"), ("reverted", "Reverted")], required=False
    )
    since = DayField(label="From")
    until = DayField(label="To")


class RemedyForm(forms.Form):
    """What is done about those that were chosen; ``at`` when the remedy needs a time."""

    remedy = forms.ChoiceField(choices=[(name, words) for name, (words, _) in REMEDIES.items()])
    at = UTCField(required=False, label="Time")
