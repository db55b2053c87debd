"""Make a source, or a new secret for one, and print the secret once."""

from typing import Any

from django.core.management.base import CommandParser

from core.commands import VaultCommand
from usage import sources

ACTOR = "system:create_source"


class Command(VaultCommand):
    help = "Create a source that reports usage, and print its secret once on a line of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", help="letters, digits, dots, dashes and underscores")
        parser.add_argument("--title", default="")
        parser.add_argument("--owner", default="", help="the team to call when it is silent")
        parser.add_argument("--past-days", type=int, default=35, help="how old an event may be (default: 35)")
        parser.add_argument("--rotate", action="store_true", help="make a new secret; the old one ends in a day")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        if options["rotate"]:
            secret = sources.rotate(sources.find(name), actor=ACTOR)
        else:
            contract = {field: options[field] for field in ("title", "owner", "past_days")}
            _, secret = sources.create(name, actor=ACTOR, **contract)
        self.emit({"source": name, "prefix": secret.prefix, "secret": secret.text}, secret.text, options)
