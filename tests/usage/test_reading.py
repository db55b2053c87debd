"""Reading a batch: the quick way and the careful way agree, and nothing that arrives is more than a sentence."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage import careful_reading, reading
from usage.reading import TooMany, Unreadable
from usage.reported import Batch

GOOD = {"id": "a", "type": "open", "time": "2026-10-01T00:00:00Z", "resource": "r", "product": "p"}
MEASURED = GOOD | {"type": "measured", "meter": "requests", "quantity": "1.5"}
GAUGE = GOOD | {"type": "gauge", "meter": "storage", "quantity": "0"}


def read(*events: Any) -> Batch:
    return reading.read(json.dumps(list(events)).encode())


def only_refusal(*events: Any) -> tuple[str, str]:
    batch = read(*events)
    assert len(batch.refused) == 1, batch
    return batch.refused[0].code, batch.refused[0].field


class TestWhatIsRead:
    def test_an_array_an_envelope_one_event_and_lines_say_the_same(self) -> None:
        text = json.dumps(GOOD)
        bodies = [f"[{text}]", f'{{"events": [{text}]}}', text, f" [ {text} ] ", f"\ufeff[{text}]"]
        batches = [reading.read(body.encode()) for body in bodies] + [reading.read(text.encode(), lines=True)]
        assert len({repr(batch) for batch in batches}) == 1
        assert batches[0].events[0].meter == "duration"

    def test_a_time_is_kept_in_utc_to_the_microsecond(self) -> None:
        event = read(GOOD | {"time": "2026-10-01T02:00:00.123456+02:00"}).events[0]
        assert event.time.isoformat() == "2026-10-01T00:00:00.123456+00:00"

    @pytest.mark.parametrize("number", ['"1.5"', "1.5", "1.50", '"1.500"', "15e-1", '"0.15E1"', "1.5000000000000"])
    def test_a_quantity_is_exact_however_it_is_written(self, number: str) -> None:
        body = json.dumps([MEASURED | {"quantity": "N"}]).replace('"N"', number)
        event = reading.read(body.encode()).events[0]
        assert event.quantity == Decimal("1.5")
        assert event.digest() == read(MEASURED).events[0].digest()

    def test_an_optional_field_may_be_null(self) -> None:
        assert read(GOOD | {"app": None, "account": None}).events[0].app == ""

    @pytest.mark.parametrize(
        "events", [[GOOD], [MEASURED], [GAUGE], [MEASURED | {"quantity": 2}, GOOD | {"app": "shop"}], []]
    )
    def test_the_usual_batch_is_read_the_quick_way(self, events: list[Any]) -> None:
        for body in (json.dumps(events), json.dumps(events, separators=(",", ":")), json.dumps({"events": events})):
            assert reading._quickly(body.encode(), False) is not None
        assert reading._quickly(b"\n".join(json.dumps(e).encode() for e in events), True) is not None


class TestWhatIsRefused:
    @pytest.mark.parametrize("name", ["id", "type", "time", "resource", "product"])
    def test_a_missing_field_is_named(self, name: str) -> None:
        assert only_refusal({key: value for key, value in GOOD.items() if key != name}) == ("missing_field", name)
        assert only_refusal(GOOD | {name: None}) == ("missing_field", name)

    @pytest.mark.parametrize("name", ["meter", "quantity"])
    @pytest.mark.parametrize("whole", [MEASURED, GAUGE])
    def test_what_was_measured_and_a_gauge_have_meter_and_quantity(self, name: str, whole: dict[str, str]) -> None:
        assert only_refusal({key: value for key, value in whole.items() if key != name}) == ("missing_field", name)

    @pytest.mark.parametrize(
        "quantity",
        ["-1", "NaN", "Infinity", "1e308", "1" + "0" * 18, "0.0000000000001", " 1", "1_0", "\u0661", "1" * 5000, True,
         [1], {}],
    )  # fmt: skip
    def test_a_quantity_is_finite_bounded_and_not_negative(self, quantity: Any) -> None:
        for whole in (MEASURED, GAUGE):
            assert only_refusal(whole | {"quantity": quantity}) == ("invalid_field", "quantity")

    @pytest.mark.parametrize(
        "time",
        ["2026-10-01", "2026-10-01T00:00:00", "2026-10-01T24:00:00Z", "2026-13-01T00:00:00Z", "yesterday", 5, "",
         "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-10-01T00:00:00.1234567Z",
         "2026-W40-4T00:00:00Z"],
    )  # fmt: skip
    def test_a_time_is_complete_and_has_its_zone(self, time: Any) -> None:
        assert only_refusal(GOOD | {"time": time}) == ("invalid_field", "time")

    @pytest.mark.parametrize("name", ["id", "resource", "product", "app", "account", "meter", "component"])
    @pytest.mark.parametrize("value", ["x" * 201, 5, ["x"], "a\0b", "\ud800", {"x": 1}])
    def test_a_text_is_a_text_that_can_be_stored(self, name: str, value: Any) -> None:
        assert only_refusal(GOOD | {name: value}) == ("invalid_field", name)

    def test_a_quantity_needs_a_measurement(self) -> None:
        assert only_refusal(GOOD | {"quantity": "1"}) == ("invalid_field", "quantity")

    def test_an_unknown_type_and_an_unknown_field_are_not_passed_over(self) -> None:
        assert only_refusal(GOOD | {"type": "start"}) == ("unknown_type", "type")
        assert only_refusal(GOOD | {"acount": "x"}) == ("unknown_field", "acount")

    @pytest.mark.parametrize("thing", [5, "x", None, [], True, 1e400])
    def test_what_is_no_object_is_no_event(self, thing: Any) -> None:
        assert only_refusal(thing) == ("invalid_event", "")

    def test_a_key_that_comes_twice_is_refused(self) -> None:
        text = json.dumps(GOOD)
        twice = text.replace('"id": "a"', '"id": "a","id": "b"')
        for body in (f"[{twice}]", f"[{twice}]".replace(": ", ":"), f"[{text},{twice}]"):
            assert [refusal.code for refusal in reading.read(body.encode()).refused] == ["duplicate_key"]

    def test_a_bad_event_never_spoils_the_good_ones(self) -> None:
        batch = read(GOOD, 5, GOOD | {"id": "b"}, GOOD | {"id": "\ud800"}, {}, GOOD | {"id": "c"})
        assert [(event.index, event.id) for event in batch.events] == [(0, "a"), (2, "b"), (5, "c")]
        assert [refusal.index for refusal in batch.refused] == [1, 3, 4]

    def test_a_bad_line_never_spoils_the_good_ones(self) -> None:
        text = json.dumps(GOOD).encode()
        batch = reading.read(b"\n".join([text, b"{broken", b"", b'{"id": "\xff"}', b"[" * 100_000, text]), lines=True)
        assert [event.index for event in batch.events] == [0, 4]
        assert [refusal.code for refusal in batch.refused] == ["invalid_json"] * 3


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        "body",
        [b"", b" ", b"[", b"[1,]", b"[1 2]", b"{", b"nonsense", b"null", b'"x"', b"5", b"[NaN", b"[] x", b"\xff\xfe[",
         b"[" * 100_000, b'{"events": ' * 50_000, b'[{"id": "a]', "[]".encode("utf-16")],
    )  # fmt: skip
    def test_is_said_in_a_sentence(self, body: bytes) -> None:
        with pytest.raises(Unreadable):
            reading.read(body)

    def test_more_than_ten_thousand_events_are_too_many(self) -> None:
        assert len(reading.read(json.dumps([GOOD] * 10_000).encode()).events) == 10_000
        for event in (GOOD, {}):
            with pytest.raises(TooMany):
                reading.read(json.dumps([event] * 10_001).encode())


class TestCloudEvents:
    EVENT = {
        "specversion": "1.0",
        "id": "a",
        "type": "com.platform.dyno.open",
        "source": "/dynos",
        "time": "2026-10-01T00:00:00Z",
        "subject": "r",
        "traceparent": "00-x",
        "data": {"product": "p"},
    }

    def test_stand_for_plain_events(self) -> None:
        assert read(self.EVENT).events == read(GOOD).events

    def test_are_gauges_too(self) -> None:
        level = {"product": "p", "meter": "storage", "quantity": "0"}
        assert read(self.EVENT | {"type": "disk.gauge", "data": level}).events == read(GAUGE).events

    def test_come_in_binary_mode_too(self) -> None:
        headers = {f"ce-{name}": str(value) for name, value in self.EVENT.items() if name != "data"}
        assert reading.read_binary(headers, b'{"product": "p"}').events == read(GOOD).events

    @pytest.mark.parametrize(
        "change",
        [{"specversion": "2.0"}, {"data": 5}, {"data_base64": "eA=="}, {"data": {"product": "p", "id": "b"}},
         {"data": {"product": "p", "x": 1}}, {"subject": None}, {"type": 5}],
    )  # fmt: skip
    def test_that_are_wrong_are_refused(self, change: dict[str, Any]) -> None:
        assert len(read(self.EVENT | change).refused) == 1


TEXTS = ['"a"', '"b-1"', '"é"', '""', '"\\":"', '":00.1234567"', '"\\u0000"', '"\\ud800"', "null", "5"]
TEXTS += [json.dumps("x" * 200), json.dumps("x" * 201)]
TIMES = ["2026-10-01 00:00:00z", "2026-10-01T00:00:00.5+0200", "2026-10-01t00:00:00-00:00", "2026-10-01T00:00:00+24:00",
         "2026-10-01T00:00:00.1234567Z", "2026-10-01T00:00:00+14:60", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z",
         "0001-01-01T00:00:00+00:01", "2026-10-01T00:00:60Z", "2026-10-01T00:00Z"]  # fmt: skip
NUMBERS = [
    "1.5",
    "-0",
    "1e2",
    '"1e2"',
    '"01"',
    "0.1234567890123",
    "0.10",
    '"+1"',
    '".5"',
    "12345678901234567890",
    "true",
]
ODD = {name: TEXTS for name in ("id", "resource", "app", "account", "meter", "component")}
ODD |= {
    "type": ['"other"', '"gauge"', '"close"'],
    "time": [f'"{time}"' for time in TIMES],
    "quantity": NUMBERS,
    "surplus": ["1"],
}


@st.composite
def bodies(draw: Any) -> bytes:
    """JSON that is right but for two oddities at most: a value, a space, or a key that comes twice."""
    events = []
    oddities = draw(st.integers(0, 2))
    for index in range(draw(st.integers(1, 3))):
        written = {name: json.dumps(value) for name, value in draw(st.sampled_from([GOOD, MEASURED, GAUGE])).items()}
        written["id"] = f'"{index}"'
        pairs = list(written.items())
        while oddities and draw(st.booleans()):
            oddities -= 1
            match draw(st.sampled_from(["value", "space", "twice", "missing"])):
                case "value":
                    name = draw(st.sampled_from(sorted(ODD)))
                    pairs = [pair for pair in pairs if pair[0] != name] + [(name, draw(st.sampled_from(ODD[name])))]
                case "space":
                    spot = draw(st.integers(0, len(pairs) - 1))
                    pairs[spot] = (f'{pairs[spot][0]}" ', pairs[spot][1])
                case "twice":
                    pairs.append(draw(st.sampled_from(pairs)))
                case "missing":
                    pairs.pop(draw(st.integers(0, len(pairs) - 1)))
        keys = [(f'"{name}' if name.endswith(" ") else f'"{name}"', value) for name, value in pairs]
        events.append("{" + ",".join(f"{key}:{value}" for key, value in keys) + "}")
    text = "[" + ",".join(events) + "]"
    return (f'{{"events":{text}}}' if draw(st.booleans()) else text).encode()


@given(bodies())
@settings(max_examples=1000, deadline=None)
def test_the_quick_way_accepts_only_what_the_careful_way_would(body: bytes) -> None:
    quick = reading._quickly(body, False)
    if quick is not None:
        assert quick == careful_reading.batch(careful_reading.items(body, lines=False))


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=400, deadline=None)
def test_any_bytes_give_a_batch_or_a_sentence(body: bytes) -> None:
    for lines in (False, True):
        try:
            batch = reading.read(body, lines=lines)
        except Unreadable:
            continue
        assert all(refusal.code and refusal.detail for refusal in batch.refused)
