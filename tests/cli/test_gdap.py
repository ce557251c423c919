"""Delegated admin access on the command line: what the ledger says is listed, what may not be is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tenantfold import config
from tenantfold.cli.setup import delegated_admin
from tenantfold.domain.gdap import GdapCase, GdapCondition, GdapStanding, RelationshipId
from tenantfold.domain.model import CustomerId
from tenantfold.domain.states import Owner
from tenantfold.errors import ConfigError, PlanNotApprovedError
from tenantfold.flow.doctor import Verdict
from tests.cli.conftest import NOW, Desk, customer

WAITING = GdapStanding(
    condition=GdapCondition.WAITS_FOR_CUSTOMER,
    code="waits_for_customer",
    detail="Not approved yet.",
    owner=Owner.CUSTOMER,
    next_action="Remind them.",
    relationship_id=RelationshipId("r-1"),
    due_at=NOW + timedelta(days=90),
    letter="letters/one.txt",
)


def keep(desk: Desk, standing: GdapStanding, name: str = "Company 1") -> None:
    """Let the ledger hold where a customer stands."""
    case = GdapCase(customer_id=CustomerId("c-1"), company_name=name)
    desk.do(lambda store: store.save_gdap_standing(case, standing, NOW))


def test_the_list_says_who_waits_for_whom_until_when(desk: Desk):
    """Without any call, whatever the policy says; the link is shown where a customer is to open it."""
    desk.plan(customer(1))
    keep(desk, WAITING)
    document = desk.json("gdap", "list")
    (row,) = document["customers"]
    assert document["conditions"] == {"waits_for_customer": 1}
    assert row["link"].startswith("https://admin.microsoft.com/")
    assert row["link"].endswith("/r-1")
    assert (row["owner"], row["why"], row["letter"]) == ("customer", "Not approved yet.", "letters/one.txt")
    code, said = desk.say("gdap", "list")
    assert code == 0
    assert "2026-05-31 08:00 UTC" in said


def test_a_name_from_outside_cannot_color_or_break_the_table(desk: Desk):
    """Markup and control characters are shown as they are, or not at all."""
    desk.plan(customer(1))
    keep(desk, WAITING, "[bold red]Evil[/]\x1b[2J")
    _, said = desk.say("gdap", "list")
    assert "[bold red]Evil[/]" in said
    assert "\x1b[2J" not in said


def test_nobody_asked_is_said_with_the_next_step(desk: Desk):
    """Not an empty table."""
    desk.plan(customer(1))
    code, said = desk.say("gdap", "list")
    assert code == 0
    assert "requested of nobody" in said


def test_the_policy_stops_request_and_check_before_anything_else(desk: Desk):
    """Nothing listens at the addresses of these settings: a call would be another error."""
    desk.plan(customer(1))
    for command in ("request", "check"):
        code, said = desk.say("gdap", command)
        assert code == ConfigError.exit_code
        assert "policy.gdap_request" in said


def test_only_an_approved_plan_is_requested_for(desk: Desk):
    """The sentence names the checksum to approve; no call is made."""
    file = desk.folder / "tenantfold.toml"
    file.write_text(f'{file.read_text()}\n[policy]\ngdap_request = "yes"\n')
    desk.plan(customer(1), approve=False)
    code, said = desk.say("gdap", "request")
    assert code == PlanNotApprovedError.exit_code
    assert "tenantfold approve" in said


@pytest.mark.parametrize(
    ("policy", "verdict", "words"),
    [
        ("", None, ""),
        ("[policy]\ngdap_request = 'yes'\n", Verdict.WARNING, "R-106"),
        ("[policy]\ngdap_request = 'yes'\n[gdap]\nroles = ['Emperor']\n", Verdict.WARNING, "Emperor"),
        ("[policy]\ngdap_request = 'yes'\n[gdap]\ngroups = ['{group}: Directory readers']\n", Verdict.GOOD, "1 group"),
    ],
)
def test_doctor_warns_of_settings_that_would_be_refused(desk: Desk, policy: str, verdict: Verdict | None, words: str):
    """Never more than a warning: the move does not need it (R-107)."""
    file = desk.folder / "tenantfold.toml"
    file.write_text(f"{file.read_text()}\n{policy.replace('{group}', '55555555-5555-4555-8555-555555555555')}")
    found = delegated_admin(config.load(file))
    assert [one.verdict for one in found] == ([verdict] if verdict is not None else [])
    assert all(words in one.detail for one in found)
