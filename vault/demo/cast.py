"""Who works at the demo platform, and which of its customers may sign in. Pure data."""

from dataclasses import dataclass
from typing import Final

SEED: Final = 2026
TENANTS: Final = 60
SOURCE: Final = "demo-platform"


@dataclass(frozen=True, slots=True)
class Member:
    """Someone who can sign in; ``role`` is empty for a customer."""

    email: str
    name: str
    role: str


OPENER: Final = Member("ada@platform.example", "Ada Okafor", "finance")
APPROVER: Final = Member("grace@platform.example", "Grace Lindqvist", "finance")
STAFF: Final = (
    OPENER,
    APPROVER,
    Member("sam@platform.example", "Sam Reyes", "support"),
    Member("cleo@platform.example", "Cleo Marchetti", "collections"),
    Member("omar@platform.example", "Omar Haddad", "operator"),
    Member("iris@platform.example", "Iris Novak", "auditor"),
)
OWNER: Final = Member("owner@customer.example", "Jo Tanaka", "")
VIEWER: Final = Member("viewer@customer.example", "Lee Brandt", "")
