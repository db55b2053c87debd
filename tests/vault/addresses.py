"""Every address of the house, read from the resolver itself, so that none can be forgotten."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def routes() -> dict[str, str]:
    """Return every route's template by its name; Django's own admin is one site with a door of its own."""
    found: dict[str, str] = {}
    for template, name in _walk(get_resolver(), ""):
        if not template.startswith("admin/"):
            assert name and name not in found, f"{template} needs a name that no other route has"
            found[name] = template
    return found


def filled(template: str, names: Mapping[str, Mapping[str, Any]]) -> str:
    """Return an address in which every parameter names something that exists."""
    prefixes = [prefix for prefix in names if template.startswith(prefix)]
    values: dict[str, Any] = {}
    for prefix in sorted(prefixes, key=len):
        values |= names[prefix]
    missing = set(PARAMETER.findall(template)) - values.keys()
    assert not missing, f"{template}: let tests/vault/platform.py name a thing for {missing}"
    return "/" + PARAMETER.sub(lambda match: str(values[match[1]]), template)


def _walk(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, str]]:
    for pattern in resolver.url_patterns:
        template = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, template)
        elif isinstance(pattern, URLPattern):
            yield template, str(pattern.name or "")
