"""The lists of what is wrong with usage."""

from typing import Final

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.formatting import duration
from core.tables import MomentColumn, QuantityColumn, VaultTable, badge
from usage.addresses import resource_url
from usage.completeness import Unowned
from usage.models import Interval, PairingProblem, ProblemKind, QuarantinedEvent

CAUSES: Final = {
    ProblemKind.ORPHAN_CLOSE: "Its open was lost or has not arrived yet. Nothing is billed for it.",
    ProblemKind.DOUBLE_OPEN: "The close before it was lost, or the source repeated itself under another id.",
    ProblemKind.OVERLAP: "The close of the earlier product was lost or is late. Its account is held until it is here.",
    ProblemKind.EMPTY: "Opened and closed at one instant, which is nothing to bill.",
}


class ResourceColumn(tables.Column):
    """A resource, with the way to its time line."""

    def render(self, value: str) -> SafeString:
        return format_html('<a class="mono" href="{}">{}</a>', resource_url(value), value)


class QuarantineTable(VaultTable):
    """Refused events."""

    noun = "refused event"
    empty = "Nothing is in quarantine like that. What a source sends wrongly is kept here until somebody decides."
    code = tables.Column(verbose_name="Reason")
    detail = tables.Column(orderable=False, verbose_name="What is wrong", attrs={"td": {"class": "prose"}})
    event_id = tables.Column(verbose_name="Event id", attrs={"td": {"class": "mono"}})
    source = tables.Column(accessor="source__name", order_by="source__name")
    received_at = MomentColumn(verbose_name="Received")
    state = tables.Column()

    def render_code(self, record: QuarantinedEvent) -> SafeString:
        return format_html('<a href="/usage/problems/quarantine/{}/">{}</a>', record.pk, record.code)

    def render_state(self, record: QuarantinedEvent) -> SafeString:
        return badge(record.state)


class PairingTable(VaultTable):
    """Opens and closes that make no interval."""

    noun = "open or close"
    plural = "opens and closes"
    empty = "Every open and close has its place."
    kind = tables.Column()
    resource = ResourceColumn()
    product = tables.Column(attrs={"td": {"class": "nowrap"}})
    at = MomentColumn(verbose_name="Happened")
    cause = tables.Column(empty_values=(), orderable=False, verbose_name="Probably", attrs={"td": {"class": "prose"}})
    seen_at = MomentColumn(verbose_name="Noticed")

    def render_kind(self, record: PairingProblem) -> SafeString:
        return badge(record.get_kind_display(), label=record.get_kind_display(), tone=_tone(record.kind))

    def render_cause(self, record: PairingProblem) -> str:
        return CAUSES[ProblemKind(record.kind)]


class UnownedTable(VaultTable):
    """Usage that belongs to nobody."""

    noun = "resource"
    empty = "Everything that was used had an owner."
    resource = ResourceColumn()
    product = tables.Column(attrs={"td": {"class": "nowrap"}})
    app = tables.Column()
    seconds = tables.Column(verbose_name="Running time", attrs={"cell": {"class": "num"}})
    quantity = QuantityColumn(verbose_name="Measured")
    accounts = tables.Column(orderable=False, verbose_name="Owned before or after by")

    def render_seconds(self, record: Unowned) -> str:
        return duration(record.seconds)

    def render_accounts(self, record: Unowned) -> str:
        return ", ".join(record.accounts) or "nobody"


class OldOpenTable(VaultTable):
    """Intervals that have been running for long."""

    noun = "resource"
    empty = "Nothing has been running for so long."
    resource = ResourceColumn()
    product = tables.Column(attrs={"td": {"class": "nowrap"}})
    app = tables.Column()
    opened = MomentColumn()
    running = tables.Column(empty_values=(), order_by="-opened", attrs={"cell": {"class": "num"}})

    def __init__(self, *args: object, now: object, **kwargs: object) -> None:
        self.now = now
        super().__init__(*args, **kwargs)

    def render_running(self, record: Interval) -> str:
        return duration(self.now - record.opened)  # type: ignore[operator]


def _tone(kind: str) -> str:
    return {"overlap": "bad", "empty": "quiet"}.get(kind, "warn")
