"""Import a file of events through the intake, or say first what would become of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from usage import files, intake, pairing, reading, store
from usage.models import Source
from usage.window import ANY_PAST

BATCH: Final = 5_000
SHOWN: Final = 20


@dataclass(slots=True)
class Imported:
    """What became of a file's events, and the first refusals with their lines."""

    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: int = 0
    refusals: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.accepted + self.duplicate + self.conflict + self.rejected

    def add(self, answer: intake.Answer, lines: list[int]) -> None:
        for name in ("accepted", "duplicate", "conflict", "rejected"):
            setattr(self, name, getattr(self, name) + getattr(answer, name))
        for refusal in answer.refused[: SHOWN - len(self.refusals)]:
            self.refusals.append(
                {"line": lines[refusal.index], "id": refusal.id, "code": refusal.code, "detail": refusal.detail}
            )


def import_usage(
    path: Path, source: Source, *, dry_run: bool = False, progress: Callable[[int], None] = lambda done: None
) -> Imported:
    """Send a file's events as ``source``, ten years back if need be, and pair them; with ``dry_run`` store nothing.

    Safe to repeat, and to run again after it was killed: what is there already is a duplicate.
    """
    done = Imported()
    seen: dict[str, bytes] = {}
    with files.opened(path) as lines:
        for batch in _batches(files.records(lines)):
            read = reading.read("\n".join(record.text for record in batch).encode(), lines=True)
            if dry_run:
                answer = intake.preview(source, read, window=ANY_PAST, seen=seen)
            else:
                answer = intake.accept(source, read, window=ANY_PAST)
            done.add(answer, [record.line for record in batch])
            progress(done.total)
    if not dry_run:
        pairing.drain()
        store.analyze()
    return done


def _batches(records: Iterator[files.Record]) -> Iterator[list[files.Record]]:
    while batch := list(islice(records, BATCH)):
        yield batch
