"""Where the things of usage are shown; a resource is an opaque text and may hold anything an address may not."""

from urllib.parse import quote


def resource_url(resource: str) -> str:
    """Return the address of a resource's time line."""
    return f"/usage/resources/{quote(resource, safe='')}/"


def source_url(name: str) -> str:
    """Return the address of a source."""
    return f"/sources/{quote(name, safe='')}/"


def event_url(source: str, event_id: str) -> str:
    """Return the address of an event's own page."""
    return f"/usage/events/{quote(source, safe='')}/{quote(event_id, safe='')}/"
