"""A real, very small mail server for tests: takes what it is given, or refuses as it is told."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Mailbox(socketserver.ThreadingTCPServer):
    """Listens on a free local port; ``received`` holds each message as text."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.received: list[str] = []
        self.answer_to_data = "250 kept"  # empty: hang up without an answer after the message
        self.answers_to_data: list[str] = []  # those of the first messages, before that one

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class Conversation(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self.say("220 mailbox")
        while line := self.rfile.readline().decode(errors="replace"):
            verb = line[:4].upper()
            if verb == "DATA":
                self.say("354 go on")
                self.server.received.append("".join(iter(self.next_line, ".\r\n")))
                waiting = self.server.answers_to_data
                answer = waiting.pop(0) if waiting else self.server.answer_to_data
                if not answer:
                    return
                self.say(answer)
                if answer.startswith("421"):
                    return
            else:
                self.say("221 bye" if verb == "QUIT" else "250 ok")

    def next_line(self) -> str:
        return self.rfile.readline().decode(errors="replace") or ".\r\n"

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server for the time of the block."""
    with Mailbox() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
