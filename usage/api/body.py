"""The body of an intake request, never larger than it may be: neither on the wire nor unpacked."""

import zlib
from typing import Final

from django.http import HttpRequest
from django.http.request import UnreadablePostError

from core.errors import VaultError

LONGEST: Final = 8 * 1024 * 1024  # bytes, packed and unpacked
LINES: Final = ("ndjson", "jsonl", "json-lines")  # words of a media type that say: one event a line
TOO_LARGE: Final = "A request carries at most 8 MiB, unpacked too; send several requests."


class TooLarge(VaultError):
    """More bytes than a request may carry."""

    code = "body_too_large"
    status = 413


class LengthRequired(VaultError):
    """Neither a length nor a server that can tell where the body ends."""

    code = "length_required"
    status = 411


class UnknownEncoding(VaultError):
    """Packed in a way that is not gzip."""

    code = "unknown_encoding"
    status = 415


class Damaged(VaultError):
    """The body did not arrive whole."""

    code = "body_damaged"


def read(request: HttpRequest) -> bytes:
    """Return the request's body, unpacked; raise TooLarge before reading more than may be."""
    body = _received(request)
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return unpacked(body)
    if encoding not in ("", "identity"):
        raise UnknownEncoding(f"The encoding {encoding!r:.40} is not known; send gzip or plain JSON.")
    return body


def is_lines(request: HttpRequest) -> bool:
    """Whether the media type says that there is one event a line."""
    return any(word in (request.content_type or "").lower() for word in LINES)


def _received(request: HttpRequest) -> bytes:
    stream = request
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        if not request.META.get("wsgi.input_terminated"):
            raise LengthRequired("Send a Content-Length; this server cannot tell where a chunked body ends.")
        stream = request.META["wsgi.input"]
    elif int(request.META.get("CONTENT_LENGTH") or 0) > LONGEST:
        raise TooLarge(TOO_LARGE)
    try:
        body = stream.read(LONGEST + 1)
    except (UnreadablePostError, OSError) as error:
        raise Damaged("The body broke off; send it again.") from error
    if len(body) > LONGEST:
        raise TooLarge(TOO_LARGE)
    return body


def unpacked(body: bytes) -> bytes:
    """Unpack gzip, one member after the other, and stop at the first byte too many."""
    whole = b""
    try:
        while body:
            member = zlib.decompressobj(wbits=31)
            whole += member.decompress(body, LONGEST + 1 - len(whole))
            if len(whole) > LONGEST:
                raise TooLarge(TOO_LARGE)
            if not member.eof:
                raise Damaged("The gzip body breaks off; send it again.")
            body = member.unused_data
    except zlib.error as error:
        raise Damaged(f"The body is not gzip ({error}).") from error
    return whole
