"""Connections to addresses that somebody entered: only where they may go, and never longer than they may take.

Plain HTTP reaches this machine only. A name is resolved once, and what was checked is what is connected to, so that no
second answer of a name server leads elsewhere.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

CONNECT_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 10.0  # without a byte
ADDRESSES: Final = 2  # that are tried
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unreachable(Exception):
    """An address that is not connected to; the text says why in a sentence."""


def refusal(url: str) -> str:
    """Return why ``url`` can never be called, in a sentence; empty when it can."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"This is no address ({error})."
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "Give a whole address, like https://metering.example.com/feed."
    if parts.username or parts.password:
        return "Leave user and password out of the address."
    if parts.scheme == "http" and not _here(parts.hostname):
        return "Only https reaches another machine; give an https address."
    if not url.isascii() or not url.isprintable() or " " in url:
        return "An address is made of plain ASCII characters; escape the others."
    return ""


@contextmanager
def connected(
    url: str, late: threading.Event, *, seconds: float, public_only: bool = False
) -> Iterator[http.client.HTTPConnection]:
    """Connect for at most ``seconds`` in all, however steadily the other side drips; then ``late`` is set.

    Raises Unreachable for an address that must not be reached (with ``public_only`` any private one), else OSError.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    with _connect(_addresses(host, port, public_only, secure), port) as raw, _cut_when_late(raw, late, seconds):
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(host, port)
        connection.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host) if secure else raw
        try:
            yield connection
        finally:
            connection.close()


def target(url: str) -> str:
    """Return what a request line asks for: path and query."""
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _here(host: str) -> bool:
    """Whether ``host`` names this machine without asking anybody."""
    try:
        return _plain(ipaddress.ip_address(host)).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _cut_when_late(raw: socket.socket, late: threading.Event, seconds: float) -> Iterator[None]:
    """Cut the connection when the whole takes too long: a time limit of a socket starts anew with each byte."""
    with raw.dup() as ours:  # TLS takes the other one over

        def cut() -> None:
            late.set()
            with suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)

        alarm = threading.Timer(seconds, cut)
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()


def _addresses(host: str, port: int, public_only: bool, secure: bool) -> Sequence[str]:
    """Resolve ``host`` and return where to connect; raise Unreachable when any of it is not to be reached."""
    found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        one = _plain(ipaddress.ip_address(text.partition("%")[0]))
        if not secure and not one.is_loopback:
            raise Unreachable("Only https reaches another machine; give an https address.")
        if public_only and not one.is_global:
            raise Unreachable(f"{host} is the private address {one}, which is not to be reached from here.")
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
