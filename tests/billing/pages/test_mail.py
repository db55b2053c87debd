"""Mail for the staff: what was sent, what failed, sent again; and letters that are nobody else's."""

import pytest

from billing.documents import rendering
from core import mailing
from core.models import Mail, WorkState
from tests.billing.documents import issued
from tests.billing.pages.conftest import As, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(settings: pytest.FixtureRequest) -> Mail:
    settings.EMAIL_BACKEND = "core.mailing.FileOutbox"
    issued.issue()
    rendering.render_waiting()
    mailing.send_waiting()
    return Mail.objects.get()


def test_lists_and_finds_mail(as_: As, sent: Mail) -> None:
    client = as_("sam")
    assert "Sent" in text_of(client.get("/mail/"))
    assert sent.subject in text_of(client.get("/mail/", {"q": "civic", "state": "done"}))
    assert sent.subject not in text_of(client.get("/mail/", {"state": "dead"}))


def test_shows_what_was_written(as_: As, sent: Mail) -> None:
    page = text_of(as_("iris").get(f"/mail/{sent.pk}/"))
    assert "75.85 USD" in page
    assert "Send again" not in page


def test_keeps_letters_that_sign_somebody_in_closed(as_: As) -> None:
    mailing.queue(
        kind="password", reference="1", recipient="ada@example.com", subject="Set your password", text="/set/s3cret/"
    )
    page = text_of(as_("sam").get(f"/mail/{Mail.objects.get().pk}/"))
    assert "s3cret" not in page
    assert "for its recipient only" in page


def test_sends_again_what_failed(as_: As, sent: Mail) -> None:
    Mail.objects.update(state=WorkState.DEAD, last_error="the server said no")
    client = as_("sam")
    assert "the server said no" in text_of(client.get(f"/mail/{sent.pk}/"))
    assert "on its way again" in text_of(client.post(f"/mail/{sent.pk}/send-again/", follow=True))
    assert mailing.send_waiting() == 1
    assert Mail.objects.get().sent_again_by == "user:sam@example.com"


def test_an_auditor_sends_nothing(as_: As, sent: Mail) -> None:
    assert as_("iris").post(f"/mail/{sent.pk}/send-again/").status_code == 403


def test_says_that_there_is_no_such_mail(as_: As) -> None:
    assert as_("sam").get("/mail/12345/").status_code == 404
