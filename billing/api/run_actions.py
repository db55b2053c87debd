"""What people do with a run, for programs: each action is an address, asks of a key what the page asks of a person."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import principal
from billing import approving, cancelling, holding, issuing, retrying, running
from billing.api.reading import ExactJSONParser
from billing.api.runs import RosterOut, RunOut, find, out
from billing.models import RunAccount
from core.api import ONCE, IdempotentWrites, NothingIn, ReasonIn, StrictSerializer, read
from core.errors import NotFound


class IssueIn(StrictSerializer):
    """The date that is printed on every invoice; payment terms count from it."""

    issue_date = serializers.DateField()


class RunAction(IdempotentWrites, APIView):
    """What all actions ask of a key; each says which capability of its person it takes."""

    parser_classes = [ExactJSONParser]
    scopes = {"POST": "runs:write"}


class RunApproval(RunAction):
    """The approval of a run."""

    capabilities = {"POST": "runs.approve"}

    @extend_schema(operation_id="runs_approve", request=None, responses=RunOut, parameters=[ONCE])
    def post(self, request: Request, key: int) -> Response:
        """Agree to exactly the drafts as they are, as a second person; any later change asks for approval again."""
        read(NothingIn, request)
        return Response(out([approving.approve(key, actor=principal(request).actor)])[0])


class RunIssue(RunAction):
    """The issue of a run."""

    commits_itself = True
    capabilities = {"POST": "runs.issue"}

    @extend_schema(operation_id="runs_issue", request=IssueIn, responses=RunOut, parameters=[ONCE])
    def post(self, request: Request, key: int) -> Response:
        """Let workers number, post and send the approved drafts; a repeat changes nothing."""
        return Response(out([issuing.start(key, actor=principal(request).actor, **read(IssueIn, request))])[0])


class RunRetry(RunAction):
    """Another try at what failed."""

    commits_itself = True
    capabilities = {"POST": "runs.open"}

    @extend_schema(operation_id="runs_retry", request=None, responses=RunOut, parameters=[ONCE])
    def post(self, request: Request, key: int) -> Response:
        """Draft all failed accounts anew, and take up again what workers gave up to issue."""
        read(NothingIn, request)
        retrying.retry_failed(key, actor=principal(request).actor)
        return Response(out([find(key)])[0])


class RunClosing(RunAction):
    """The end of a run without its held and failed accounts."""

    capabilities = {"POST": "runs.issue"}

    @extend_schema(operation_id="runs_close", request=ReasonIn, responses=RunOut, parameters=[ONCE])
    def post(self, request: Request, key: int) -> Response:
        """Give up what is held or failed for this month; the next run bills its usage."""
        return Response(out([running.close(key, actor=principal(request).actor, **read(ReasonIn, request))])[0])


class RunCancellation(RunAction):
    """The end of a run of which nothing was issued."""

    capabilities = {"POST": "runs.open"}

    @extend_schema(operation_id="runs_cancel", request=ReasonIn, responses=RunOut, parameters=[ONCE])
    def post(self, request: Request, key: int) -> Response:
        """Throw the drafts away and give their credits back; the month can be opened again."""
        return Response(out([cancelling.cancel(key, actor=principal(request).actor, **read(ReasonIn, request))])[0])


class AccountAction(RunAction):
    """What is done with one account of a run; the answer is its line of the roster."""

    capabilities = {"POST": "runs.hold"}


class AccountHold(AccountAction):
    """A hold on one account of a run."""

    @extend_schema(operation_id="runs_accounts_hold", request=ReasonIn, responses=RosterOut, parameters=[ONCE])
    def post(self, request: Request, key: int, code: str) -> Response:
        """Keep the account out of the issue until somebody releases it; an approval is withdrawn."""
        entry = _entry(key, code)
        holding.hold(key, entry.account_id, actor=principal(request).actor, **read(ReasonIn, request))
        return Response(_written(entry))


class AccountRelease(AccountAction):
    """The end of a hold on one account of a run."""

    commits_itself = True

    @extend_schema(operation_id="runs_accounts_release", request=ReasonIn, responses=RosterOut, parameters=[ONCE])
    def post(self, request: Request, key: int, code: str) -> Response:
        """Let the held account go on, with its draft or with a new one; the run is approved again for it."""
        entry = _entry(key, code)
        holding.release(key, entry.account_id, actor=principal(request).actor, **read(ReasonIn, request))
        return Response(_written(entry))


class AccountRetry(AccountAction):
    """Another try at one account of a run."""

    commits_itself = True

    @extend_schema(operation_id="runs_accounts_retry", request=ReasonIn, responses=RosterOut, parameters=[ONCE])
    def post(self, request: Request, key: int, code: str) -> Response:
        """Draft the failed or held account anew, from the usage and prices known now; nothing else is touched."""
        entry = _entry(key, code)
        retrying.retry_account(key, entry.account_id, actor=principal(request).actor, **read(ReasonIn, request))
        return Response(_written(entry))


def _entry(key: int, code: str) -> RunAccount:
    run = find(key)
    entry = RunAccount.objects.select_related("account", "invoice").filter(run=run, account__code=code).first()
    if entry is None:
        raise NotFound(f"{code:.60} is not on the roster of {run}.")
    return entry


def _written(entry: RunAccount) -> Any:
    entry.refresh_from_db()
    return RosterOut(entry).data
