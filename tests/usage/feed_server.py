"""A real feed over HTTP that misbehaves on request: late, cut, oversized, lost in its order, or simply down."""

import json
import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = Callable[["Request"], None]


@dataclass
class Feed:
    """Records in the feed's order with the moment each was recorded, and what goes wrong with which request.

    ``script`` holds misbehaviours for the coming requests; with ``odds`` others come up by ``seed``.
    """

    records: list[tuple[dict[str, Any], float]] = field(default_factory=list)
    honours_min_age: bool = True
    token: str = ""
    script: list[str] = field(default_factory=list)
    odds: float = 0
    menu: tuple[str, ...] = ()
    seed: int = 1
    asked: list[dict[str, str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    certificate: str = ""
    port: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self._lock = threading.Lock()
        self.closing = threading.Event()

    def add(self, *events: dict[str, Any], age: float = 86_400, at: int | None = None) -> None:
        """Record events ``age`` seconds ago, at the end or at a place of the order."""
        place = len(self.records) if at is None else at
        self.records[place:place] = [(event, time.time() - age) for event in events]

    def settle(self) -> None:
        """Let every record be a day old."""
        self.records = [(event, time.time() - 86_400) for event, _ in self.records]

    @property
    def url(self) -> str:
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://{'localhost' if self.certificate else '127.0.0.1'}:{self.port}/feed?topic=dynos"

    def start(self) -> "Feed":
        feed = self

        class Handler(Request):
            served = feed

        self.closing.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def next_misbehaviour(self) -> str:
        with self._lock:
            if self.script:
                chosen = self.script.pop(0)
            elif self.odds and self.chance.random() < self.odds:
                chosen = self.chance.choice(self.menu)
            else:
                chosen = ""
            self.happened[chosen or "page"] += 1
            return chosen

    def page(self, after: str, limit: int, min_age: float) -> dict[str, Any]:
        start = int(after or 0)
        until = time.time() - (min_age if self.honours_min_age else 0)
        settled = 0
        while settled < len(self.records) and self.records[settled][1] <= until:
            settled += 1
        end = min(start + limit, settled)
        events = [event for event, _ in self.records[start:end]]
        return {"events": events, "next": str(max(start, end)), "more": end < settled}


class Request(BaseHTTPRequestHandler):
    """One request; each misbehaviour is a method of its name."""

    served: Feed
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query, True).items()}
        self.served.asked.append(asked)
        self.served.authorizations.append(self.headers.get("Authorization", ""))
        self.asked = asked
        self.close_connection = True
        if self.served.token and self.headers.get("Authorization") != f"Bearer {self.served.token}":
            return self.send(b"{}", status=401)
        misbehave = self.served.next_misbehaviour()
        return getattr(self, misbehave or "behave")()

    def page(self, **other: Any) -> dict[str, Any]:
        asked = self.asked | other
        return self.served.page(asked["after"], int(asked["limit"]), float(asked["min_age"]))

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.head(status, {"Content-Length": str(len(body))} | headers)
        self.wfile.write(body)

    def head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Connection": "close"} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def behave(self) -> None:
        self.send(json.dumps(self.page()).encode())

    def failing(self) -> None:
        self.send(b"<h1>Internal error</h1>", status=500)

    def busy(self) -> None:
        self.send(b"", status=503, Retry_After="900")

    def silent(self) -> None:
        self.served.closing.wait(3)

    def hang_up(self) -> None:
        """Close without a word."""

    def cut(self) -> None:
        body = json.dumps(self.page()).encode()
        self.head(200, {"Content-Length": str(len(body))})
        self.wfile.write(body[: len(body) // 2])

    def cut_chunk(self) -> None:
        body = json.dumps(self.page()).encode()
        self.head(200, {"Transfer-Encoding": "chunked"})
        self.wfile.write(b"%x\r\n" % len(body) + body[: len(body) // 2])

    def chunked(self) -> None:
        """Quite right, only written otherwise."""
        body = json.dumps(self.page()).encode()
        self.head(200, {"Transfer-Encoding": "chunked"})
        for part in (body[:100], body[100:]):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if part else b"")
        self.wfile.write(b"0\r\n\r\n")

    def endless_cut(self) -> None:
        """A body without a length that ends too early."""
        self.head(200, {})
        self.wfile.write(json.dumps(self.page()).encode()[:-1])

    def garbage(self) -> None:
        self.send(b'{"events": [{"id": \xff\xfe')

    def nested(self) -> None:
        self.send(b'{"events": [' + b"[" * 100_000 + b"]" * 100_000 + b'], "next": "9"}')

    def html(self) -> None:
        self.send(b"<!doctype html><title>Sign in</title>")

    def no_next(self) -> None:
        self.send(json.dumps(self.page() | {"next": None}).encode())

    def number_next(self) -> None:
        self.send(json.dumps(self.page() | {"next": 7}).encode())

    def odd_next(self) -> None:
        self.send(json.dumps(self.page() | {"next": "7\0\ud800"}).encode())

    def long_next(self) -> None:
        self.send(json.dumps(self.page() | {"next": "7" * 5000}).encode())

    def stuck(self) -> None:
        """The right events, and no way on from them."""
        self.send(json.dumps(self.page() | {"next": self.asked["after"], "more": True}).encode())

    def backwards(self) -> None:
        """The right events, and a cursor that leads to the beginning."""
        self.send(json.dumps(self.page() | {"next": "", "more": True}).encode())

    def back(self) -> None:
        """The right events, and the cursor of an earlier place under another name, as nobody can tell."""
        self.send(json.dumps(self.page() | {"next": "000", "more": True}).encode())

    def earlier(self) -> None:
        """The page before, whole and with its own cursor."""
        size = int(self.asked["limit"])
        self.send(json.dumps(self.page(after=str(max(0, int(self.asked["after"] or 0) - size)))).encode())

    def too_many(self) -> None:
        self.send(json.dumps(self.page(limit="1000000")).encode())

    def huge(self) -> None:
        self.send(b'{"events": [], "next": "9", "padding": "' + b"x" * 9_000_000 + b'"}')

    def huge_without_a_length(self) -> None:
        self.head(200, {})
        self.wfile.write(b'{"events": [], "next": "9", "padding": "' + b"x" * 9_000_000 + b'"}')

    def drip(self) -> None:
        """A slow loris: always a byte in time, never a page."""
        self.head(200, {"Content-Length": "100000"})
        self._drip(b" ")

    def drip_heading(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self._drip(b"x")

    def _drip(self, byte: bytes) -> None:
        while not self.served.closing.wait(0.05):
            self.wfile.write(byte)
            self.wfile.flush()

    def zipped(self) -> None:
        self.send(b"\x1f\x8b\x08", Content_Encoding="gzip")

    def away(self) -> None:
        self.send(b"", status=302, Location="http://elsewhere.example/feed")

    def shuffled(self) -> None:
        page = self.page()
        random.Random(3).shuffle(page["events"])
        self.send(json.dumps(page).encode())

    def twice(self) -> None:
        """Every event of the page two times, as far as the page may hold them; the rest is on the next."""
        half = self.page(limit=str(max(1, int(self.asked["limit"]) // 2)))
        doubled = (half["events"] * 2)[: int(self.asked["limit"])]
        self.send(json.dumps(half | {"events": doubled}).encode())

    def nothing_yet(self) -> None:
        """An empty page that says there is more, as a feed that filters does."""
        page = self.page(limit="0")
        self.send(json.dumps(page | {"next": f"0{self.asked['after']}", "more": True}).encode())

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # whoever asked went away, which is what a slow feed is for
            return
