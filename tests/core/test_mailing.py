"""Mail leaves at most once, whatever dies in between, and nobody's text becomes a header."""

import email
import email.policy
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.core.mail import get_connection

from core import bell, clock, leases, mailing
from core.errors import Conflict
from core.models import Mail, WorkState
from tests.core.smtp_server import Mailbox, mailbox
from tests.world import World

SEND = "from core import mailing; print('sent', mailing.send_waiting())"


def queue(reference: str = "INV-1", **more: str) -> None:
    values = {"recipient": "ada@example.com", "subject": "Your invoice", "text": "Hello"} | more
    mailing.queue(kind="invoice", reference=reference, **values)


def outbox(folder: str | Path) -> list[EmailMessage]:
    files = sorted(Path(folder).glob("*.eml"))
    return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]  # type: ignore[misc]


@pytest.fixture(autouse=True)
def file_outbox(settings: pytest.FixtureRequest) -> None:
    """The product's own outbox; the test runner would put another in its place."""
    settings.EMAIL_BACKEND = "core.mailing.FileOutbox"


@pytest.fixture
def server() -> Iterator[Mailbox]:
    with mailbox() as server:
        yield server


@pytest.fixture
def smtp(server: Mailbox, settings: pytest.FixtureRequest) -> Mailbox:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
    return server


@pytest.mark.django_db
class TestQueue:
    def test_drops_a_second_mail_about_the_same_thing(self) -> None:
        queue()
        queue(subject="Again")
        assert [mail.subject for mail in Mail.objects.all()] == ["Your invoice"]

    def test_rings_no_more_than_enough(self) -> None:
        for number in range(bell.ENOUGH_WAITING + 5):
            queue(f"INV-{number}")
        assert bell.waiting("mail") == bell.ENOUGH_WAITING

    @pytest.mark.parametrize(
        "subject", ["Hi\r\nBcc: eve@example.com", "Hi\nBcc: eve@example.com", "Hi\x00\x0b\u2028Bcc: eve@example.com"]
    )
    def test_keeps_a_subject_on_its_line(self, subject: str, settings: pytest.FixtureRequest) -> None:
        queue(subject=subject)
        assert mailing.send_waiting() == 1
        (message,) = outbox(settings.EMAIL_FILE_PATH)
        assert message["Subject"] == "Hi Bcc: eve@example.com"
        assert message["Bcc"] is None

    def test_shortens_a_subject_that_would_not_fit(self) -> None:
        queue(subject="x" * 1000)
        assert len(Mail.objects.get().subject) == 300

    @pytest.mark.parametrize(
        "recipient", ["", "nobody", "ada@example.com\nBcc: eve@example.com", "a" * 300 + "@b.example"]
    )
    def test_does_not_fail_for_an_address_that_is_none(self, recipient: str) -> None:
        queue(recipient=recipient)
        mail = Mail.objects.get()
        assert mail.state == WorkState.DEAD
        assert "not an e-mail address" in mail.last_error
        assert bell.waiting("mail") == 0


@pytest.mark.django_db
class TestSendWaiting:
    def test_writes_the_file_outbox(self, settings: pytest.FixtureRequest) -> None:
        settings.MEDIA_ROOT.mkdir()
        (settings.MEDIA_ROOT / "a.pdf").write_bytes(b"%PDF-1.7 what it is")
        queue(text="Grüße 🚀", attachment_path="a.pdf", attachment_name="INV-1.pdf")
        assert mailing.send_waiting() == 1
        (message,) = outbox(settings.EMAIL_FILE_PATH)
        assert message["To"] == "ada@example.com"
        assert message["Message-ID"] == "<invoice.INV-1@vault>"
        assert message.get_body().get_content().strip() == "Grüße 🚀"  # type: ignore[union-attr]
        (attachment,) = message.iter_attachments()
        assert attachment.get_filename() == "INV-1.pdf"
        assert attachment.get_content() == b"%PDF-1.7 what it is"

    def test_finds_nothing_on_a_repeat(self, settings: pytest.FixtureRequest) -> None:
        queue()
        assert [mailing.send_waiting(), mailing.send_waiting()] == [1, 0]
        assert len(outbox(settings.EMAIL_FILE_PATH)) == 1

    def test_writes_a_message_id_of_safe_characters(self, settings: pytest.FixtureRequest) -> None:
        queue("../../ümläut account/7 <x>")
        queue("../../umlaut account/7 <x>")
        assert mailing.send_waiting() == 2
        names = [file.name for file in Path(settings.EMAIL_FILE_PATH).iterdir()]
        assert len(set(names)) == 2
        assert all(name.startswith("invoice.") and name.isascii() for name in names)

    def test_leaves_the_reason_on_a_mail_whose_attachment_is_too_large(self, settings: pytest.FixtureRequest) -> None:
        settings.MEDIA_ROOT.mkdir()
        with (settings.MEDIA_ROOT / "a.pdf").open("wb") as file:
            file.truncate(mailing.LARGEST_ATTACHMENT + 1)
        queue(attachment_path="a.pdf", attachment_name="INV-1.pdf")
        queue("INV-2")
        assert mailing.send_waiting() == 1
        mail = Mail.objects.get(reference="INV-1")
        assert mail.state == WorkState.READY
        assert "larger than 10 MB" in mail.last_error

    def test_leaves_the_reason_on_a_mail_whose_attachment_is_gone(self) -> None:
        queue(attachment_path="gone.pdf", attachment_name="INV-1.pdf")
        assert mailing.send_waiting() == 0
        assert "gone.pdf" in Mail.objects.get().last_error


