"""Give a source a feed, change it, try it again, remove it; or say how it stands."""

from typing import Any

from django.core.management.base import CommandParser

from core.commands import VaultCommand
from usage import feeds, sources

ACTOR = "system:feed"


class Command(VaultCommand):
    help = "Read a source's own feed by cursor, or stop to. Without options: say how its feed stands."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("source", help="the source whose events they are")
        parser.add_argument("--url", help="where the feed is; https, unless it is on this machine")
        parser.add_argument("--page-size", type=int, help="events asked for at a time (1,000)")
        parser.add_argument("--margin", type=int, dest="margin_seconds", help="seconds that a record must be old (300)")
        parser.add_argument("--every", type=int, dest="every_seconds", help="seconds between readings (60)")
        parser.add_argument("--from", dest="cursor", help="begin anew behind this cursor ('': at the beginning)")
        parser.add_argument("--try-again", action="store_true", help="read it now, though it was given up or waits")
        parser.add_argument("--remove", action="store_true", help="read it no more; what it brought stays")

    def handle(self, *args: Any, **options: Any) -> None:
        source = sources.find(options["source"])
        terms = {name: options[name] for name in ("url", "page_size", "margin_seconds", "every_seconds", "cursor")}
        if options["remove"]:
            feeds.remove(source, actor=ACTOR)
            self.emit({"source": source.name, "feed": None}, f"{source.name} is read no more.", options)
            return
        if any(value is not None for value in terms.values()):
            feed = feeds.put(source, actor=ACTOR, **terms)
        else:
            feed = feeds.try_again(source, actor=ACTOR) if options["try_again"] else feeds.of(source)
        standing = {"source": source.name, "token": feeds.token_name(source.name)} | feeds.standing(feed)
        self.emit(standing, "\n".join(f"{name}: {value}" for name, value in standing.items()), options)
