"""Delegated admin access on the command line: what the ledger says is listed, what may not be is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from python_calamine import CalamineWorkbook

from tenantfold import config
from tenantfold.cli.setup import delegated_admin
from tenantfold.domain.gdap import (
    GdapCase,
    GdapCondition,
    GdapIntent,
    GdapOp,
    GdapStanding,
    GroupAccess,
    RelationshipId,
    RelationshipWish,
)
from tenantfold.domain.gdap_roles import terms_of
from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import Disposition
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


ASKED = "\n[policy]\ngdap_request = 'yes'\n"
EVIL = "<script>alert(1)</script>"


def asked_for(desk: Desk, *, names: tuple[str, ...] = (EVIL,)) -> None:
    """The settings ask for it: one customer waits, one has it, one needs a person, one was asked by nobody."""
    file = desk.folder / "tenantfold.toml"
    file.write_text(f"{file.read_text()}{ASKED}")
    desk.plan(*(customer(number) for number in range(1, 5)), customer(5, disposition=Disposition.BLOCKED))
    keep(desk, WAITING, names[0])
    roles = terms_of(["License administrator"], [], duration_days=730, auto_extend=False).roles
    wish = RelationshipWish(
        name="north-1", customer_id=CustomerId("c-2"), roles=roles, duration_days=730, auto_extend=False
    )
    made = GdapIntent(key="k", customer_id=CustomerId("c-2"), kind=GdapOp.CREATE, at=NOW, round=0, wish=wish)
    active = GdapCase(customer_id=CustomerId("c-2"), company_name="Company 2")
    group = GroupAccess(group_id="55555555-5555-4555-8555-555555555555", roles=roles)
    given = GdapStanding(
        condition=GdapCondition.ACTIVE,
        code="active",
        detail="Everything was read active.",
        owner=Owner.NOBODY,
        ends_at=NOW + timedelta(days=730),
        verified=(group,),
    )
    odd = GdapStanding(
        condition=GdapCondition.NEEDS_PERSON,
        code="by_hand",
        detail="A colleague asked by hand.",
        owner=Owner.OPERATIONS,
        next_action="Look at it in Partner Center.",
    )
    strange = GdapCase(customer_id=CustomerId("c-3"), company_name="Company 3")
    desk.do(lambda store: store.record_gdap_intent(active, made))
    desk.do(lambda store: store.save_gdap_standing(active, given, NOW))
    desk.do(lambda store: store.save_gdap_standing(strange, odd, NOW))


def test_status_counts_who_stands_where_and_says_what_to_do_next(desk: Desk):
    """Those that need somebody first; a customer that the plan moves and nobody asked is counted."""
    asked_for(desk)
    access = desk.json("status")["delegated_admin"]
    assert [(one["condition"], one["customers"], one["owner"]) for one in access["conditions"]] == [
        ("needs_person", 1, "operations"),
        ("not_requested", 1, "operations"),
        ("waits_for_customer", 1, "customer"),
        ("active", 1, "nobody"),
    ]
    _, said = desk.say("status")
    assert "Delegated admin access" in said
    assert "tenantfold gdap request" in said
    assert "as of 2026-03-02 08:00 UTC" in said


def test_the_report_has_a_section_and_a_sheet_with_a_row_for_every_customer(desk: Desk):
    """Condition, roles, groups, end and link, in id order; names from outside are text on the page."""
    asked_for(desk)
    desk.json("report", "--to", str(desk.folder / "reports"))
    page = (desk.folder / "reports" / "report.html").read_text()
    assert "Delegated admin access" in page
    assert EVIL not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    sheet = CalamineWorkbook.from_path(str(desk.folder / "reports" / "report.xlsx")).get_sheet_by_name(
        "Delegated admin"
    )
    heading, *rows = sheet.to_python()
    found = [dict(zip(heading, row, strict=True)) for row in rows]
    assert [(one["Customer id"], one["Condition"]) for one in found] == [
        ("c-1", "waits_for_customer"),
        ("c-2", "active"),
        ("c-3", "needs_person"),
        ("c-4", "not_requested"),
    ]
    assert str(found[0]["Link"]).endswith("/r-1")
    assert found[1]["Roles"] == "License administrator"
    assert found[1]["Groups"] == "55555555-5555-4555-8555-555555555555: License administrator"
    assert str(found[1]["Ends (UTC)"]).startswith("2028-03-01")
    assert not found[1]["Link"]


def test_nothing_is_shown_where_the_settings_do_not_ask(desk: Desk):
    """No line, no section, no sheet, no member; also where somebody asked before the settings changed."""
    desk.plan(customer(1))
    keep(desk, WAITING)
    assert "delegated_admin" not in desk.json("status")
    assert "Delegated" not in desk.say("status")[1]
    desk.json("report", "--to", str(desk.folder / "reports"))
    assert "elegated admin" not in (desk.folder / "reports" / "report.html").read_text()
    names = CalamineWorkbook.from_path(str(desk.folder / "reports" / "report.xlsx")).sheet_names
    assert "Delegated admin" not in names
