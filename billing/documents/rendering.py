"""Render waiting documents: claim, print, store, then commit that it is done and queue its mail.

A crash anywhere leaves the row leased; when the lease ends another worker prints the same bytes again. A document
that cannot be printed ends as dead with the reason on its row; money never waits for it.
"""

import time
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import F

from billing import delivering
from billing.documents import pdf, storage
from billing.documents.loading import credit_note_facts, invoice_facts, invoices_facts
from billing.documents.presenting import present_credit_note, present_invoice
from billing.documents.snapshot import Document as Snapshot
from billing.models import CreditNote, Document, Invoice
from billing.models.document import DocumentKind
from billing.models.invoice import InvoiceStatus
from core import bell, clock, leases
from core.errors import Conflict, Refused
from core.failpoints import failpoint
from core.models.work import WorkState

TASK: Final = "billing.tasks.render"
CLUSTER: Final = "documents"
BATCH: Final = 20
LEASE_SECONDS: Final = 120
TASK_SECONDS: Final = 60  # then the task ends and rings again, well before the queue's own time limit


def render_waiting() -> int:
    """Render waiting documents for up to a minute; safe to run twice and beside itself. Return how many were done.

    When the minute is over it rings for the next one.
    """
    done, until = 0, time.monotonic() + TASK_SECONDS
    while batch := leases.claim(Document, limit=BATCH, seconds=LEASE_SECONDS):
        done += _render_batch(batch, until)
        if time.monotonic() >= until:
            ring()
            break
    return done


def sweep() -> None:
    """Ring for documents whose doorbell was lost or whose next try has come."""
    bell.ring_for_due(Document, TASK, cluster=CLUSTER)


def ring() -> None:
    """Ring for waiting documents in the running transaction."""
    bell.ring(TASK, cluster=CLUSTER)


def print_again(document_id: int) -> None:
    """Let workers try a document again that was given up. Raises Conflict when it was not."""
    changed = Document.objects.filter(pk=document_id, state=WorkState.DEAD).update(
        state=WorkState.READY, attempts=0, run_after=clock.database_now()
    )
    if not changed:
        raise Conflict("This document was not given up; there is nothing to print again.")
    ring()


def snapshot(invoice: Invoice) -> Snapshot:
    """Return the invoice as it reads on paper and on screen; a draft says that it is one."""
    return present_invoice(invoice_facts(invoice))


def credit_note_snapshot(note: CreditNote) -> Snapshot:
    """Return the credit note as it reads on paper and on screen."""
    return present_credit_note(credit_note_facts(note))


def content(invoice: Invoice) -> bytes:
    """Return the PDF of an issued invoice: as stored, else printed this moment, with the same bytes. Writes nothing."""
    _must_be_issued(invoice)
    document = Document.objects.filter(invoice=invoice, kind=DocumentKind.INVOICE, state=WorkState.DONE).first()
    if document is not None:
        try:
            return storage.read(document.path, document.sha256)
        except storage.Damaged:  # the bytes are a function of the invoice: print them again
            pass
    return pdf.render(snapshot(invoice))


def credit_note_content(note: CreditNote) -> bytes:
    """Return the PDF of a credit note: as stored, else printed this moment. Writes nothing."""
    document = Document.objects.filter(credit_note=note, state=WorkState.DONE).first()
    if document is not None:
        try:
            return storage.read(document.path, document.sha256)
        except storage.Damaged:
            pass
    return pdf.render(credit_note_snapshot(note))


def ensure(invoice: Invoice) -> Document:
    """Return the stored document of an issued invoice, printing and storing it now when it is not there yet.

    A worker that prints the same document at this moment loses its fence; both would have stored the same bytes.
    """
    _must_be_issued(invoice)
    document, _ = Document.objects.get_or_create(invoice=invoice, kind=DocumentKind.INVOICE)
    if document.state == WorkState.DONE:
        try:
            storage.read(document.path, document.sha256)
        except storage.Damaged:
            storage.store(pdf.render(snapshot(invoice)))
        return document
    stored = storage.store(pdf.render(snapshot(invoice)))
    with transaction.atomic():
        Document.objects.filter(pk=document.pk).exclude(state=WorkState.DONE).update(
            state=WorkState.DONE, fence=F("fence") + 1, lease_until=None, last_error="", **_found(stored)
        )
        document.refresh_from_db()
        delivering.announce(document)
    return document


def _must_be_issued(invoice: Invoice) -> None:
    if invoice.status == InvoiceStatus.DRAFT:
        raise Refused("A draft has no document; it can be previewed until it is issued.")


def _found(stored: storage.Stored) -> dict[str, object]:
    return {
        "sha256": stored.sha256,
        "path": stored.path,
        "size": stored.size,
        "rendered_at": clock.database_now(),
    }


def _render_batch(batch: Sequence[Document], until: float) -> int:
    """Render claimed documents one after the other; what the time does not suffice for is handed back untouched."""
    done = 0
    try:
        snapshots = _snapshots(batch)
    except Exception as error:  # one that cannot even be read must not stop the other nineteen
        if len(batch) > 1:
            return sum(_render_batch([document], until) for document in batch)
        leases.give_back(batch[0], leases.reason(error))
        return 0
    for index, document in enumerate(batch):
        if time.monotonic() >= until and index:
            leases.hand_back(batch[index:])
            break
        done += _render(document, snapshots[document.pk])
    return done


def _render(document: Document, snapshot: Snapshot) -> bool:
    """Print and store one document. A lost lease drops the result, which another worker has stored alike."""
    try:
        content = pdf.render(snapshot)
        failpoint("pdf.before_store")
        stored = storage.store(content)
        failpoint("pdf.before_commit")
        with transaction.atomic():
            Document.objects.filter(pk=document.pk, fence=document.fence).update(**_found(stored))
            leases.finish(document)
            document.refresh_from_db()
            delivering.announce(document)
    except leases.LeaseLost:
        return False
    except Exception as error:  # it waits for its next try; the reason is on its row
        leases.give_back(document, leases.reason(error))
        return False
    return True


def _snapshots(batch: Sequence[Document]) -> dict[int, Snapshot]:
    invoices = Invoice.objects.in_bulk([d.invoice_id for d in batch if d.kind == DocumentKind.INVOICE])
    facts = invoices_facts(list(invoices.values()))
    notes = CreditNote.objects.select_related("invoice").in_bulk([d.credit_note_id for d in batch if d.credit_note_id])
    return {
        d.pk: credit_note_snapshot(notes[d.credit_note_id])
        if d.credit_note_id
        else present_invoice(facts[d.invoice_id])
        for d in batch
    }
