"""Documents are printed once by workers, survive kill -9, and never hold anything up."""

import hashlib
from pathlib import Path

import pytest
from django.conf import settings
from django_q.models import OrmQ

from accounts.models.account import Delivery
from billing.documents import pdf, rendering
from billing.models import Document, Invoice
from core import mailing
from core.errors import Refused
from core.models import Mail, WorkState
from tests.billing.documents import issued, samples
from tests.world import World

pytestmark = pytest.mark.django_db


def path_of(document: Document) -> Path:
    return Path(settings.MEDIA_ROOT) / document.path


def break_printing(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """Let printing fail for one invoice, as a fault in the renderer would."""
    print_well = pdf.render

    def print_badly(document: rendering.Snapshot) -> bytes:
        if document.number == number:
            raise ValueError("no such glyph")
        return print_well(document)

    monkeypatch.setattr(pdf, "render", print_badly)


class TestRenderWaiting:
    def test_prints_stores_and_queues_the_mail(self) -> None:
        invoice = issued.issue()
        assert rendering.render_waiting() == 1
        document = Document.objects.get(invoice=invoice)
        content = path_of(document).read_bytes()
        assert document.state == WorkState.DONE
        assert document.sha256 == hashlib.sha256(content).hexdigest()
        assert document.size == len(content)
        assert document.path == f"documents/{document.sha256[:2]}/{document.sha256}.pdf"
        assert Mail.objects.get().attachment_path == document.path

    def test_finds_nothing_on_a_repeat(self) -> None:
        issued.issue()
        assert [rendering.render_waiting(), rendering.render_waiting()] == [1, 0]
        assert Mail.objects.count() == 1

    def test_leaves_the_reason_on_a_document_that_fails_and_goes_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        bad, good = issued.issue(), issued.issue(owner=issued.account("other"))
        break_printing(monkeypatch, str(bad.number))
        assert rendering.render_waiting() == 1
        document = Document.objects.get(invoice=bad)
        assert (document.state, document.attempts) == (WorkState.READY, 1)
        assert document.last_error == "ValueError: no such glyph"
        assert Document.objects.get(invoice=good).state == WorkState.DONE

    def test_gives_up_in_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        invoice = issued.issue()
        break_printing(monkeypatch, str(invoice.number))
        for _ in range(6):
            Document.objects.update(run_after="2020-01-01T00:00:00Z")
            rendering.render_waiting()
        document = Document.objects.get()
        assert (document.state, document.attempts, document.last_error) == (
            WorkState.DEAD,
            5,
            "ValueError: no such glyph",
        )
        assert Invoice.objects.get().status == "open"

    def test_stops_in_time_and_rings_for_the_rest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(3):
            issued.issue(samples.invoice(()), owner=issued.account(f"account-{number}"))
        monkeypatch.setattr(rendering, "TASK_SECONDS", 0)
        assert rendering.render_waiting() == 1
        assert sorted(Document.objects.values_list("state", "attempts")) == [("done", 1), ("ready", 0), ("ready", 0)]
        assert OrmQ.objects.filter(key="documents").count() == 1

    def test_sweeps_for_a_lost_bell(self) -> None:
        issued.issue()
        rendering.sweep()
        assert OrmQ.objects.filter(key="documents").count() == 1


class TestOnDemand:
    def test_prints_without_writing(self) -> None:
        invoice = issued.issue()
        content = rendering.content(invoice)
        assert Document.objects.get().state == WorkState.READY
        rendering.render_waiting()
        assert path_of(Document.objects.get()).read_bytes() == content == rendering.content(invoice)

    def test_ensures_the_stored_document(self) -> None:
        invoice = issued.issue()
        document = rendering.ensure(invoice)
        assert (document.state, rendering.ensure(invoice).sha256) == (WorkState.DONE, document.sha256)
        assert (rendering.render_waiting(), Mail.objects.count()) == (0, 1)

    def test_overtakes_a_worker_without_a_second_mail(self) -> None:
        invoice = issued.issue()
        (claimed,) = rendering.leases.claim(Document)
        rendering.ensure(invoice)
        assert rendering._render(claimed, rendering.snapshot(invoice)) is False
        assert Document.objects.get().state == WorkState.DONE
        assert Mail.objects.count() == 1

    @pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"%PDF-1.7 half")])
    def test_mends_a_damaged_file(self, damage: object) -> None:
        invoice = issued.issue()
        document = rendering.ensure(invoice)
        whole = path_of(document).read_bytes()
        damage(path_of(document))  # type: ignore[operator]
        assert rendering.content(invoice) == whole
        rendering.ensure(invoice)
        assert path_of(document).read_bytes() == whole

    def test_refuses_a_draft(self) -> None:
        with pytest.raises(Refused):
            rendering.content(issued.draft())


