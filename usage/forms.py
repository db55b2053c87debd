"""What people enter about sources, events and problems. The verbs hold the rules; forms only ask."""

from typing import Any, Final

from django import forms

from core.forms import DayField
from usage import causes, deciding
from usage.models import EventType, ProblemKind, Source
from usage.models.source import LONGEST_AHEAD, LONGEST_PAST_DAYS, SOURCE_SCOPES
from usage.reported import LIMITS

MINUTE: Final = 60
OVERLAPS: Final = (
    ("86400", "Works for one more day"),
    ("604800", "Works for one more week"),
    ("3600", "Works for one more hour"),
    ("0", "Ends at once"),
)


class ContractForm(forms.Form):
    """What is expected of a source, in the units that people think in."""

    title = forms.CharField(max_length=200, required=False, help_text="What it reports, in words.")
    owner = forms.CharField(max_length=200, required=False, label="Team", help_text="Whom to call when it is silent.")
    cadence = forms.IntegerField(
        min_value=1, max_value=43_200, initial=60, label="Speaks every … minutes", help_text="Then it counts as late."
    )
    lateness = forms.IntegerField(
        min_value=0, max_value=43_200, initial=60, label="May be … minutes late", help_text="Then it counts as silent."
    )
    past_days = forms.IntegerField(
        min_value=1, max_value=LONGEST_PAST_DAYS, initial=35, label="An event may be … days old when it arrives"
    )
    future_seconds = forms.IntegerField(
        min_value=0, max_value=LONGEST_AHEAD, initial=300, label="Its clock may be … seconds ahead"
    )

    @staticmethod
    def of(source: Source) -> dict[str, Any]:
        """Return a source's contract as the form shows it."""
        minutes = {"cadence": max(1, source.cadence_seconds // MINUTE), "lateness": source.lateness_seconds // MINUTE}
        return minutes | {name: getattr(source, name) for name in ("title", "owner", "past_days", "future_seconds")}

    @property
    def contract(self) -> dict[str, Any]:
        """The fields of the source that were entered."""
        given = self.cleaned_data
        minutes = {f"{name}_seconds": given[name] * MINUTE for name in ("cadence", "lateness")}
        return minutes | {name: given[name] for name in ("title", "owner", "past_days", "future_seconds")}


class ScopesField(forms.MultipleChoiceField):
    """What a secret is good for."""

    def __init__(self) -> None:
        super().__init__(
            choices=[(scope, scope.capitalize()) for scope in SOURCE_SCOPES],
            initial=list(SOURCE_SCOPES),
            widget=forms.CheckboxSelectMultiple,
            label="It may send",
        )


class SourceForm(ContractForm):
    """A new source and its contract."""

    name = forms.CharField(max_length=100, help_text="Letters, digits, dots, dashes and underscores; it never changes.")
    scopes = ScopesField()
    field_order = ("name",)


class ChangedContractForm(ContractForm):
    """A contract, and why it changes."""

    reason = forms.CharField(max_length=300, label="Why", help_text="Kept in the history of the source.")

    @property
    def contract(self) -> dict[str, Any]:
        """The fields that were changed: a contract set in seconds is not rounded by looking at it in minutes."""
        changed = {f"{name}_seconds" if name in ("cadence", "lateness") else name for name in self.changed_data}
        return {name: value for name, value in super().contract.items() if name in changed}


class RotateForm(forms.Form):
    """What the new secret is good for, and how long those that it replaces live on beside it."""

    scopes = ScopesField()
    overlap = forms.TypedChoiceField(choices=OVERLAPS, coerce=int, label="The secret in use now")


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(max_length=300, label="Why")


class ReplayForm(forms.Form):
    """The event as it shall be sent in again."""

    body = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}), label="Event"
    )
    reason = forms.CharField(max_length=300, required=False, label="What was mended, and why")


class DecideForm(forms.Form):
    """What is done with many refused events, and why."""

    field = forms.ChoiceField(
        choices=[("", "Nothing"), *((name, name) for name in deciding.MENDABLE)], required=False, label="Set in each"
    )
    value = forms.CharField(max_length=200, required=False, label="To", help_text="Empty takes the field away.")
    reason = forms.CharField(max_length=300, required=False, label="Why")


class TabFilter(forms.Form):
    """Filters of one of several lists on a page; which list travels with them."""

    tab = forms.CharField(widget=forms.HiddenInput, required=False)


class DoubtFilter(TabFilter):
    """Which opens, closes and intervals that look wrong."""

    cause = forms.ChoiceField(choices=[("", "Every cause"), *causes.TITLES.items()], required=False, label="Probably")
    kind = forms.ChoiceField(choices=[("", "Every kind"), *ProblemKind.choices], required=False)
    resource = forms.CharField(max_length=LIMITS["resource"], required=False)


class LongFilter(TabFilter):
    """Which intervals that run, or ran, for long."""

    cause = forms.ChoiceField(choices=[("", "Every cause"), *causes.TITLES.items()], required=False, label="Probably")
    resource = forms.CharField(max_length=LIMITS["resource"], required=False)


class QuarantineFilter(TabFilter):
    """Which refused events."""

    code = forms.CharField(max_length=40, required=False, label="Reason")
    source = forms.CharField(max_length=100, required=False)
    state = forms.ChoiceField(
        choices=[("waiting", "Waiting"), ("replayed", "Sent in again"), ("discarded", "Discarded")], required=False
    )


class EventFilter(forms.Form):
    """Which events; from and to are days of their own time, the last one included."""

    resource = forms.CharField(max_length=LIMITS["resource"], required=False)
    app = forms.CharField(max_length=LIMITS["app"], required=False)
    account = forms.CharField(max_length=LIMITS["account"], required=False)
    event_id = forms.CharField(max_length=LIMITS["id"], required=False, label="Event id")
    product = forms.CharField(max_length=LIMITS["product"], required=False)
    source = forms.CharField(max_length=100, required=False)
    type = forms.ChoiceField(choices=[("", "Every type"), *EventType.choices], required=False)
    since = DayField(label="From")
    until = DayField(label="To")
