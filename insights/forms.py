"""What people enter to correct usage. The verbs hold the rules; forms only ask."""

from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from django import forms

from core import fields
from core.errors import Invalid
from usage.models import EventType
from usage.remedies import REMEDIES
from usage.reported import LIMITS, WITH_QUANTITY

MOST_BY_HAND: Final = 200  # events of one window that a person may edit as a table
WRITTEN: Final = "%Y-%m-%d %H:%M:%S"


class UTCField(forms.Field):
    """A moment in UTC, written ``2026-10-01 09:30:00`` (seconds and their parts may be left out) or as RFC 3339."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"class": "mono", "placeholder": "2026-10-01 09:30:00", "size": 20})
        super().__init__(widget=widget, **kwargs)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, datetime) or not (text := str(value or "").strip()[:40]):
            return value or None
        try:
            return fields.moment(_rfc3339(text), "time")
        except Invalid:
            raise forms.ValidationError("Write it as 2026-10-01 09:30:00; times are UTC.") from None

    def prepare_value(self, value: Any) -> Any:
        return written(value) if isinstance(value, datetime) else value


def _rfc3339(text: str) -> str:
    """Complete what people leave out: the T, the seconds, the zone."""
    if text[10:11] == " ":
        text = f"{text[:10]}T{text[11:]}"
    if len(text) == len("2026-10-01"):
        text += "T00:00:00"
    if len(text) == len("2026-10-01T09:30"):
        text += ":00"
    return text if text[-1:] in "Zz" or "+" in text[10:] or "-" in text[10:] else f"{text}Z"


def written(moment: datetime) -> str:
    """Write a moment as ``UTCField`` reads it, with every digit that it has."""
    moment = moment.astimezone(UTC)
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment:{WRITTEN}}{fraction}"


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
    since = forms.DateField(required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, label="To", widget=forms.DateInput(attrs={"type": "date"}))


class RemedyForm(forms.Form):
    """What is done about those that were chosen; ``at`` when the remedy needs a time."""

    remedy = forms.ChoiceField(choices=[(name, words) for name, (words, _) in REMEDIES.items()])
    at = UTCField(required=False, label="Time")
