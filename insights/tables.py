"""The five columns as a list, and the corrections of usage."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, urlencode

import django_tables2 as tables
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.formatting import iso, moment, quantity
from core.tables import MomentColumn, VaultTable, badge
from insights.five_columns import AGREES, BILLED, DIFFERS, HARMLESS, HEALS, WAITS, Column, Row
from insights.reconciliation import Explained
from usage.addresses import resource_url, source_url

TONES: Final = {AGREES: "good", WAITS: "info", DIFFERS: "bad"}
_NUMBER: Final[dict[str, Any]] = {"cell": {"class": "num nowrap"}}


class CountColumn(tables.Column):
    """How many events, and what was measured when anything was."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(orderable=False, attrs=_NUMBER, **kwargs)

    def render(self, value: Column) -> SafeString:
        if not value.quantity:
            return format_html("{}", quantity(value.events))
        text = '{}<br><span class="small muted">Σ {}</span>'
        return format_html(text, quantity(value.events), quantity(value.quantity))


class ReconciliationTable(VaultTable):
    """Hours, newest first."""

    noun = "hour and meter"
    plural = "hours and meters"
    wide = True
    empty = "Nothing was stated or received in this time. Choose another day, or another source."
    hour = tables.Column(orderable=False, attrs={"cell": {"class": "nowrap"}})
    source = tables.Column(orderable=False)
    meter = tables.Column(orderable=False)
    manifest = CountColumn()
    received = CountColumn()
    paired = CountColumn()
    rated = CountColumn()
    billed = CountColumn()
    state = tables.Column(orderable=False)
    differences = tables.Column(orderable=False, verbose_name="Why", attrs={"td": {"class": "prose"}})

    def render_hour(self, record: Row) -> SafeString:
        query = urlencode({"source": record.source, "hour": iso(record.hour), "meter": record.meter})
        return format_html('<a href="/usage/reconciliation/hour/?{}">{}</a>', query, moment(record.hour))

    def render_source(self, record: Row) -> SafeString:
        return format_html('<a href="{}">{}</a>', source_url(record.source), record.source)

    def render_state(self, record: Row) -> SafeString:
        return badge(record.state, tone=TONES[record.state])

    def render_differences(self, value: Sequence[Any]) -> SafeString:
        return format_html_join("", "<p>{}</p>", ((one.sentence,) for one in value))


class BehindTable(VaultTable):
    """What became of the events of one hour, resource by resource."""

    noun = "resource and fate"
    plural = "resources and fates"
    wide = True
    empty = "Everything that was received of this hour is on invoices."
    resource = tables.Column(accessor="behind__resource", order_by="behind__resource")
    account = tables.Column(accessor="behind__placed__account", order_by="behind__placed__account", default="nobody")
    product = tables.Column(accessor="behind__placed__product", order_by="behind__placed__product")
    events = tables.Column(accessor="behind__placed__events", order_by="behind__placed__events", attrs=_NUMBER)
    quantity = tables.Column(accessor="behind__placed__quantity", orderable=False, attrs=_NUMBER)
    received = MomentColumn(accessor="behind__received", order_by="behind__received", verbose_name="Last received")
    stop = tables.Column(verbose_name="Where it is", attrs={"td": {"class": "prose"}})

    def render_resource(self, value: str) -> SafeString:
        return format_html('<a class="mono" href="{}">{}</a>', resource_url(value), value)

    def render_account(self, value: str) -> SafeString | str:
        return format_html('<a href="/accounts/{}/">{}</a>', quote(value, safe=""), value) if value else "nobody"

    def render_events(self, value: int) -> str:
        return quantity(value)

    def render_quantity(self, value: Decimal) -> str:
        return quantity(value) if value else "—"

    def render_stop(self, record: Explained) -> SafeString:
        fine = record.stop == BILLED or record.stop in HARMLESS
        word = badge(record.stop, tone="good" if fine else "info" if record.stop in HEALS else "bad")
        return format_html('{}<p class="small muted">{}</p>', word, record.sentence)


class AmendmentTable(VaultTable):
    """Corrections of usage."""

    noun = "amendment"
    wide = True
    empty = "Nothing was corrected like that. A correction begins on the page of its resource."
    id = tables.Column(verbose_name="Amendment")
    resource = tables.Column(attrs={"td": {"class": "mono"}})
    start = MomentColumn(verbose_name="From")
    end = MomentColumn(verbose_name="Up to")
    reason = tables.Column(orderable=False, attrs={"td": {"class": "prose"}})
    recorded_at = MomentColumn(verbose_name="Recorded")
    recorded_by = tables.Column(verbose_name="By")
    state = tables.Column(accessor="reverted_at", verbose_name="State", empty_values=())

    def render_id(self, value: int) -> SafeString:
        return format_html('<a href="/usage/amendments/{}/">{}</a>', value, value)

    def render_resource(self, value: str) -> SafeString:
        return format_html('<a class="mono" href="{}">{}</a>', resource_url(value), value)

    def render_recorded_by(self, value: str) -> str:
        return value.removeprefix("user:")

    def render_state(self, value: object) -> SafeString:
        return badge("reverted", tone="quiet") if value else badge("standing", tone="good")
