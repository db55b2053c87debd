"""The pages of usage: what they show, who may act on them, and that a secret is shown once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from core import clock
from core.audit import acting
from core.errors import Invalid
from tests.usage.factories import closed, hour, measured, opened, report, settled, source
from usage import amending, deciding, health, restating, sources, timeline
from usage.models import Event, QuarantinedEvent, Source

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NEW = {"cadence": 60, "lateness": 30, "past_days": 35, "future_seconds": 300, "scopes": ["events", "heartbeats"]}
PAGES = [
    "/sources/", "/sources/dynos/", "/usage/problems/", "/usage/problems/?tab=pairing", "/usage/problems/?tab=unowned",
    "/usage/problems/?tab=open", "/usage/events/", "/usage/resources/r1/", "/usage/resources/a%2Fb%20c%3F/",
]  # fmt: skip


def signed_in(role: str) -> Client:
    with acting("system:test"):
        user = User.objects.create_user(f"{role}@example.com", None, role=role)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def olga(db: None) -> Client:
    return signed_in("operator")


@pytest.fixture
def dynos(db: None) -> Source:
    made = source("dynos")
    settled(made, [opened(0, account="acme", app="shop"), closed(5), closed(3, "r2"), measured(1, "1.5")])
    settled(made, [opened(0, "a/b c?"), opened(1, "old", time="2020-01-01T00:00:00Z")])
    report(made, [{"id": "bad", "type": "open"}])
    return made


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.usefixtures("dynos")
class TestEveryPage:
    @pytest.mark.parametrize("page", PAGES)
    def test_is_shown_to_staff_only(self, olga: Client, page: str) -> None:
        assert olga.get(page).status_code == 200
        assert signed_in("auditor").get(page).status_code == 200
        assert Client().get(page).status_code == 302
        assert signed_in("").get(page).status_code == 403

    @pytest.mark.parametrize("page", ["/sources/none/", "/usage/resources/none/", "/usage/problems/quarantine/0/"])
    def test_of_nothing_is_not_found(self, olga: Client, page: str) -> None:
        assert olga.get(page).status_code == 404

    @pytest.mark.parametrize(
        "action", ["/sources/new/", "/sources/dynos/rotate/", "/sources/dynos/pause/", "/sources/dynos/resume/"]
    )
    def test_is_acted_on_by_operators_only(self, action: str) -> None:
        assert signed_in("auditor").post(action, {"reason": "x", "overlap": "0"}).status_code == 403


@pytest.mark.django_db
class TestSources:
    def test_without_any_say_what_to_do(self, olga: Client) -> None:
        assert "No source reports usage yet" in text(olga.get("/sources/"))

    def test_one_is_made_and_its_secret_shown_once(self, olga: Client) -> None:
        given = NEW | {"name": "addons", "title": "Add-ons"}
        answer = olga.post("/sources/new/", given)
        secret = answer.context["secret"].text
        assert secret in text(answer)
        assert sources.authenticate(secret) == Source.objects.get(name="addons", lateness_seconds=1800)
        assert secret not in text(olga.get("/sources/addons/"))
        assert "already" in text(olga.post("/sources/new/", given))

    def test_a_name_that_is_none_is_refused_at_its_field(self, olga: Client) -> None:
        answer = olga.post("/sources/new/", NEW | {"name": "a b"})
        assert "letters, digits" in text(answer) and not Source.objects.exists()

    def test_a_secret_is_replaced(self, olga: Client, dynos: Source) -> None:
        answer = olga.post("/sources/dynos/rotate/", {"overlap": "0", "scopes": ["events", "heartbeats", "manifests"]})
        assert answer.context["secret"].text in text(answer)
        assert [c.expires_at is not None for c in dynos.credentials.order_by("id")] == [True, False]

    def test_a_pause_needs_a_reason_and_ends(self, olga: Client, dynos: Source) -> None:
        olga.post("/sources/dynos/pause/", {"reason": ""})
        assert Source.objects.get().state == "active"
        olga.post("/sources/dynos/pause/", {"reason": "its clock is wrong"})
        assert Source.objects.get().state == "paused"
        olga.post("/sources/dynos/resume/")
        assert Source.objects.get().state == "active"


class TestHealth:
    @pytest.mark.parametrize(
        ("heard", "state", "expected"),
        [(59, "active", "healthy"), (61, "active", "late"), (121, "active", "silent"), (0, "paused", "paused"),
         (None, "active", "new")],
    )  # fmt: skip
    def test_follows_the_source_s_own_cadence(self, heard: int | None, state: str, expected: str) -> None:
        at = None if heard is None else NOW - timedelta(minutes=heard)
        for received, beat in ((at, None), (None, at)):
            one = Source(
                state=state, cadence_seconds=3600, lateness_seconds=3600, created_at=NOW, last_received_at=received,
                last_heartbeat_at=beat,
            )  # fmt: skip
            assert health.health(one, NOW) == expected

    def test_one_that_never_spoke_is_silent_in_the_end(self) -> None:
        one = Source(state="active", cadence_seconds=3600, lateness_seconds=60, created_at=NOW - timedelta(days=1))
        assert health.health(one, NOW) == "silent"


class TestTimeLine:
    def test_draws_spans_on_one_scale(self) -> None:
        spans = [(NOW, NOW + timedelta(hours=2)), (NOW + timedelta(hours=1), None)]
        ends = timeline.extent(spans, NOW + timedelta(hours=4))
        bars = [timeline.bar(start, end, ends) for start, end in spans]
        assert [(bar.left, bar.width) for bar in bars] == [(0, 50), (25, 75)]

    def test_shows_what_is_too_short_to_see(self) -> None:
        ends = (NOW, NOW + timedelta(days=365))
        assert timeline.bar(NOW, NOW + timedelta(seconds=1), ends).width == Decimal("0.4")

    def test_puts_moments_and_spans_on_tracks_of_one_scale(self) -> None:
        day = timedelta(days=1)
        marks = [timeline.Mark(NOW, NOW + 4 * day, "ran"), timeline.Mark(NOW + day, NOW + day, "told", True)]
        found = timeline.picture([("ran on", "x", marks[:1]), ("told by", "y", marks[1:]), ("z", "none", [])], NOW)
        assert found is not None and [track.label for track in found.tracks] == ["x", "y"]
        assert [(mark.is_moment, bar.left) for track in found.tracks for mark, bar in track.marks] == [
            (False, 0),
            (True, 25),
        ]
        assert [words for _, words in found.ticks][:2] == ["24 Nov 2026", "25 Nov 2026"]
        assert timeline.picture([("z", "none", [])], NOW) is None


@pytest.mark.usefixtures("dynos")
class TestProblems:
    def test_name_what_is_wrong_and_why(self, olga: Client) -> None:
        assert "missing_field" in text(olga.get("/usage/problems/"))
        pairing = text(olga.get("/usage/problems/?tab=pairing"))
        assert "Close without an open" in pairing and "/usage/resources/r2/" in pairing
        assert "old" in text(olga.get("/usage/problems/?tab=open"))

    def test_unowned_usage_of_the_last_two_months(self, olga: Client) -> None:
        settled(Source.objects.get(), [opened(0, "now", id="now", time=clock.now().isoformat(timespec="seconds"))])
        assert "/usage/resources/now/" in text(olga.get("/usage/problems/?tab=unowned"))

    def test_may_be_filtered(self, olga: Client) -> None:
        assert "missing_field" not in text(olga.get("/usage/problems/", {"code": "conflict"})).split("results")[-1]
        assert olga.get("/usage/problems/", {"tab": "pairing", "kind": "overlap"}).context["table"].page is not None


@pytest.mark.usefixtures("dynos")
class TestQuarantined:
    def page(self) -> str:
        return f"/usage/problems/quarantine/{QuarantinedEvent.objects.get().pk}/"

    def test_shows_the_raw_body(self, olga: Client) -> None:
        assert "{&quot;id&quot;: &quot;bad&quot;" in text(olga.get(self.page()))

    def test_is_mended_and_sent_in_again(self, olga: Client) -> None:
        mended = '{"id":"bad","type":"open","time":"2020-01-01T00:00:00Z","resource":"r9","product":"p"}'
        assert olga.post(self.page(), {"body": mended, "reason": "added the time"}).status_code == 302
        assert Event.objects.get(event_id="bad").resource == "r9"
        entry = QuarantinedEvent.objects.get()
        assert (entry.state, entry.decided_by) == ("replayed", "user:operator@example.com")

    @pytest.mark.parametrize("body", ["{", "[]", '{"id":"bad"}', "5", '{"id":"x"}\n{"id":"y"}', '[{"id":"a"},{}]'])
    def test_that_is_still_wrong_stays_and_says_why(self, olga: Client, body: str) -> None:
        answer = olga.post(self.page(), {"body": body})
        assert answer.status_code == 200 and answer.context["form"].errors
        assert QuarantinedEvent.objects.get().state == "waiting"

    def test_is_discarded_with_a_reason(self, olga: Client) -> None:
        assert olga.post(self.page(), {"decision": "discard", "reason": ""}).status_code == 200
        assert olga.post(self.page(), {"decision": "discard", "reason": "a test of theirs"}).status_code == 302
        entry = QuarantinedEvent.objects.get()
        assert (entry.state, entry.decision_reason) == ("discarded", "a test of theirs")

    def test_is_only_read_by_an_auditor(self) -> None:
        auditor = signed_in("auditor")
        assert "Discard it" not in text(auditor.get(self.page()))
        auditor.post(self.page(), {"decision": "discard", "reason": "x"})
        assert QuarantinedEvent.objects.get().state == "waiting"


@pytest.mark.usefixtures("dynos")
class TestManyQuarantined:
    MANY = "/usage/problems/quarantine/decide/"

    @pytest.fixture
    def waiting(self, dynos: Source) -> list[int]:
        QuarantinedEvent.objects.all()
        events = [
            {"id": f"m{n}", "type": "open", "time": "2020-01-01T00:00:00Z", "resource": f"m{n}"} for n in range(3)
        ]
        report(dynos, [*events, {"id": "odd", "type": "jump"}])
        return list(QuarantinedEvent.objects.exclude(event_id="bad").order_by("pk").values_list("pk", flat=True))

    def test_are_grouped_by_reason_with_their_age(self, olga: Client, waiting: list[int]) -> None:
        groups = olga.get("/usage/problems/").context["part"].groups
        assert [(code, count) for code, _, count, _ in groups] == [("missing_field", 5)]

    def test_are_looked_at_before_anything_is_decided(self, olga: Client, waiting: list[int]) -> None:
        shown = olga.post(self.MANY, {"key": waiting, "field": "product", "value": "basic"})
        assert (shown.context["accepted"], shown.context["count"]) == (3, 4)
        assert not QuarantinedEvent.objects.exclude(state="waiting").exists()
        assert not Event.objects.filter(event_id="m0").exists()

    def test_are_mended_and_sent_in_again(self, olga: Client, waiting: list[int]) -> None:
        given = {"key": waiting, "field": "product", "value": "basic", "step": "replay"}
        assert "mended" in text(olga.post(self.MANY, given | {"reason": ""}))
        assert olga.post(self.MANY, given | {"reason": "product was left out"}).status_code == 302
        assert Event.objects.filter(event_id__startswith="m", product="basic").count() == 3
        states = dict(QuarantinedEvent.objects.filter(pk__in=waiting).values_list("event_id", "state"))
        assert states == {"m0": "replayed", "m1": "replayed", "m2": "replayed", "odd": "waiting"}

    def test_are_discarded_with_a_reason(self, olga: Client, waiting: list[int]) -> None:
        given = {"all": "1", "code": "missing_field", "step": "discard"}
        assert "Say why" in text(olga.post(self.MANY, given | {"reason": ""}))
        olga.post(self.MANY, given | {"reason": "a test of theirs"})
        assert not QuarantinedEvent.objects.filter(state="waiting").exists()

    def test_of_none_say_so(self, olga: Client) -> None:
        assert "Choose at least one" in text(olga.post(self.MANY, {"step": "replay"}, follow=True))

    @pytest.mark.parametrize(
        ("body", "field", "mended"),
        [
            ('{"id":"a"}', "product", '{"id": "a", "product": "x"}'),
            ('{"specversion":"1.0","data":{}}', "product", '{"specversion": "1.0", "data": {"product": "x"}}'),
            ('{"specversion":"1.0"}', "resource", '{"specversion": "1.0", "subject": "x"}'),
            ('{"quantity":1.50}', "product", '{"quantity": "1.50", "product": "x"}'),
        ],
    )
    def test_are_mended_where_the_field_belongs(self, body: str, field: str, mended: str) -> None:
        assert deciding.mended(body, field, "x") == mended

    @pytest.mark.parametrize("body", ["[", '"x"', '{"a":1,"a":2}'])
    def test_that_cannot_be_read_are_mended_one_by_one(self, body: str) -> None:
        with pytest.raises(Invalid, match="by itself"):
            deciding.mended(body, "product", "x")


@pytest.mark.usefixtures("dynos")
class TestAResource:
    def test_shows_what_was_believed_before(self, olga: Client) -> None:
        settled(Source.objects.get(), [opened(2, "r2")])
        shown = text(olga.get("/usage/resources/r2/"))
        assert "ran on" in shown and "Nobody owns it" in shown
        assert "owned by" in text(olga.get("/usage/resources/r1/"))

    def test_is_read_as_it_was_believed_at_any_time(self, olga: Client) -> None:
        before = clock.database_now()
        told = restating.events("r1", [{"type": "close", "time": "2026-10-01T04:00:00Z", "product": "standard-1x"}])
        one = amending.amend("r1", hour(4), hour(6), told, reason="it closed at four", actor="user:olga@example.com")
        now, then = (olga.get("/usage/resources/r1/", asked).context["life"] for asked in ({}, {"known_at": before}))
        assert {i.closed for i in now.intervals if not i.superseded_at} == {hour(4)}
        assert {(i.closed) for i in then.intervals} == {hour(5)} and not then.amendments
        assert [event.counts for event in then.events if event.type == "close"] == [True]
        shown = text(olga.get("/usage/resources/r1/"))
        assert f"Amendment {one.pk}: it closed at four" in shown and "Put aside" in shown
        assert "This is not what is believed now" in text(olga.get("/usage/resources/r1/", {"known_at": before}))

    def test_before_anything_was_known_is_empty_and_not_missing(self, olga: Client) -> None:
        assert "Nothing of it was known" in text(olga.get("/usage/resources/r1/?known_at=2020-01-01"))
        assert "times are UTC" in text(olga.get("/usage/resources/r1/?known_at=soon"))
        assert olga.get("/usage/resources/none/?known_at=2020-01-01").status_code == 404
