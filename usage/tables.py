"""The lists of what is wrong with usage."""

from datetime import datetime
from typing import Any, Final

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.formatting import duration
from core.tables import MomentColumn, QuantityColumn, VaultTable, badge
from usage.addresses import resource_url
from usage.causes import OLD_OPEN, OVER_LONG
from usage.completeness import Unowned
from usage.doubts import Doubt
from usage.models import ProblemKind, QuarantinedEvent


class ResourceColumn(tables.Column):
    """A resource, with the way to its time line."""

    def render(self, value: str) -> SafeString:
        return format_html('<a class="mono" href="{}">{}</a>', resource_url(value), value)


class ChooseColumn(tables.Column):
    """A box per row that belongs to a form elsewhere on the page, and one that ticks all of them when scripts run."""

    def __init__(self, *, form: str, **kwargs: Any) -> None:
        self.form = form
        super().__init__(orderable=False, exclude_from_export=True, **kwargs)

    @property
    def header(self) -> SafeString:
        return format_html(
            '<input type="checkbox" data-chooses="{}" aria-label="Choose all of this page" hidden>'
            '<span class="visually-hidden">Choose</span>',
            self.form,
        )

    def render(self, value: object) -> SafeString:
        box = '<input type="checkbox" name="key" value="{}" form="{}" aria-label="Choose {}">'
        return format_html(box, value, self.form, value)


class QuarantineTable(VaultTable):
    """Refused events."""

    noun = "refused event"
    empty = "Nothing is in quarantine like that. What a source sends wrongly is kept here until somebody decides."
    chosen = ChooseColumn(form="decide", accessor="pk")
    code = tables.Column(verbose_name="Reason")
    detail = tables.Column(orderable=False, verbose_name="What is wrong", attrs={"td": {"class": "prose"}})
    event_id = tables.Column(verbose_name="Event id", attrs={"td": {"class": "mono"}})
    source = tables.Column(accessor="source__name", verbose_name="Source", order_by="source__name")
    received_at = MomentColumn(verbose_name="Received")
    state = tables.Column()

    def render_code(self, record: QuarantinedEvent) -> SafeString:
        return format_html('<a href="/usage/problems/quarantine/{}/">{}</a>', record.pk, record.code)

    def render_state(self, record: QuarantinedEvent) -> SafeString:
        return badge(record.state)


class DoubtTable(VaultTable):
    """Opens, closes and intervals that look wrong, each with its probable cause; many are chosen for one remedy."""

    noun = "open or close"
    plural = "opens and closes"
    wide = True
    empty = "Nothing is in doubt like that."
    chosen = ChooseColumn(form="remedy", accessor="key")
    kind = tables.Column()
    resource = ResourceColumn()
    product = tables.Column(attrs={"td": {"class": "nowrap"}})
    source = tables.Column(accessor="source__name", verbose_name="Source", default="—", orderable=False)
    at = MomentColumn(verbose_name="Happened")
    cause = tables.Column(order_by="cause_code", verbose_name="Probably", attrs={"td": {"class": "prose"}})

    def render_kind(self, record: Doubt) -> SafeString:
        label = str(KINDS[record.kind])
        return badge(label, label=label, tone=_tone(record.kind))

    def render_cause(self, record: Doubt) -> SafeString:
        return format_html("<strong>{}.</strong> {}", record.cause.title, record.cause.sentence)


class LongTable(DoubtTable):
    """Intervals that run, or ran, for long."""

    noun = "interval"
    plural = "intervals"
    at = MomentColumn(verbose_name="Opened")
    until = MomentColumn(verbose_name="Closed")
    length = tables.Column(empty_values=(), order_by="-at", attrs={"cell": {"class": "num nowrap"}})

    class Meta:
        exclude = ("kind",)
        sequence = ("chosen", "resource", "product", "source", "at", "until", "length", "cause")

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        self.now = now
        super().__init__(*args, **kwargs)

    def render_length(self, record: Doubt) -> str:
        return duration((record.until or self.now) - record.at)


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


KINDS: Final = dict(ProblemKind.choices) | {OLD_OPEN: "Open for long", OVER_LONG: "Ran for long"}


def _tone(kind: str) -> str:
    return {"overlap": "bad", "empty": "quiet"}.get(kind, "warn")
