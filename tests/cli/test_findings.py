"""Findings and the reasons of routes, as people get them: on the screen, in files, in the workbook."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from tenantfold.cli.plans import MANY
from tenantfold.domain.findings import Finding, FindingCode, Severity
from tenantfold.domain.model import OfferId, ProductKind, Route
from tenantfold.domain.plan import Disposition, PlanItem
from tenantfold.domain.states import Owner
from tests.cli.conftest import Desk, customer, manual_item

ENDS = date(2026, 6, 30)
BY_HAND = Finding(
    code=FindingCode.BY_HAND,
    severity=Severity.WARNING,
    rule="R-151",
    detail="Software is not transferred.",
    owner=Owner.OPERATIONS,
    next_action="Settle it by hand.",
    estimated_on=ENDS,
)
SOFTWARE = Finding(
    code=FindingCode.SOFTWARE_STAYS,
    severity=Severity.NOTE,
    rule="R-151",
    detail="Perpetual software stays.",
    owner=Owner.OPERATIONS,
    next_action="Save its keys.",
)
UNREAD = Finding(
    code=FindingCode.NOT_READ,
    severity=Severity.BLOCKER,
    rule="invariant 9",
    detail="=It could not be read.",
    owner=Owner.CUSTOMER,
    next_action="Ask the customer.",
)


def legacy_item(name: str, **fields: object) -> PlanItem:
    """An ordinary legacy license that is ordered again."""
    e3 = OfferId("OFFER-E3")
    given = {"offer_id": e3, "offer_name": "E3", "route": Route.RECREATE, "kind": ProductKind.LEGACY_LICENSE}
    return manual_item(name, **{**given, "target_offer_id": e3, "billing_cycle": "monthly", **fields})


@pytest.fixture
def planned(desk: Desk) -> Desk:
    """Three customers: one with findings of its own and of a subscription, one blocked, one with nothing at all."""
    desk.plan(
        customer(1, manual_item("s1", findings=(BY_HAND,), ends_on=ENDS), legacy_item("s2"), findings=(SOFTWARE,)),
        customer(2, legacy_item("s3"), findings=(UNREAD,), disposition=Disposition.BLOCKED),
        customer(3, disposition=Disposition.NOTHING_TO_MOVE),
        approve=False,
    )
    return desk


def table(path: Path) -> list[dict[str, str]]:
    """What a program sees that reads a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_the_plan_shows_severity_owner_action_and_day_of_every_finding(planned: Desk):
    """Also of a single warning, and of a note that somebody must act upon."""
    code, said = planned.say("show", "plan")
    assert code == 0
    for word in (
        "warning",
        "by_hand [R-151]",
        "operations: Settle it by hand.",
        "2026-06-30",
        "note",
        "Save its keys.",
    ):
        assert word in said
    assert "customer: Ask the customer." in said
    assert "tenantfold export findings" in said


def test_many_equal_findings_are_one_row_with_the_earliest_day(desk: Desk):
    """A plan of thousands of customers fits the screen."""
    days = [date(2026, 6, 1 + number) for number in range(MANY + 1)]
    found = [
        Finding(**{**{name: getattr(BY_HAND, name) for name in BY_HAND.__slots__}, "estimated_on": day})
        for day in reversed(days)
    ]
    desk.plan(*(customer(number, manual_item(f"s{number}", findings=(one,))) for number, one in enumerate(found)))
    _, said = desk.say("show", "plan")
    assert f"{MANY + 1} times" in said
    assert "operations: Settle it by hand." in said
    assert str(days[0]) in said
    assert str(days[-1]) not in said


def test_findings_are_exported_one_a_row(planned: Desk):
    """The customer's own first; a text that looks like a formula stays a text."""
    path = planned.folder / "findings.csv"
    assert planned.json("export", "findings", "--to", str(path))["rows"] == 3
    rows = table(path)
    shown = ("Company", "Subscription id", "Severity", "Code", "Rule", "Owner", "Next action", "Estimated day (UTC)")
    assert [tuple(row[heading] for heading in shown) for row in rows] == [
        ("Company 1", "", "note", "software_stays", "R-151", "operations", "Save its keys.", ""),
        ("Company 1", "s1", "warning", "by_hand", "R-151", "operations", "Settle it by hand.", "2026-06-30"),
        ("Company 2", "", "blocker", "not_read", "invariant 9", "customer", "Ask the customer.", ""),
    ]
    assert [row["Tenant"] for row in rows] == ["", "se", ""]
    assert rows[2]["Detail"] == "'=It could not be read."


def test_the_exported_plan_says_why_each_goes_its_way_and_at_what_cost(planned: Desk):
    """Rules, confidence, cost by the price list, the best other way and its cost; nothing for who holds nothing."""
    (planned.folder / "price-list.csv").write_text("offer_id,monthly_unit_price,currency\nOFFER-E3,12.50,EUR\n")
    path = planned.folder / "plan.csv"
    assert planned.json("export", "plan", "--to", str(path))["rows"] == 4
    rows = {row["Subscription id"]: row for row in table(path)}
    why = ("Rules of the route", "Confidence", "Cost of the route", "Best alternative", "Cost of the alternative")
    price = "today's price 5 x 12.50 = 62.50 EUR a month"
    assert tuple(rows["s2"][heading] for heading in why) == (
        "R-27 R-33 R-118",
        "documented",
        f"{price}; currency not known",
        "manual",
        "unknown days billed twice; promotion not known",
    ) or rows["s2"]["Cost of the route"].startswith(price)
    assert rows["s1"]["Best alternative"] == "keep"
    assert "today's price not known" in rows["s1"]["Cost of the route"]
    assert {rows[""][heading] for heading in why} == {""}


def test_the_workbook_has_the_findings_and_the_reasons(planned: Desk):
    """One workbook for finance: a sheet more, and more columns of the plan."""
    planned.json("report", "--to", str(planned.folder / "out"))
    book = openpyxl.load_workbook(planned.folder / "out" / "report.xlsx")
    assert "Findings" in book.sheetnames
    assert book["Findings"].max_row == 4
    headings = [cell.value for cell in book["Plan"][1]]
    assert headings[-5:] == [
        "Rules of the route",
        "Confidence",
        "Cost of the route",
        "Best alternative",
        "Cost of the alternative",
    ]


def test_without_a_plan_there_is_nothing_to_export(desk: Desk):
    """The headings come all the same."""
    desk.do(lambda store: store.migrate())
    for what in ("findings", "plan"):
        path = desk.folder / f"{what}.csv"
        assert desk.json("export", what, "--to", str(path))["rows"] == 0
        assert "Customer id" in path.read_text("utf-8-sig")


def test_explain_tells_the_price_the_rules_and_who_must_act(planned: Desk):
    """A blocked customer: what was found, by whom it is settled, and what its routes would cost."""
    (planned.folder / "price-list.csv").write_text("offer_id,monthly_unit_price,currency\nOFFER-E3,12.50,EUR\n")
    _, said = planned.say("explain", "Company 2")
    assert "blocker [invariant 9] =It could not be read. customer: Ask the customer." in said
    assert "5 x 12.50 = 62.50 EUR a month" in said


def test_a_price_list_with_faults_is_named(planned: Desk):
    """No price is taken from a list that does not hold together."""
    (planned.folder / "price-list.csv").write_text("offer_id,monthly_unit_price,currency\nOFFER-E3,cheap,EUR\n")
    code, said = planned.say("explain", "Company 2")
    assert code != 0
    assert "monthly_unit_price" in said
