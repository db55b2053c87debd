"""verify finds what is broken, and says so in words and by its exit status."""

import io
import json

import pytest
from django.core.management import call_command
from django.db import connection

from monitoring import invariants, verifying
from monitoring.models import Verification
from tests import factories

pytestmark = pytest.mark.django_db


def corrupt(sql: str) -> None:
    """Do what the database refuses, as an intruder with all rights would: triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("set local session_replication_role = origin")


@pytest.fixture
def closed_month() -> None:
    factories.account("acme")
    october = factories.OCTOBER
    factories.use(factories.ran("a1", "standard-1x", october.start, october.end, "acme"))
    factories.close()


class TestInvariants:
    def test_every_app_with_money_states_some(self) -> None:
        apps = {invariant.name.split("/")[0] for invariant in invariants.collect()}
        assert {"usage", "billing", "collections_"} <= apps

    def test_all_hold_in_an_empty_house(self) -> None:
        assert all(finding.holds for finding in verifying.verify())

    @pytest.mark.usefixtures("closed_month")
    def test_all_hold_after_a_month(self) -> None:
        assert [finding.invariant.name for finding in verifying.verify() if not finding.holds] == []

    @pytest.mark.usefixtures("closed_month")
    def test_a_forged_amount_is_found_and_kept(self) -> None:
        corrupt("update billing_invoiceline set amount = amount + 1, rated = rated + 1")
        findings = [finding for finding in verifying.verify() if not finding.holds]
        assert "billing/invoices_add_up" in {finding.invariant.name for finding in findings}
        assert Verification.objects.latest().broken == [finding.invariant.name for finding in findings]


class TestVerifyCommand:
    def test_says_how_many_were_checked(self) -> None:
        out = io.StringIO()
        call_command("verify", stdout=out)
        assert f"{len(invariants.collect())} invariants checked" in out.getvalue()
        assert "all hold" in out.getvalue()

    @pytest.mark.usefixtures("closed_month")
    def test_ends_with_1_and_the_rows_when_one_is_broken(self) -> None:
        corrupt("update billing_invoiceline set amount = amount + 1, rated = rated + 1")
        out = io.StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("verify", stdout=out)
        assert ended.value.code == 1
        assert "BROKEN (billing/invoices_add_up)" in out.getvalue()

    def test_answers_programs_in_json(self) -> None:
        out = io.StringIO()
        call_command("verify", "--json", stdout=out)
        answer = json.loads(out.getvalue())
        assert answer["broken"] == 0
        assert answer["checked"] == len(answer["invariants"])