@pytest.mark.django_db
class TestSmtp:
    def test_hands_each_mail_over_once(self, smtp: Mailbox) -> None:
        queue("INV-1")
        queue("INV-2")
        assert mailing.send_waiting() == 2
        assert len(smtp.received) == 2
        assert all(mail.sent_at and mail.handed_over_at for mail in Mail.objects.all())

    def test_waits_for_another_try_when_the_server_refuses(self, smtp: Mailbox) -> None:
        smtp.answer_to_data = "451 not now"
        queue()
        assert mailing.send_waiting() == 0
        mail = Mail.objects.get()
        assert (mail.state, mail.handed_over_at) == (WorkState.READY, None)
        assert "not now" in mail.last_error

    def test_waits_for_another_try_when_there_is_no_server(
        self, smtp: Mailbox, settings: pytest.FixtureRequest
    ) -> None:
        settings.EMAIL_PORT = 1
        queue()
        assert mailing.send_waiting() == 0
        assert (Mail.objects.get().state, Mail.objects.get().handed_over_at) == (WorkState.READY, None)

    def test_does_not_repeat_what_may_have_arrived(self, smtp: Mailbox) -> None:
        smtp.answer_to_data = ""
        queue()
        assert mailing.send_waiting() == 0
        assert (len(smtp.received), Mail.objects.get().state) == (1, WorkState.DEAD)
        assert mailing.send_waiting() == 0
        assert len(smtp.received) == 1
        assert "may have arrived" in Mail.objects.get().last_error

    def test_sends_again_when_a_person_asks(self, smtp: Mailbox) -> None:
        smtp.answer_to_data = ""
        queue()
        mailing.send_waiting()
        smtp.answer_to_data = "250 kept"
        mailing.send_again(Mail.objects.get().pk, actor="user:ada@example.com")
        assert mailing.send_waiting() == 1
        assert Mail.objects.get().sent_again_by == "user:ada@example.com"

    @pytest.mark.parametrize("answer", ["", "421 enough for today"])
    def test_a_connection_that_broke_takes_no_other_mail_with_it(self, smtp: Mailbox, answer: str) -> None:
        smtp.answers_to_data = ["250 kept", answer]
        for number in range(4):
            queue(f"INV-{number}")
        assert mailing.send_waiting() == 3
        assert len(smtp.received) == 4
        assert Mail.objects.exclude(reference="INV-1").exclude(state=WorkState.DONE).count() == 0

    def test_whoever_lost_the_lease_hands_nothing_over(self, smtp: Mailbox) -> None:
        queue()
        (slept,) = leases.claim(Mail)
        Mail.objects.update(lease_until=clock.database_now() - timedelta(seconds=1))
        assert mailing.send_waiting() == 1
        connection = get_connection()
        assert not mailing._send(slept, connection)
        connection.close()
        assert (len(smtp.received), Mail.objects.get().state) == (1, WorkState.DONE)

    def test_does_not_send_again_what_is_still_waiting(self, smtp: Mailbox) -> None:
        queue()
        with pytest.raises(Conflict):
            mailing.send_again(Mail.objects.get().pk, actor="user:ada@example.com")


class TestKilled:
    """kill -9 of the real process between the send and the commit."""

    def wait_for_lease(self, world: World) -> None:
        world.sql("update core_mail set lease_until = now() - interval '1 second' where state = 'leased'")

    def queue(self, world: World) -> None:
        world.manage(
            "shell",
            "-c",
            "from core import mailing\n"
            "mailing.queue(kind='invoice', reference='INV-1', recipient='ada@example.com', subject='s', text='t')",
        )

    @pytest.mark.parametrize("place", ["mail.before_send", "mail.after_send"])
    def test_the_file_outbox_has_one_message_in_the_end(self, world: World, place: str) -> None:
        self.queue(world)
        died = world.manage("shell", "-c", SEND, check=False, VAULT_FAILPOINTS=f"{place}=kill")
        assert died.returncode == -9
        self.wait_for_lease(world)
        assert "sent 1" in world.manage("shell", "-c", SEND).stdout
        assert len(outbox(world.home / "outbox")) == 1
        assert world.value("select state from core_mail") == "done"

    def test_a_server_is_not_given_a_second_copy(self, world: World, server: Mailbox) -> None:
        self.queue(world)
        world.manage("shell", "-c", SEND, check=False, VAULT_FAILPOINTS="mail.after_send=kill", EMAIL_URL=server.url)
        assert len(server.received) == 1
        self.wait_for_lease(world)
        assert "sent 0" in world.manage("shell", "-c", SEND, EMAIL_URL=server.url).stdout
        assert len(server.received) == 1
        assert world.value("select state from core_mail") == "dead"
