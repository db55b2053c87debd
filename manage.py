#!/usr/bin/env python
"""Vault's command line: every operator's verb is a subcommand of this file."""

import os
import sys


def main() -> None:
    """Run one management command; expected mistakes end in a sentence, never a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vault.settings")
    from core.commands import run_from_command_line

    sys.exit(run_from_command_line(sys.argv))


if __name__ == "__main__":
    main()
