"""Make a key for a program and print it, once, on a line of its own."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from accounts import enrolling, minting, registering
from core import clock
from core.commands import VaultCommand
from core.errors import Invalid

ACTOR = "system:create_api_key"


class Command(VaultCommand):
    help = "Make an API key of an account, or of a member of staff, and print it once on a line of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("account", nargs="?", help="the account whose data the key sees")
        parser.add_argument("--user", help="instead: the member of staff whose role the key has")
        parser.add_argument("--scopes", required=True, help="comma-separated, for example usage:read,invoices:read")
        parser.add_argument("--name", default="")
        parser.add_argument("--expires", type=int, metavar="DAYS", help="days until it ends (default: never)")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["account"]) == bool(options["user"]):
            raise Invalid("Name an account, or a member of staff by --user, but not both.", field="account")
        if options["expires"] is not None and not 1 <= options["expires"] <= 3650:
            raise Invalid("A key ends after 1 to 3650 days.", field="expires")
        expires_at = clock.now() + timedelta(days=options["expires"]) if options["expires"] else None
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        terms = {"scopes": scopes, "actor": ACTOR, "name": options["name"], "expires_at": expires_at}
        if options["user"]:
            secret = minting.for_staff(enrolling.find(options["user"]), **terms)
        else:
            secret = minting.for_account(registering.find(options["account"]), **terms)
        self.emit({"prefix": secret.prefix, "key": secret.text, "scopes": scopes}, secret.text, options)
