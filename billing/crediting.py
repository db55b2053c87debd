"""Credits: ask for one, let a second person decide above the asker's limit, apply it to drafts that wait."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from accounts import permissions
from accounts.models import Account, User
from billing import adjusting, locks, people
from billing.models import CreditGrant, CreditState, Invoice, InvoiceKind, InvoiceStatus, ProductGroup, RunState
from core import audit, clock
from core.errors import Conflict, Invalid, NotFound, Refused
from core.money import exponent, round_to_minor_unit, total
from core.periods import Month

REQUEST = "credits.request"
APPROVE = "credits.approve"


def request(
    account_id: int,
    amount: Decimal,
    *,
    reason: str,
    actor: str,
    scope: Sequence[str] = (),
    partners: bool = True,
    cap_per_month: Decimal | None = None,
    expires_on: date | None = None,
    limit: Decimal | None = None,
) -> CreditGrant:
    """Give an account a credit in its currency, or ask for it when it is above what the asker may give alone.

    That limit is for all that one person gives one account in one month (UTC) without a second person.
    ``scope`` are product groups (empty: all), ``partners`` whether it pays for third parties' products. ``limit``
    overrides the role's. An active credit is taken by the account's drafts at once. Not repeatable.
    """
    person = people.require(actor, REQUEST)
    if not reason.strip():
        raise Invalid("Say what the credit is for; finance and the customer will ask.", field="reason")
    if wrong := set(scope) - set(ProductGroup.values):
        raise Invalid(f"{', '.join(sorted(wrong))}: not a product group.", field="scope")
    most = permissions.credit_limit(person) if limit is None else limit
    with audit.acting(actor, reason):
        account = _account(account_id)
        drafts = drafts_in_review(account.pk)
        alone = most - given_alone(account, person)
        amount = _positive(amount, account.currency, "amount")
        cap = None if cap_per_month is None else _positive(cap_per_month, account.currency, "cap_per_month")
        grant = CreditGrant.objects.create(
            account=account,
            currency=account.currency,
            amount=amount,
            balance=amount,
            scope=sorted(set(scope)),
            partners=partners,
            cap_per_month=cap,
            reason=reason.strip()[:500],
            state=CreditState.ACTIVE if amount <= alone else CreditState.REQUESTED,
            expires_on=expires_on,
            requested_by=actor,
            requested_at=clock.database_now(),
        )
        if grant.state == CreditState.ACTIVE:
            apply_to(drafts)
    grant.refresh_from_db()
    return grant


def approve(grant_id: int, *, actor: str) -> CreditGrant:
    """Let a requested credit become active; a repeat by the same person changes nothing.

    Raises Refused for whoever asked for it, Conflict when it was decided before.
    """
    return _decide(grant_id, CreditState.ACTIVE, actor, "approve credit")


def refuse(grant_id: int, *, actor: str, reason: str = "") -> CreditGrant:
    """Refuse a requested credit; it stays as a record. A repeat by the same person changes nothing."""
    return _decide(grant_id, CreditState.REFUSED, actor, reason or "refuse credit")


def _decide(grant_id: int, state: CreditState, actor: str, reason: str) -> CreditGrant:
    people.require(actor, APPROVE)
    account_id = CreditGrant.objects.filter(pk=grant_id).values_list("account_id", flat=True).first()
    with audit.acting(actor, reason):
        drafts = drafts_in_review(account_id) if account_id else []
        grant = CreditGrant.objects.select_for_update().filter(pk=grant_id).first()
        if grant is None:
            raise NotFound(f"There is no credit {grant_id}.")
        if grant.state == state and people.same(grant.decided_by, actor):
            return grant
        if grant.state != CreditState.REQUESTED:
            raise Conflict(f"This credit is {grant.get_state_display().lower()} already.")
        if people.same(grant.requested_by, actor):
            raise Refused("You asked for this credit; somebody else of finance must decide on it.")
        grant.state, grant.decided_by, grant.decided_at = state, actor, clock.database_now()
        grant.save(update_fields=["state", "decided_by", "decided_at"])
        if state == CreditState.ACTIVE:
            apply_to(drafts)
    grant.refresh_from_db()
    return grant


def given_alone(account: Account, person: User) -> Decimal:
    """Return what a person gave an account this month, in its currency, without anybody's approval."""
    start = Month.containing(clock.database_now()).start
    given = CreditGrant.objects.filter(account=account, currency=account.currency, requested_at__gte=start)
    alone = given.filter(state=CreditState.ACTIVE, decided_by="", corrects=None)
    return total(alone.filter(requested_by__in=people.names_of(person)).values_list("amount", flat=True))


def drafts_in_review(account_id: int) -> list[int]:
    """Lock the runs in review that hold a draft of the account, before any credit is locked; return the drafts.

    An approved run is left as it was agreed: its drafts take no new credit.
    """
    drafts = Invoice.objects.filter(account_id=account_id, status=InvoiceStatus.DRAFT, shadow=False)
    drafts = drafts.filter(kind=InvoiceKind.PERIODIC, run__state=RunState.REVIEW)
    pairs = list(drafts.order_by("run_id").values_list("pk", "run_id"))
    return [invoice for invoice, run in pairs if locks.run(run).state == RunState.REVIEW]


def apply_to(drafts: Sequence[int]) -> None:
    """Let drafts whose runs are locked take what credit there is now."""
    for invoice_id in drafts:
        adjusting.recompute(locks.invoice(invoice_id))


def _account(account_id: int) -> Account:
    account = Account.objects.select_for_update(no_key=True).filter(pk=account_id).first()
    if account is None:
        raise NotFound(f"There is no account {account_id}.")
    return account


def _positive(amount: Decimal, currency: str, field: str) -> Decimal:
    if not amount.is_finite() or amount <= 0 or amount >= Decimal(10) ** 15:
        raise Invalid(f"{amount} is not an amount to credit; it must be above zero.", field=field)
    if amount != round_to_minor_unit(amount, currency):
        raise Invalid(f"{currency} amounts have {exponent(currency)} digits after the point.", field=field)
    return round_to_minor_unit(amount, currency)
