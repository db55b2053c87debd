"""Import a file of events through the intake, or say first what would become of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from core.errors import Invalid
from usage import files, intake, pairing, reading, store
from usage.models import Source
from usage.window import ANY_PAST

BATCH: Final = 5_000
KEPT: Final = 1_000  # refusals that are listed; all are counted


@dataclass(slots=True)
class Imported:
    """What became of a file's events; how many were refused for which reason, and the first of them by line."""

    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    refusals: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.accepted + self.duplicate + self.conflict + self.rejected

    @property
    def refused(self) -> int:
        return self.conflict + self.rejected

    def add(self, answer: intake.Answer, lines: list[int]) -> None:
        for name in ("accepted", "duplicate", "conflict", "rejected"):
            setattr(self, name, getattr(self, name) + getattr(answer, name))
        for refusal in answer.refused:
            self.reasons[refusal.code] = self.reasons.get(refusal.code, 0) + 1
        for refusal in answer.refused[: KEPT - len(self.refusals)]:
            self.refusals.append(
                {"line": lines[refusal.index], "id": refusal.id, "code": refusal.code, "detail": refusal.detail}
            )


def import_usage(
    path: Path, source: Source, *, dry_run: bool = False, progress: Callable[[int], None] = lambda done: None
) -> Imported:
    """Send a file's events as ``source``, ten years back if need be, and pair them; with ``dry_run`` store nothing.

    Safe to repeat, and to run again after it was killed: what is there already is a duplicate. Raises Invalid for a
    file that is damaged, and says how much of it was imported until there.
    """
    done = Imported()
    try:
        with files.opened(path) as lines:
            _send(files.records(lines), source, dry_run, done, progress)
    except Invalid as error:
        if dry_run or not done.total:
            raise
        _settle()
        before = (
            f"The {done.total:,} events before it went in; mend the file and import all of it again, which is safe."
        )
        raise Invalid(f"{error} {before}", field=error.field) from error
    if not dry_run:
        _settle()
    return done


def _settle() -> None:
    pairing.drain()
    store.analyze()


def _send(
    records: Iterator[files.Record], source: Source, dry_run: bool, done: Imported, progress: Callable[[int], None]
) -> None:
    seen: dict[str, bytes] = {}
    for batch in _batches(records):
        read = reading.read("\n".join(record.text for record in batch).encode(), lines=True)
        if dry_run:
            answer = intake.preview(source, read, window=ANY_PAST, seen=seen)
        else:
            answer = intake.accept(source, read, window=ANY_PAST)
        done.add(answer, [record.line for record in batch])
        progress(done.total)


def _batches(records: Iterator[files.Record]) -> Iterator[list[files.Record]]:
    while batch := list(islice(records, BATCH)):
        yield batch
