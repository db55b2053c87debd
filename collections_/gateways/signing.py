"""How the sandbox signs what it tells us: its name, the second and the body, under a secret of this installation."""

import hashlib
import hmac
import json
from typing import Final

from django.utils.crypto import salted_hmac

from collections_.gateways.protocol import Event
from core import clock
from core.errors import Invalid

HEADER: Final = "Sandbox-Signature"  # t=SECONDS,v1=HEX
TOLERANCE: Final = 300  # seconds; an older message was recorded by somebody and is sent again


def sign(body: bytes, *, at: int) -> str:
    """Return the header's value for ``body``, sent at ``at`` (seconds since 1970)."""
    return f"t={at},v1={_digest(body, at)}"


def check(body: bytes, signature: str) -> None:
    """Raise Invalid unless ``signature`` is the sandbox's of this body, and fresh."""
    parts = dict(part.split("=", 1) for part in signature.split(",") if "=" in part)
    at = parts.get("t", "")
    if not (at.isascii() and at.isdigit() and len(at) <= 12):
        raise Invalid("This is not signed as the sandbox signs", field=HEADER)
    if not hmac.compare_digest(_digest(body, int(at)).encode(), parts.get("v1", "").encode()):
        raise Invalid("The signature is not the sandbox's", field=HEADER)
    if abs(clock.now().timestamp() - int(at)) > TOLERANCE:
        raise Invalid("The signature is too old; send the event again, freshly signed", field=HEADER)


def event(identity: str, kind: str, about: str) -> bytes:
    """Return the body of an event as the sandbox writes it."""
    return json.dumps({"id": identity, "kind": kind, "about": about}).encode()


def parse(body: bytes) -> Event:
    """Read what ``event`` writes; raise Invalid for anything else."""
    try:
        said = json.loads(body)
        fields = [said[name] for name in ("id", "kind", "about")]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Invalid("An event is a JSON object with id, kind and about", field="body") from error
    if not all(isinstance(value, str) and 0 < len(value) <= 200 and "\0" not in value for value in fields):
        raise Invalid("id, kind and about are texts of 1 to 200 characters", field="body")
    return Event(*fields)


def _digest(body: bytes, at: int) -> str:
    key = salted_hmac("collections.sandbox", "webhook", algorithm="sha256").digest()
    return hmac.new(key, b"%d." % at + body, hashlib.sha256).hexdigest()
