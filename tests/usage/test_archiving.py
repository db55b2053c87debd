"""A month goes to a file and comes back row for row; what is derived from it stays, and it takes no event meanwhile."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction

from core import databases
from core.errors import Conflict, Invalid, NotFound
from core.periods import Month, Span
from monitoring import invariants, verifying
from tests.usage.factories import Event as Said
from tests.usage.factories import report, settled, source
from tests.world import World
from usage import amending, archive_file, archives, archiving, cutoff, hour_totals, metering, store
from usage.archive_file import Row
from usage.archives import Archived
from usage.models import Event, Interval, MonthArchive, Ownership, PairingProblem, Source

MONTH = Month(2024, 9)
BY = "user:olga@example.com"


def said(kind: str, time: str, resource: str = "r1", **more: Any) -> Said:
    measured = {"meter": "requests", "quantity": "1.000000000001"} if kind in ("measured", "gauge") else {}
    named = {"id": f"{kind}-{resource}-{time}", "type": kind, "time": time, "resource": resource, "product": "p"}
    return named | measured | more


EVENTS = [
    said("open", "2024-08-20T00:00:00Z", account="acme", app="shop"),
    said("close", "2024-09-02T00:00:00.000001Z"),
    said("open", "2024-09-03T00:00:00Z"),
    said("open", "2024-09-30T23:59:59.999999Z", "r2", account="acme"),
    said("close", "2024-09-05T00:00:00Z", "orphan"),
    said("measured", "2024-09-05T10:00:00.123456Z", "m1", account="acme"),
    *[said("measured", f"2024-09-{day:02}T10:00:00.123456Z", "m1", quantity=str(day)) for day in range(6, 26)],
    said("measured", "2024-09-01T00:00:00Z", "m1", id="first", quantity="0"),
    said("measured", "2024-10-01T00:00:00Z", "m1", id="after"),
    said("measured", "2024-08-31T23:59:59.999999Z", "m1", id="before"),
]


@pytest.fixture
def dynos(db: None) -> Source:
    made = source("dynos")
    settled(made, EVENTS)
    hour_totals.fold()
    return made


def rows(month: Month = MONTH) -> list[tuple[Any, ...]]:
    return list(Event.objects.filter(time__gte=month.start, time__lt=month.end).order_by("id").values_list())


def broken() -> list[str]:
    return [found.name for found in invariants.collect() if found.database == "usage" and invariants.check(found).rows]


@pytest.mark.usefixtures("dynos")
class TestArchiving:
    def test_takes_out_what_is_in_the_file_and_brings_it_back_row_for_row(self) -> None:
        before, beside = rows(), (rows(MONTH.previous), rows(MONTH.next))
        outcome = archiving.archive(MONTH, by=BY)
        assert (outcome.rows, outcome.kept) == (len(before), 5)
        assert outcome.sums["requests"] == {"events": 22, "quantity": "311.000000000001"}
        assert sorted(row[3] for row in rows()) == ["close", "close", "measured", "open", "open"]
        assert [row.event_id for row in archives.read(MONTH)].count("first") == 1
        assert archiving.restore(MONTH, by=BY).rows == len(before)
        assert rows() == before
        assert (rows(MONTH.previous), rows(MONTH.next)) == beside

    def test_changes_nothing_that_was_derived(self) -> None:
        def derived() -> list[Any]:
            return [list(model.objects.order_by("pk").values()) for model in (Interval, Ownership, PairingProblem)]

        before = derived()
        archiving.archive(MONTH, by=BY)
        settled(Source.objects.get(name="dynos"), [
            said("close", "2024-10-03T00:00:00Z"), said("open", "2024-11-01T00:00:00Z", "m1"),
            said("close", "2024-10-09T00:00:00Z", "r2"), said("measured", "2024-10-09T00:00:00Z", "m1"),
        ])  # fmt: skip
        closed = Interval.objects.get(resource="r1", superseded_at=None, opened__month=9)
        assert (closed.opened.day, closed.closed and closed.closed.month) == (3, 10)
        assert Interval.objects.filter(resource="r2", superseded_at=None, closed__month=10).exists()
        kept = [[row for row in after if row in old] for old, after in zip(before, derived(), strict=True)]
        assert len(kept[1]) == len(before[1]) and len(kept[2]) == len(before[2])
        assert broken() == []

    def test_holds_every_invariant_before_and_after(self) -> None:
        assert broken() == []
        archiving.archive(MONTH, by=BY)
        assert broken() == []
        archiving.restore(MONTH, by=BY)
        assert broken() == []

    def test_may_be_repeated(self) -> None:
        first = archiving.archive(MONTH, by=BY)
        assert archiving.archive(MONTH, by=BY) == first
        before = rows()
        archiving.restore(MONTH, by=BY)
        archiving.restore(MONTH, by=BY)
        again = archiving.archive(MONTH, by=BY)
        assert (again.rows, again.content_hash, rows()) == (first.rows, first.content_hash, before)
        assert len(list(archiving.path_of(MonthArchive.objects.get()).parent.iterdir())) == 1

    def test_says_in_a_dry_run_what_it_would_move(self) -> None:
        before = rows()
        assert archiving.archive(MONTH, by=BY, dry_run=True).rows == len(before)
        assert rows() == before and not MonthArchive.objects.exists()

    def test_moves_nothing_when_the_file_does_not_say_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write = archive_file.write
        monkeypatch.setattr(archive_file, "write", lambda path, rows: write(path, list(rows)[1:]))
        before = rows()
        with pytest.raises(archiving.ArchiveDamaged):
            archiving.archive(MONTH, by=BY)
        assert rows() == before and MonthArchive.objects.get().state == "writing"
        assert archiving.restore(MONTH, by=BY) and rows() == before

    def test_restores_nothing_from_a_file_that_was_changed(self) -> None:
        archiving.archive(MONTH, by=BY)
        path = archiving.path_of(MonthArchive.objects.get())
        altered = [row._replace(quantity=row.quantity and row.quantity + 1) for row in archive_file.read(path)]
        archive_file.write(path, altered)
        before = rows()
        with pytest.raises(archiving.ArchiveDamaged), transaction.atomic(using=databases.usage()):
            archiving.restore(MONTH, by=BY)
        assert rows() == before
        assert archives.damaged(deep=True)

    def test_refuses_what_waits_what_is_young_and_what_is_not_there(self) -> None:
        with pytest.raises(Invalid, match="too young"):
            archiving.archive(Month.containing(archiving._now()), by=BY)
        with pytest.raises(Invalid, match="no events"):
            archiving.archive(Month(2011, 1), by=BY)
        report(Source.objects.get(name="dynos"), [said("open", "2024-09-09T00:00:00Z", "waiting")])
        with pytest.raises(Conflict, match="wait to be paired"):
            archiving.archive(MONTH, by=BY)
        with pytest.raises(NotFound):
            archiving.restore(MONTH, by=BY)


@pytest.mark.usefixtures("dynos")
class TestAnArchivedMonth:
    @pytest.fixture(autouse=True)
    def archived(self, dynos: Source) -> None:
        archiving.archive(MONTH, by=BY)

    def test_refuses_new_events_and_knows_the_old(self, dynos: Source) -> None:
        answer = report(dynos, [
            said("measured", "2024-09-07T00:00:00Z", "m1", id="new"), said("measured", "2024-10-07T00:00:00Z", "m1"),
            EVENTS[7], EVENTS[7] | {"quantity": "9999"},
        ])  # fmt: skip
        assert (answer.accepted, answer.duplicate, answer.conflict, answer.rejected) == (1, 1, 1, 1)
        refused = {refusal.code: refusal for refusal in answer.refused}
        assert refused["archived"].id == "new" and "2024-09" in refused["archived"].detail
        assert report(dynos, [EVENTS[7], said("open", "2024-09-07T00:00:00Z", "x")], atomic=True).accepted == 0

    def test_never_calls_a_refused_event_a_duplicate(self, dynos: Source) -> None:
        new = said("measured", "2024-09-07T00:00:00Z", "m1", id="new")
        answer = report(dynos, [new, new])
        assert (answer.accepted, answer.duplicate, answer.conflict, answer.rejected) == (0, 0, 0, 2)

    def test_is_refused_events_by_the_database(self) -> None:
        event = Event.objects.filter(time__gte=MONTH.start, time__lt=MONTH.end).first()
        assert event is not None
        values = {name: value for name, value in Event.objects.filter(id=event.pk).values()[0].items() if name != "id"}
        with pytest.raises(DatabaseError, match="archived: restore the month first"), transaction.atomic():
            Event.objects.create(**values)

    def test_is_not_rated_as_if_it_were_empty(self) -> None:
        with pytest.raises(Archived, match="restore_usage 2024-09"):
            list(metering.account_usage(["acme"], [MONTH.span], cutoff=cutoff.freeze()))
        later = Span(MONTH.end, MONTH.end + timedelta(days=1))
        assert {row.product for row in metering.account_usage(["acme"], [later], cutoff=cutoff.freeze())} == {"p"}

    def test_is_not_corrected(self, dynos: Source) -> None:
        first, last = MONTH.start + timedelta(days=28), MONTH.end + timedelta(days=1)
        with pytest.raises(Archived, match="2024-09 is archived"):
            amending.amend("m1", first, last, [], reason="wrong", actor=BY)
        amendment = amending.amend("m1", MONTH.end, last, [], reason="wrong", actor=BY)
        archiving.archive(MONTH.next, by=BY)
        with pytest.raises(Archived, match="2024-10 is archived"):
            amending.revert(amendment.pk, reason="right", actor=BY)

    def test_is_read_from_its_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("read_archive", str(MONTH), "--resource", "m1", "--format", "ndjson")
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert len(lines) == 22 and lines[1]["time"] == "2024-09-05T10:00:00.123456Z"
        assert lines[1]["quantity"] == "1.000000000001" and lines[0]["id"] == "first"
        call_command("read_archive", str(MONTH))
        assert capsys.readouterr().out.startswith("id,source,type,time,resource")

    @pytest.mark.parametrize("deep", [False, True])
    def test_says_when_its_file_is_lost_or_changed(self, deep: bool) -> None:
        assert archives.damaged(deep=deep) == []
        path = archiving.path_of(MonthArchive.objects.get())
        whole = path.read_bytes()
        path.write_bytes(whole[:-10] + bytes(10))
        assert archives.damaged(deep=deep)
        path.write_bytes(whole[:-1])
        assert archives.damaged(deep=deep)
        path.unlink()
        assert "cannot be read" in archives.damaged(deep=deep)[0]
        found = [one for one in verifying.verify(deep=deep) if not one.holds]
        assert [one.invariant.name for one in found] == ["usage/archive_files"]

    def test_is_emptied_only_when_its_file_was_proven(self) -> None:
        MonthArchive.objects.update(state="writing")
        with pytest.raises(DatabaseError, match="nothing is taken out"), store.writing() as cursor:
            cursor.execute(b"select usage_event_empty(%(month)b)", {"month": MONTH.start})


def test_takes_numbers_and_moments_exactly(tmp_path: Path) -> None:
    odd = Row(
        2**62, 1, "s", "e\n\"'é", "measured", 253_402_300_799_999_999, "r", "p", "m", "", "", "",
        Decimal("999999999999999999.999999999999"), -1, None,
    )  # fmt: skip
    zero = odd._replace(quantity=Decimal("0E-12"), amendment_id=7, time=0)
    archive_file.write(tmp_path / "x.parquet", [zero, odd])
    assert list(archive_file.read(tmp_path / "x.parquet")) == [zero, odd]
    assert list(archive_file.read(tmp_path / "x.parquet", resource="q")) == []
    assert archive_file.moment(odd.time).isoformat() == "9999-12-31T23:59:59.999999+00:00"


POINTS = (
    "archiving.sealed", "archiving.written", "archiving.verified", "archiving.before_commit", "archiving.archived",
)  # fmt: skip
ARCHIVE = "from core.periods import Month; from usage import archiving; archiving.archive(Month(2024, 9), by='x')"
ALL = "select * from usage_event order by id"


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_it_is_simply_run_again(world: World, tmp_path: Path, point: str) -> None:
    file = tmp_path / "usage.ndjson"
    file.write_text("\n".join(map(json.dumps, EVENTS)))
    world.manage("create_source", "dynos")
    world.manage("import_usage", str(file), "--source", "dynos")
    before = world.sql(ALL)
    killed = world.manage("shell", "--no-imports", "-c", ARCHIVE, check=False, VAULT_FAILPOINTS=f"{point}=kill")
    assert killed.returncode == -9
    state = world.value("select state from usage_montharchive")
    assert (world.sql(ALL) == before) == (state != "archived"), "all is in the store, or all is in a proven file"
    world.manage("shell", "--no-imports", "-c", ARCHIVE)
    assert world.value("select state from usage_montharchive") == "archived"
    assert len(world.sql(ALL)) == len(before) - 21
    dead = world.manage("restore_usage", "2024-09", check=False, VAULT_FAILPOINTS="restoring.before_commit=kill")
    assert dead.returncode == -9 and len(world.sql(ALL)) == len(before) - 21
    world.manage("restore_usage", "2024-09")
    assert world.sql(ALL) == before
