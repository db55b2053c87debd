"""One GET of a feed that may misbehave: only where it may go, never longer or more than it may take, no redirects."""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from usage.feed import MAX_BYTES, FeedBroken

CONNECT_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 10.0  # without a byte
WHOLE_SECONDS: Final = 20.0  # for the whole answer, however steadily it drips
ADDRESSES: Final = 2  # that are tried
LONGEST_WAIT: Final = 3600  # seconds that a feed may ask us to stay away
OK: Final = 200
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def get(url: str, *, token: str = "", public_only: bool = False) -> bytes:
    """Return the body that ``url`` answers with; raise FeedBroken for anything but a whole, timely 200.

    ``token`` goes along as a bearer. Plain HTTP reaches this machine only; with ``public_only`` nothing that is
    private is reached. The name is resolved once, and what was checked is what is connected to.
    """
    parts = urlsplit(url)
    late = threading.Event()
    try:
        with _connected(parts, public_only, late) as connection:
            headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Vault"}
            if token:
                headers["Authorization"] = f"Bearer {token}"
            connection.request("GET", f"{parts.path or '/'}?{parts.query}", headers=headers)
            return _body(connection.getresponse(), late)
    except TimeoutError as error:
        raise FeedBroken("The feed did not answer in time.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        if late.is_set():
            raise _too_slow() from error
        raise FeedBroken(f"The feed could not be read ({type(error).__name__}: {error}).") from error


def refusal(url: str) -> str:
    """Return why ``url`` can never be read, in a sentence; empty when it can."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"This is no address ({error})."
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "Give a whole address, like https://metering.example.com/feed."
    if parts.username or parts.password:
        return "Leave user and password out of the address; the token comes from the environment."
    if parts.scheme == "http" and not _here(parts.hostname):
        return "Only https reaches another machine; give the feed an https address."
    if not url.isascii() or not url.isprintable() or " " in url:
        return "An address is made of plain ASCII characters; escape the others."
    return ""


def _here(host: str) -> bool:
    """Whether ``host`` names this machine without asking anybody."""
    try:
        return _plain(ipaddress.ip_address(host)).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _connected(parts: SplitResult, public_only: bool, late: threading.Event) -> Iterator[http.client.HTTPConnection]:
    """Connect, and cut the connection when the whole takes too long."""
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    with _connect(_addresses(host, port, public_only, secure), port) as raw, _cut_when_late(raw, late):
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(host, port)
        connection.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host) if secure else raw
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def _cut_when_late(raw: socket.socket, late: threading.Event) -> Iterator[None]:
    """Cut the connection when the whole takes too long: a time limit of a socket starts anew with each byte."""
    with raw.dup() as ours:  # TLS takes the other one over

        def cut() -> None:
            late.set()
            with suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)

        alarm = threading.Timer(WHOLE_SECONDS, cut)
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()


def _addresses(host: str, port: int, public_only: bool, secure: bool) -> Sequence[str]:
    """Resolve ``host`` and return where to connect; raise FeedBroken when any of it is not to be reached."""
    found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        one = _plain(ipaddress.ip_address(text.partition("%")[0]))
        if not secure and not one.is_loopback:
            raise FeedBroken("Only https reaches another machine; give the feed an https address.")
        if public_only and not one.is_global:
            raise FeedBroken(f"{host} is the private address {one}, which VAULT_FEEDS_PUBLIC_ONLY forbids.")
    return found


def _plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, else the address."""
    return getattr(address, "ipv4_mapped", None) or address


def _connect(addresses: Sequence[str], port: int) -> socket.socket:
    refused: OSError | None = None
    for one in addresses[:ADDRESSES]:
        try:
            raw = socket.create_connection((one, port), timeout=CONNECT_SECONDS)
            raw.settimeout(IDLE_SECONDS)
            return raw
        except OSError as error:
            refused = error
    raise refused or OSError("it has no address")


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
