"""Sending over HTTP as a platform does: once for each event, again when that helps, and a sentence when it does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.periods import Month
from tests.usage.factories import opened
from usage import importing_trace, sending, sources
from usage.models import Event, Source, SourceState
from usage.sending import NotSent, OverHttp, Tally

OCTOBER = Month(2026, 10)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PATIENCE", (0, 0))


@pytest.mark.django_db(transaction=True)
class TestOverHttp:
    def test_the_trace_goes_over_http_too(self, live_server: Any, tmp_path: Path) -> None:
        file = tmp_path / "trace.csv"
        file.write_text("instance_sn,role,app_name,creation_time,deletion_time\ni1,CN,app_1,,60\ni2,HN,app_1,5,")
        done = importing_trace.import_trace(file, OCTOBER, base_url=live_server.url)
        assert (done["accepted"], Event.objects.count()) == (3, 3)
        assert importing_trace.import_trace(file, OCTOBER, base_url=live_server.url)["duplicate"] == 3

    def test_a_refused_secret_is_said_at_once(self, live_server: Any) -> None:
        with pytest.raises(NotSent, match="it answered 401"):
            OverHttp(live_server.url, "vs_wrong").send([opened(0)])

    def test_a_paused_source_is_said_at_once(self, live_server: Any) -> None:
        source, secret = sources.create("dynos", actor="x", past_days=3650)
        Source.objects.update(state=SourceState.PAUSED)
        with pytest.raises(NotSent, match="paused; keep its events"):
            OverHttp(live_server.url, secret.text).send([opened(0)])
        assert source.name == "dynos"


class TestTrouble:
    def test_nobody_there_is_a_sentence(self) -> None:
        with pytest.raises(NotSent, match="did not take the events"):
            OverHttp("http://127.0.0.1:9", "vs_x").send([opened(0)])

    @pytest.mark.parametrize("address", ["", "ftp://x", "127.0.0.1:8000", "http://"])
    def test_what_is_no_address_is_said(self, address: str) -> None:
        with pytest.raises(NotSent, match="is not an address"):
            OverHttp(address, "vs_x")

    def test_it_is_sent_again_while_that_may_help(self, monkeypatch: pytest.MonkeyPatch) -> None:
        taken = json.dumps({"accepted": 1, "duplicate": 0, "conflict": 0, "rejected": 0}).encode()
        answers: list[Any] = [OSError("reset"), (503, b"busy"), (200, taken)]

        def post(self: OverHttp, what: str, body: bytes) -> tuple[int, bytes]:
            assert json.loads(body)
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer  # type: ignore[no-any-return]

        monkeypatch.setattr(OverHttp, "_post", post)
        assert OverHttp("http://127.0.0.1:9", "vs_x").send([opened(0)]) == Tally(accepted=1)

    def test_batches_are_counted_as_they_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sending, "BATCH", 2)

        class Counting:
            def send(self, events: Any) -> Tally:
                return Tally(accepted=len(events))

        heard: list[int] = []
        assert sending.send_all([opened(n) for n in range(5)], Counting(), heard.append).total == 5
        assert heard == [2, 4, 5]
