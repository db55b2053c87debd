"""Mail: queued as a row with the fact it is about, sent by a worker, and readable in the file outbox."""

import os
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from core import bell, clock, leases
from core.failpoints import failpoint
from core.models import Mail

SEND_TASK = "core.mailing.send_waiting"


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
    """Queue one mail in the running transaction; a second one of the same kind and reference is dropped."""
    Mail.objects.bulk_create(
        [
            Mail(
                kind=kind,
                reference=reference,
                recipient=recipient,
                subject=subject,
                text=text,
                account_code=account_code,
                attachment_path=attachment_path,
                attachment_name=attachment_name,
            )
        ],
        ignore_conflicts=True,
    )
    bell.ring(SEND_TASK, cluster="mail")


def send_waiting() -> int:
    """Send every waiting mail; safe to run twice and beside itself. Returns how many were sent."""
    sent = 0
    while batch := leases.claim(Mail, limit=20, seconds=60):
        for mail in batch:
            sent += _send(mail)
    return sent


def sweep() -> None:
    """Ring for mail whose doorbell was lost or whose next try has come."""
    bell.ring_for_due(Mail, SEND_TASK, cluster="mail")


def _send(mail: Mail) -> bool:
    """Send one claimed mail. A crash between the send and the commit sends it again with the same Message-ID."""
    try:
        message = _compose(mail)
        failpoint("mail.before_send")
        message.send()
        failpoint("mail.after_send")
        with transaction.atomic():
            leases.finish(mail)
            Mail.objects.filter(pk=mail.pk).update(sent_at=clock.database_now())
    except Exception as error:  # the mail waits for its next try; the reason is on its row
        leases.give_back(mail, repr(error))
        return False
    return True


def _compose(mail: Mail) -> EmailMessage:
    message = EmailMessage(
        subject=mail.subject,
        body=mail.text,
        to=[mail.recipient],
        headers={"Message-ID": mail.message_id},
        connection=get_connection(),
    )
    if mail.attachment_path:
        content = (Path(settings.MEDIA_ROOT) / mail.attachment_path).read_bytes()
        message.attach(mail.attachment_name, content, "application/pdf")
    return message


class FileOutbox(BaseEmailBackend):
    """Write each message to EMAIL_FILE_PATH, named by its Message-ID, so that a repeat replaces itself."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            name = message.extra_headers.get("Message-ID", "mail").strip("<>").replace("/", "_")
            partial = folder / f".{name}.{os.getpid()}"
            partial.write_bytes(message.message().as_bytes())
            partial.replace(folder / f"{name}.eml")
        return len(email_messages)
