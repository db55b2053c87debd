"""CloudEvents 1.0 as plain events: ``subject`` is the resource, the type's last word the kind, the rest is in data."""

from collections.abc import Mapping
from typing import Any, Final

from core.errors import Invalid
from core.fields import kind

SPECVERSION: Final = "specversion"
IN_DATA: Final = ("product", "app", "account", "meter", "component", "quantity")


def plain(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain event that a CloudEvent stands for; raise Invalid when it is not one of version 1.

    Context attributes that we do not know are passed over, as the specification asks; a field of ``data`` that we
    do not know is kept, for whoever reads the plain event to refuse.
    """
    if str(event[SPECVERSION]) != "1.0":
        raise Invalid("specversion must be 1.0.", field=SPECVERSION)
    if "data_base64" in event:
        raise Invalid("data must be a JSON object, not data_base64.", field="data_base64")
    data = event.get("data") or {}
    if not isinstance(data, Mapping):
        raise Invalid(f"data must be an object; it is {kind(data)}.", field="data")
    taken = sorted(set(data) - set(IN_DATA))
    if taken and taken[0] in ("id", "type", "time", "resource"):
        raise Invalid(f"{taken[0]} belongs to the CloudEvent itself, not to its data.", field="data")
    word = event.get("type")
    return {
        **data,
        "id": event.get("id"),
        "type": word.rpartition(".")[2] if isinstance(word, str) else word,
        "time": event.get("time"),
        "resource": event.get("subject"),
    }
