"""The production trace: its rules line by line, and the whole month to the cent."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import Invalid, NotFound
from core.money import round_ratio
from core.periods import Month
from tests.usage.factories import START
from usage import cutoff, files, importing_trace, metering, trace

OCTOBER = Month(2026, 10)
HEAD = "instance_sn,role,app_name,creation_time,deletion_time"
TRACE = Path(__file__).parents[3] / "shared" / "data" / "platform-trace-2025.csv.gz"


def events(*lines: str) -> list[trace.Event]:
    return list(trace.events(trace.instances([HEAD, *lines], OCTOBER), OCTOBER))


class TestRules:
    def test_an_instance_came_and_went(self) -> None:
        opening, closing = events("i1,CN,app_1,10.4,20.5")
        assert opening == {
            "id": "2026-10/i1/open", "type": "open", "time": "2026-10-01T00:00:10Z", "resource": "i1",
            "product": "standard-2x", "app": "app_1", "account": "app_1",
        }  # fmt: skip
        assert (closing["type"], closing["time"]) == ("close", "2026-10-01T00:00:21Z")

    def test_what_was_there_before_opened_a_day_earlier(self) -> None:
        (opening,) = events("i1,HN,app_1,,")
        assert (opening["product"], opening["time"]) == ("performance-l", "2026-09-30T00:00:00Z")

    @pytest.mark.parametrize(
        ("line", "field"),
        [("i1,XX,app_1,,", "role"), (",CN,app_1,,", "instance_sn"), ("i1,CN,,,", "instance_sn"),
         ("i1,CN,a,soon,", "creation_time"), ("i1,CN,a,,-5", "deletion_time"), ("i1", "instance_sn")],
    )  # fmt: skip
    def test_a_mistake_names_its_line(self, line: str, field: str) -> None:
        with pytest.raises(Invalid, match=r"^Line 3: ") as refused:
            events("i0,CN,app_0,,", line)
        assert refused.value.field == field

    def test_another_file_is_not_the_trace(self) -> None:
        with pytest.raises(Invalid, match="not the trace"):
            list(trace.instances(["a,b", "1,2"], OCTOBER))


@pytest.mark.django_db
class TestImport:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        file = tmp_path / "trace.csv"
        file.write_text("\n".join([HEAD, "i1,CN,app_1,,3600", "i2,HN,app_2,10,"]))
        return file

    def test_may_be_repeated(self, file: Path) -> None:
        first = importing_trace.import_trace(file, OCTOBER)
        assert (first["instances"], first["accounts"], first["accepted"]) == (2, 2, 3)
        assert importing_trace.import_trace(file, OCTOBER)["duplicate"] == 3
        rows = metering.account_usage(["app_1", "app_2"], [OCTOBER.span], cutoff=cutoff.freeze())
        assert [row.seconds_or_quantity for row in rows] == [3600, 2_678_390]

    def test_refuses_a_month_that_lies_ahead(self, file: Path) -> None:
        with pytest.raises(Invalid, match="has not ended yet"):
            importing_trace.import_trace(file, Month(2199, 1))

    def test_says_when_there_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(NotFound, match="no file"):
            importing_trace.import_trace(tmp_path / "none.csv", OCTOBER)

    @pytest.mark.parametrize("content", [b"\x1f\x8bnot gzip after all", b"\x1f\x8b\x08\x00", b"\xff\xfe\x00", b""])
    def test_says_when_the_file_is_damaged(self, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / "damaged.csv.gz"
        file.write_bytes(content)
        with pytest.raises(Invalid):
            importing_trace.import_trace(file, OCTOBER)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.skipif(not TRACE.is_file(), reason="the trace is not part of the project")
def test_the_whole_month_comes_to_the_cent() -> None:
    done = importing_trace.import_trace(TRACE, OCTOBER)
    assert (done["instances"], done["accounts"], done["conflict"], done["rejected"]) == (23_871, 156, 0, 0)
    codes = [f"app_{n}" for n in range(156)]
    rows = list(metering.account_usage(codes, [OCTOBER.span], cutoff=cutoff.freeze()))
    monthly = {"standard-2x": Decimal(50), "performance-l": Decimal(500)}
    bills = dict.fromkeys(codes, Decimal(0))
    for row in rows:
        bills[row.account] += round_ratio(monthly[row.product] * row.seconds_or_quantity, OCTOBER.seconds, "USD")
    assert (bills["app_0"], bills["app_130"]) == (Decimal("232678.13"), Decimal("380.04"))
    assert bills == _by_hand(monthly)


def _by_hand(monthly: dict[str, Decimal]) -> dict[str, Decimal]:
    """The same straight from the file, without a database."""
    seconds: dict[tuple[str, str], timedelta] = {}
    with files.opened(TRACE) as lines:
        for instance in trace.instances(lines, OCTOBER):
            used = min(instance.deleted or OCTOBER.end, OCTOBER.end) - max(instance.created or START, START)
            key = (instance.app, instance.product)
            seconds[key] = seconds.get(key, timedelta()) + max(used, timedelta())
    bills = {f"app_{n}": Decimal(0) for n in range(156)}
    for (app, product), used in seconds.items():
        bills[app] += round_ratio(monthly[product] * int(used.total_seconds()), OCTOBER.seconds, "USD")
    return bills
