"""What a person or a program says anew about a resource, read as events by the rules of intake. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from core.errors import Invalid
from usage import careful_reading
from usage.reported import ReportedEvent

SAID: Final = ("type", "time", "product", "meter", "quantity", "component", "app", "account")
PLACEHOLDER: Final = "amendment"  # events of an amendment are named by it


def events(resource: str, said: Sequence[object], *, meter: str = "") -> list[ReportedEvent]:
    """Return the events that ``said`` tells of ``resource``; raise Invalid that names the event and its field.

    Each is an object with the fields of SAID, of which only type, time and product are always needed; ``meter`` is
    taken where an event names none. Empty texts count as not said.
    """
    return [_event(index, resource, meter, one) for index, one in enumerate(said)]


def _event(index: int, resource: str, meter: str, one: object) -> ReportedEvent:
    where = f"events[{index}]"
    if not isinstance(one, Mapping):
        raise Invalid(f"{where} must be an object.", field=where)
    for name in one:
        if name not in SAID:
            raise Invalid(f"{where}.{str(name)[:40]} is not a field of a corrected event; leave it out.", field=where)
    told = {name: value for name, value in one.items() if value not in ("", None)}
    whole = {"meter": meter} | told if meter else told
    if "quantity" in whole and not isinstance(whole["quantity"], str):
        whole["quantity"] = careful_reading.Number(whole["quantity"])
    try:
        return careful_reading.event(index, whole | {"id": PLACEHOLDER, "resource": resource})
    except careful_reading.Problem as problem:
        field = f"{where}.{problem.field}" if problem.field else where
        raise Invalid(f"{where}: {problem.detail}", field=field) from problem
