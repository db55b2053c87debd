#!/usr/bin/env python
"""Vault's command line: every operator's verb is a subcommand of this file."""

import os
import sys


def main() -> None:
    """Run one management command; expected mistakes end in a sentence, never a traceback."""
    if sys.argv[1:] == ["quote"]:  # needs no settings, no database and no second to start
        from billing.quoting import main_of_process

        sys.exit(main_of_process())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vault.settings")
    from core.commands import run_from_command_line

    sys.exit(run_from_command_line(sys.argv))


if __name__ == "__main__":
    main()
