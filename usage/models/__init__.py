"""The usage store: no foreign key leaves it; accounts and products are named by their codes."""

from usage.models.amendment import Amendment
from usage.models.archive import ArchiveState, MonthArchive
from usage.models.event import Event, EventKey, EventType, Unpaired
from usage.models.feed import Feed
from usage.models.interval import Interval, PairingProblem, PastProblem, ProblemKind
from usage.models.manifest import HourFold, HourTotal, Manifest, ManifestSum
from usage.models.ownership import Ownership
from usage.models.quarantine import QuarantinedEvent, QuarantineState
from usage.models.source import Source, SourceCredential, SourceState

__all__ = [
    "Amendment",
    "ArchiveState",
    "Event",
    "EventKey",
    "EventType",
    "Feed",
    "HourFold",
    "HourTotal",
    "Interval",
    "Manifest",
    "ManifestSum",
    "MonthArchive",
    "Ownership",
    "PairingProblem",
    "PastProblem",
    "ProblemKind",
    "QuarantineState",
    "QuarantinedEvent",
    "Source",
    "SourceCredential",
    "SourceState",
    "Unpaired",
]
