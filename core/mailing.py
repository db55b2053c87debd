"""Mail: queued as a row with the fact it is about, sent by a worker, at most once unless a person asks again."""

import os
import smtplib
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.db import transaction

from core import bell, clock, leases
from core.errors import Conflict
from core.failpoints import failpoint
from core.models import Mail, WorkState

SEND_TASK: Final = "core.mailing.send_waiting"
LARGEST_ATTACHMENT: Final = 10 * 1024 * 1024  # bytes; servers refuse what is much larger
LONGEST_ADDRESS: Final = 254
LEASE_SECONDS: Final = 120
TASK_SECONDS: Final = 60  # then the task ends and rings again, well before the queue's own time limit
MAY_HAVE_ARRIVED: Final = (
    "The process died, or the server gave no answer, while this mail was handed over: it may have arrived."
    " Ask the recipient, or send it again."
)


def queue(
    *,
    kind: str,
    reference: str,
    recipient: str,
    subject: str,
    text: str,
    account_code: str = "",
    attachment_path: str = "",
    attachment_name: str = "",
) -> None:
    """Queue one mail in the running transaction; a second one of the same kind and reference is dropped.

    It never fails for what a customer wrote: control characters in the subject become spaces, and an address that
    is none gives a dead row that says so.
    """
    problem = _problem_with(recipient)
    mail = Mail(
        kind=kind,
        reference=reference,
        recipient=recipient[:LONGEST_ADDRESS],
        subject=_one_line(subject),
        text=text,
        account_code=account_code,
        attachment_path=attachment_path,
        attachment_name=_one_line(attachment_name)[:200],
        state=WorkState.DEAD if problem else WorkState.READY,
        last_error=problem,
    )
    Mail.objects.bulk_create([mail], ignore_conflicts=True)
    if not problem and bell.waiting("mail") < bell.ENOUGH_WAITING:  # one bell makes a worker send all there is
        bell.ring(SEND_TASK, cluster="mail")


def send_waiting() -> int:
    """Send waiting mail for up to a minute; safe to run twice and beside itself. Return how many were sent.

    When more is waiting it rings for the next minute.
    """
    sent, until = 0, time.monotonic() + TASK_SECONDS
    connection = get_connection()
    try:
        while batch := leases.claim(Mail, limit=1, seconds=LEASE_SECONDS):
            sent += _send(batch[0], connection)
            if time.monotonic() > until:
                bell.ring(SEND_TASK, cluster="mail")
                break
    finally:
        connection.close()
    return sent


def send_again(mail_id: int, *, actor: str) -> None:
    """Send a mail that is dead, or that was sent before, once more. Raises Conflict while it is still waiting."""
    changed = Mail.objects.filter(pk=mail_id, state__in=[WorkState.DEAD, WorkState.DONE]).update(
        state=WorkState.READY,
        attempts=0,
        last_error="",
        handed_over_at=None,
        sent_again_by=actor,
        run_after=clock.database_now(),
    )
    if not changed:
        raise Conflict("This mail is still waiting to be sent; there is nothing to send again.")
    bell.ring(SEND_TASK, cluster="mail")


def sweep() -> None:
    """Ring for mail whose doorbell was lost or whose next try has come."""
    bell.ring_for_due(Mail, SEND_TASK, cluster="mail")


def _send(mail: Mail, connection: BaseEmailBackend) -> bool:
    """Hand one claimed mail over. Who finds a hand-over without an outcome does not repeat it."""
    if mail.handed_over_at is not None:
        return _give_up(mail, MAY_HAVE_ARRIVED)
    try:
        message = _compose(mail)
        connection.open()
        _mark(mail, connection)
    except Exception as error:  # nothing left the house: it waits for its next try, the reason is on its row
        leases.give_back(mail, leases.reason(error))
        return False
    return _hand_over(mail, message, connection)


def _hang_up(connection: BaseEmailBackend) -> None:
    """Let go of a connection that failed, so that the next mail opens its own instead of failing on this one."""
    with suppress(Exception):  # it is broken: what it says to a farewell is no news
        connection.close()


def _hand_over(mail: Mail, message: EmailMessage, connection: BaseEmailBackend) -> bool:
    try:
        failpoint("mail.before_send")
        connection.send_messages([message])
        failpoint("mail.after_send")
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:  # the server said no
        _hang_up(connection)
        Mail.objects.filter(pk=mail.pk, fence=mail.fence).update(handed_over_at=None)
        leases.give_back(mail, leases.reason(error))
        return False
    except Exception as error:
        _hang_up(connection)
        if _repeats_itself(connection):
            leases.give_back(mail, leases.reason(error))
            return False
        return _give_up(mail, f"{MAY_HAVE_ARRIVED} ({leases.reason(error)})")
    with transaction.atomic():
        leases.finish(mail)
        Mail.objects.filter(pk=mail.pk).update(sent_at=clock.database_now())
    return True


def _mark(mail: Mail, connection: BaseEmailBackend) -> None:
    """Commit that the message is about to leave, unless a second copy replaces the first. Raises LeaseLost."""
    if _repeats_itself(connection):
        return
    mail.handed_over_at = clock.database_now()
    held = Mail.objects.filter(pk=mail.pk, fence=mail.fence, state=WorkState.LEASED)
    if not held.update(handed_over_at=mail.handed_over_at):
        raise leases.LeaseLost(f"{mail} was taken over by another worker; it is for that one to send")


def _repeats_itself(connection: BaseEmailBackend) -> bool:
    """Whether sending twice is the same as sending once."""
    return bool(getattr(connection, "replaces_by_message_id", False))


def _give_up(mail: Mail, reason: str) -> bool:
    Mail.objects.filter(pk=mail.pk, fence=mail.fence).update(
        state=WorkState.DEAD, lease_until=None, last_error=reason[:2000]
    )
    return False


def _compose(mail: Mail) -> EmailMessage:
    message = EmailMessage(
        subject=mail.subject,
        body=mail.text,
        to=[mail.recipient],
        headers={"Message-ID": mail.message_id},
    )
    if mail.attachment_path:
        file = Path(settings.MEDIA_ROOT) / mail.attachment_path
        if file.stat().st_size > LARGEST_ATTACHMENT:
            raise ValueError(f"{mail.attachment_name} is larger than {LARGEST_ATTACHMENT >> 20} MB; send a link")
        message.attach(mail.attachment_name, file.read_bytes(), "application/pdf")
    message.message()  # a header that cannot be written is found before anything leaves
    return message


def _problem_with(recipient: str) -> str:
    try:
        validate_email(recipient)
        if len(recipient) <= LONGEST_ADDRESS:
            return ""
    except ValidationError:
        pass
    return f"{recipient[:LONGEST_ADDRESS]!r} is not an e-mail address; correct it at the account and send this again."


def _one_line(text: str) -> str:
    """Return ``text`` on one line of at most 300 characters, so that it cannot become another header."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


class FileOutbox(BaseEmailBackend):
    """Write each message to EMAIL_FILE_PATH, named by its Message-ID, so that a repeat replaces itself."""

    replaces_by_message_id = True

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            name = message.extra_headers.get("Message-ID", "mail").strip("<>").replace("/", "_")
            partial = folder / f".{name}.{os.getpid()}"
            with partial.open("wb") as file:
                file.write(message.message().as_bytes())
                file.flush()
                os.fsync(file.fileno())
            partial.replace(folder / f"{name}.eml")
        return len(email_messages)
