"""Make a source, or a new secret for one, and print the secret once."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from core.commands import VaultCommand
from core.keys import PREFIX_LENGTH
from usage import sources
from usage.models.source import SOURCE_SCOPES

ACTOR = "system:create_source"


class Command(VaultCommand):
    help = "Create a source that reports usage, and print its secret once on a line of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", help="letters, digits, dots, dashes and underscores")
        parser.add_argument("--title", default="")
        parser.add_argument("--owner", default="", help="the team to call when it is silent")
        parser.add_argument("--past-days", type=int, default=35, help="how old an event may be (default: 35)")
        parser.add_argument("--scopes", help=f"what the secret may send, of {','.join(SOURCE_SCOPES)} (default: all)")
        parser.add_argument("--rotate", action="store_true", help="make a new secret; those it replaces end later")
        parser.add_argument("--overlap-hours", type=int, default=24, help="when they end (default: 24; 0: at once)")
        parser.add_argument("--revoke", metavar="PREFIX", help="end the secret that begins so, at once and for good")

    def handle(self, *args: Any, **options: Any) -> None:
        name, scopes = options["name"], options["scopes"].split(",") if options["scopes"] else None
        if options["revoke"]:
            prefix = options["revoke"].removeprefix("vs_")[:PREFIX_LENGTH]
            sources.revoke_credential(sources.find(name), prefix, actor=ACTOR, reason="revoked by command")
            self.emit({"source": name, "revoked": prefix}, f"The secret vs_{prefix}… works no more.", options)
            return
        if options["rotate"]:
            overlap = timedelta(hours=options["overlap_hours"])
            secret = sources.rotate(sources.find(name), actor=ACTOR, scopes=scopes, overlap=overlap)
        else:
            contract = {field: options[field] for field in ("title", "owner", "past_days")}
            _, secret = sources.create(name, actor=ACTOR, scopes=scopes or SOURCE_SCOPES, **contract)
        self.emit({"source": name, "prefix": secret.prefix, "secret": secret.text}, secret.text, options)
