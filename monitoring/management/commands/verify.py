"""``manage.py verify``: run every invariant query and say what they found."""

import sys
from typing import Any

from django.core.management.base import CommandParser

from core.commands import VaultCommand
from monitoring import verifying
from monitoring.invariants import Finding


class Command(VaultCommand):
    help = "Run every invariant query; exit 1 and list the findings when one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--deep", action="store_true", help="also read every archived event again")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = verifying.verify(deep=options["deep"], progress=self.progress)
        broken = [finding for finding in findings if not finding.holds]
        self.emit(_as_json(findings), _as_text(findings, broken), options)
        if broken:
            sys.exit(1)


def _as_text(findings: list[Finding], broken: list[Finding]) -> str:
    lines = [line for finding in broken for line in _describe(finding)]
    verdict = "all hold" if not broken else f"{len(broken)} broken"
    seconds = sum(finding.seconds for finding in findings)
    return "\n".join([*lines, f"{len(findings)} invariants checked in {seconds:.1f} s: {verdict}."])


def _describe(finding: Finding) -> list[str]:
    more = " and more" if finding.more else ""
    head = f"{finding.invariant.code} {finding.invariant.sentence} BROKEN ({finding.invariant.name})"
    rows = [
        "    " + ", ".join(f"{name}={value}" for name, value in zip(finding.columns, row, strict=True))
        for row in finding.rows
    ]
    return [f"{head}: {len(finding.rows)} rows{more}", *rows]


def _as_json(findings: list[Finding]) -> dict[str, Any]:
    return {
        "checked": len(findings),
        "broken": sum(not finding.holds for finding in findings),
        "invariants": [
            {
                "code": finding.invariant.code,
                "name": finding.invariant.name,
                "sentence": finding.invariant.sentence,
                "holds": finding.holds,
                "seconds": round(finding.seconds, 3),
                "rows": [dict(zip(finding.columns, map(str, row), strict=True)) for row in finding.rows],
            }
            for finding in findings
        ],
    }
