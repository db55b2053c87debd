"""``manage.py doctor``: look at everything an operator checks first and say what to do."""

import sys
from typing import Any

from core.commands import VaultCommand
from monitoring import doctor


class Command(VaultCommand):
    help = "Check database, migrations, cache, PDF libraries, folders and workers; exit 1 when something needs you."

    def handle(self, *args: Any, **options: Any) -> None:
        symptoms = doctor.examine()
        lines = [
            f"{'ok ' if s.well else 'BAD'}  {s.name}: {s.finding}{' → ' + s.remedy if s.remedy else ''}"
            for s in symptoms
        ]
        result = {
            "symptoms": [{"name": s.name, "well": s.well, "finding": s.finding, "remedy": s.remedy} for s in symptoms]
        }
        self.emit(result, "\n".join(lines), options)
        if not all(symptom.well for symptom in symptoms):
            sys.exit(1)
