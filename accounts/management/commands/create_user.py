"""Let somebody in: staff with a role, or a customer as a member of an account."""

import secrets
import sys
from typing import Any

from django.core.management.base import CommandParser

from accounts import enrolling, registering
from accounts.models import Membership, MembershipRole, Role
from core.audit import acting
from core.commands import VaultCommand
from core.errors import Invalid

ACTOR = "system:create_user"


class Command(VaultCommand):
    help = "Create somebody who signs in; a password is made and printed on a line of its own unless one is given."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("email")
        parser.add_argument("--role", default="", choices=Role.values, help="of a member of staff; none: a customer")
        parser.add_argument("--account", help="make them a member of this account")
        parser.add_argument("--member", default=MembershipRole.OWNER, choices=MembershipRole.values)
        parser.add_argument("--name", default="")
        parser.add_argument("--superuser", action="store_true", help="may also edit reference data in /admin/")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from the first line given")

    def handle(self, *args: Any, **options: Any) -> None:
        given = options["password_stdin"]
        password = self._read_password() if given else secrets.token_urlsafe(12)
        with acting(ACTOR):
            account = registering.find(options["account"]) if options["account"] else None
            user = enrolling.create(
                options["email"], role=options["role"], password=password, name=options["name"], actor=ACTOR
            )
            if options["superuser"]:
                user.is_staff = user.is_superuser = True
                user.save(update_fields=["is_staff", "is_superuser"])
            if account:
                Membership.objects.create(account=account, user=user, role=options["member"])
        result = {"email": user.email, "role": user.role, "account": account.code if account else None}
        shown = {} if given else {"password": password}
        self.emit(result | shown, "\n".join([f"{user.email} can sign in.", *shown.values()]), options)

    def _read_password(self) -> str:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise Invalid("No password arrived on standard input; give it as its first line.", field="password")
        return password
