"""One GET of a feed that may misbehave: only where it may go, never longer or more than it may take, no redirects."""

import http.client
import threading
from typing import Final

from core import outgoing
from usage.feed import MAX_BYTES, FeedBroken

WHOLE_SECONDS: Final = 20.0  # for the whole answer, however steadily it drips
LONGEST_WAIT: Final = 3600  # seconds that a feed may ask us to stay away
OK: Final = 200


def get(url: str, *, token: str = "", public_only: bool = False) -> bytes:
    """Return the body that ``url`` answers with; raise FeedBroken for anything but a whole, timely 200.

    ``token`` goes along as a bearer. Plain HTTP reaches this machine only; with ``public_only`` nothing that is
    private is reached. The name is resolved once, and what was checked is what is connected to.
    """
    late = threading.Event()
    try:
        with outgoing.connected(url, late, seconds=WHOLE_SECONDS, public_only=public_only) as connection:
            headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Vault"}
            if token:
                headers["Authorization"] = f"Bearer {token}"
            connection.request("GET", outgoing.target(url), headers=headers)
            return _body(connection.getresponse(), late)
    except outgoing.Unreachable as error:
        raise FeedBroken(str(error)) from error
    except TimeoutError as error:
        raise FeedBroken("The feed did not answer in time.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        if late.is_set():
            raise _too_slow() from error
        raise FeedBroken(f"The feed could not be read ({type(error).__name__}: {error}).") from error


def _body(response: http.client.HTTPResponse, late: threading.Event) -> bytes:
    if response.status != OK:
        raise FeedBroken(_refusal(response), wait_seconds=_wait(response))
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise FeedBroken("The feed sent a compressed page that was not asked for.")
    if (response.length or 0) > MAX_BYTES:
        raise _too_large()
    body = response.read(MAX_BYTES + 1)
    if late.is_set():
        raise _too_slow()
    if len(body) > MAX_BYTES:
        raise _too_large()
    if response.length:
        raise FeedBroken(f"The connection was cut {response.length:,} bytes before the page's end.")
    return body


def _refusal(response: http.client.HTTPResponse) -> str:
    if response.status in (401, 403):
        return f"The feed answered {response.status}: check the token in the environment of the collectors."
    if 300 <= response.status < 400:
        return f"The feed answered {response.status}: a redirect is not followed, for the token would go along."
    return f"The feed answered {response.status}."


def _wait(response: http.client.HTTPResponse) -> int:
    said = response.headers.get("Retry-After", "")
    return min(int(said), LONGEST_WAIT) if said.isascii() and said.isdigit() and len(said) < 10 else 0


def _too_slow() -> FeedBroken:
    return FeedBroken(f"The feed's page took longer than {WHOLE_SECONDS:g} seconds.")


def _too_large() -> FeedBroken:
    return FeedBroken(f"The feed's page is larger than {MAX_BYTES // 1024 // 1024} MiB; lower the page size.")
