"""``manage.py quote``: price a usage given as JSON on stdin; answers as JSON on stdout, without a database."""

import sys
from typing import Any

from billing.quoting import main
from core.commands import VaultCommand


class Command(VaultCommand):
    """Reached only with options such as --help; a bare ``quote`` is answered by manage.py before Django loads."""

    help = (
        "Price any usage under a price given inline, without a database. Reads JSON from stdin, for example "
        '{"currency": "USD", "price": {"model": "per_unit", "unit_amount": "7"}, "quantity": "6"}, and answers with '
        "amount, unrounded, rounding and steps. See docs/algorithms. A mistake gives exit 2 and a sentence."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Answer one request and exit."""
        sys.exit(main(sys.stdin.buffer, sys.stdout, sys.stderr))