class TestDelivery:
    """One mail per document, for whoever wants one."""

    def test_sends_the_pdf(self, settings: pytest.FixtureRequest) -> None:
        settings.EMAIL_BACKEND = "core.mailing.FileOutbox"
        invoice = issued.issue()
        rendering.render_waiting()
        assert mailing.send_waiting() == 1
        (file,) = Path(settings.EMAIL_FILE_PATH).glob("*.eml")
        assert f"{invoice.number}.pdf" in file.read_text()

    def test_says_total_due_date_and_link(self) -> None:
        invoice = issued.issue(owner=issued.account("link", delivery=Delivery.LINK, name="O'Hara & Söhne <x>"))
        rendering.render_waiting()
        mail = Mail.objects.get()
        assert mail.subject.endswith("invoice for June 2020: 75.85 USD")
        assert "75.85 USD" in mail.text
        assert "15 Jul 2020" in mail.text
        assert f"/portal/invoices/{invoice.number}/" in mail.text
        assert "O'Hara & Söhne <x>" in mail.text
        assert mail.attachment_path == ""

    @pytest.mark.parametrize("more", [{"email": ""}, {"delivery": Delivery.NONE}])
    def test_leaves_who_wants_no_mail_alone(self, more: dict[str, str]) -> None:
        issued.issue(owner=issued.account("quiet", **more))
        assert rendering.render_waiting() == 1
        assert Mail.objects.count() == 0

    def test_says_that_nothing_is_due(self) -> None:
        issued.issue(samples.invoice(()))
        rendering.render_waiting()
        assert "Nothing is due." in Mail.objects.get().text


class TestKilled:
    """kill -9 of the real process that prints, before and after the file is there."""

    RENDER = "from billing.documents import rendering; print('rendered', rendering.render_waiting())"
    ISSUE = "from tests.billing.documents import issued; print(issued.issue().number)"

    @pytest.mark.parametrize("place", ["pdf.before_store", "pdf.before_commit"])
    def test_it_ends_with_the_same_bytes_and_one_mail(self, world: World, place: str) -> None:
        world.manage("shell", "-c", self.ISSUE)
        died = world.manage("shell", "-c", self.RENDER, check=False, VAULT_FAILPOINTS=f"{place}=kill")
        assert died.returncode == -9
        assert world.value("select state from billing_document") == "leased"
        left = {file.name for file in (world.home / "media").rglob("*.pdf")}
        world.sql("update billing_document set lease_until = now() - interval '1 second'")
        assert "rendered 1" in world.manage("shell", "-c", self.RENDER).stdout
        (row,) = world.sql("select state, attempts, sha256, path from billing_document")
        content = (world.home / "media" / row[3]).read_bytes()
        assert row[:2] == ("done", 2)
        assert hashlib.sha256(content).hexdigest() == row[2]
        assert left <= {f"{row[2]}.pdf"}
        assert world.value("select count(*) from core_mail") == 1

    def test_a_cluster_goes_on_when_its_worker_dies(self, world: World, tmp_path: Path) -> None:
        world.manage("shell", "-c", self.ISSUE)
        marker = tmp_path / "killed"
        world.start("cluster", "documents", VAULT_FAILPOINTS=f"pdf.before_commit=kill-once:{marker}")
        world.manage("shell", "-c", "from billing.documents import rendering; rendering.ring()")
        world.wait_until(marker.exists, 60, "the worker to die")
        world.sql("update billing_document set lease_until = now() - interval '1 second'")
        world.manage("shell", "-c", "from billing.documents import rendering; rendering.ring()")
        world.wait_until(
            lambda: world.value("select state from billing_document") == "done", 60, "the document to be printed"
        )
        assert world.value("select attempts from billing_document") == 2
        assert world.value("select count(*) from core_mail") == 1
        assert len(list((world.home / "media").rglob("*.pdf"))) == 1
