"""What forms on pages share: days and moments in UTC, and an expected mistake shown at the field that it is about."""

from datetime import UTC, datetime
from typing import Any

from django import forms

from core import fields
from core.errors import Invalid, VaultError


class UTCField(forms.Field):
    """A moment in UTC, written ``2026-10-01 09:30:00`` (seconds and their parts may be left out) or as RFC 3339."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"class": "mono", "placeholder": "2026-10-01 09:30:00", "size": 20})
        super().__init__(widget=widget, **kwargs)

    def to_python(self, value: Any) -> Any:
        """Return a moment, or None for nothing."""
        if isinstance(value, datetime) or not (text := str(value or "").strip()[:40]):
            return value or None
        try:
            return fields.moment(_rfc3339(text), "time")
        except Invalid:
            raise forms.ValidationError("Write it as 2026-10-01 09:30:00; times are UTC.") from None

    def prepare_value(self, value: Any) -> Any:
        """Write a moment as it is read."""
        return written(value) if isinstance(value, datetime) else value


class DayField(forms.DateField):
    """A day of a filter, UTC; from 2000 to 2189, so that the moments beside it exist too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}), required=False, **kwargs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and not 2000 <= value.year < 2190:
            raise forms.ValidationError("Choose a day of the years 2000 to 2189.")


def written(moment: datetime) -> str:
    """Write a moment as ``UTCField`` reads it, with every digit that it has."""
    moment = moment.astimezone(UTC)
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction}"


def blame(form: forms.BaseForm, error: VaultError) -> None:
    """Show ``error`` on a bound form: at its field when the form has it, else above the form."""
    field = error.field if isinstance(error, Invalid) and error.field in form.fields else None
    form.add_error(field, str(error))


def _rfc3339(text: str) -> str:
    """Complete what people leave out: the T, the seconds, the zone."""
    if text[10:11] == " ":
        text = f"{text[:10]}T{text[11:]}"
    if len(text) == len("2026-10-01"):
        text += "T00:00:00"
    if len(text) == len("2026-10-01T09:30"):
        text += ":00"
    return text if text[-1:] in "Zz" or "+" in text[10:] or "-" in text[10:] else f"{text}Z"
