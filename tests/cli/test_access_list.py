"""The list of who may get into Azure, as a file that people open in a spreadsheet."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from tenantfold.domain.azure import AzureItem, AzureKind
from tenantfold.domain.facts import TenantFacts
from tenantfold.domain.model import Customer, CustomerId, ProductKind, Route, SubscriptionId
from tenantfold.domain.reads import Read
from tenantfold.reports.access_list import BLIND, TABLE
from tenantfold.store import Store
from tests.cli.conftest import CENTRAL, NOW, SE, Desk, azure_item, customer, manual_item

EVIL = "=HYPERLINK(1)"


async def _look_up(store: Store) -> None:
    """A second inventory, which found one Azure subscription with an evil name under the plan "p1"."""
    found = Customer(
        id=CustomerId("c-1"), tenant_id=SE, company_name="Ekdal", domain="ekdal.example", relationship="reseller",
        country="SE",
    )  # fmt: skip
    below = AzureItem(
        id=SubscriptionId("e1"), tenant_id=SE, kind=AzureKind.SUBSCRIPTION, name=EVIL, status="active",
        plan_id=SubscriptionId("p1"),
    )  # fmt: skip
    snapshot = await store.open_snapshot(SE, NOW)
    read = Read(value=found, document=b"{}")
    await store.save_customer_page(snapshot, [read], None)
    await store.save_customers(snapshot, [(read, [])])
    await store.save_facts(snapshot, [TenantFacts(tenant_id=SE, customer_id=found.id, azure=(below,))])
    await store.complete_snapshot(snapshot, NOW)


@pytest.fixture
def azure(desk: Desk) -> Desk:
    """An Azure plan with one Azure subscription below it, usage-based Azure, and a customer without Azure."""
    plan = azure_item("p1", route=Route.AZURE_TRANSFER, kind=ProductKind.AZURE_PLAN)
    desk.plan(
        replace(customer(1, plan), company_name="+46 Ekdal"),
        customer(2, azure_item("a2")),
        customer(3, manual_item("s1")),
        accepted=(1, 2, 3),
    )
    desk.do(_look_up)
    return desk


def written(desk: Desk) -> list[dict[str, str]]:
    """The rows of the list by heading."""
    file = desk.folder / "access-checklist.csv"
    assert desk.json("tasks", "access", "--to", str(file))["file"] == str(file)
    return list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))


def test_one_row_an_azure_subscription_with_both_partners(azure: Desk):
    """Both ways that Azure moves; what to look at before and after, and that no call can see it."""
    first, second = written(azure)
    assert (first["Azure subscription ID"], first["Under"], first["Moved"]) == ("e1", "p1", "false")
    assert (first["Old partner"], first["New partner"]) == ("Nordwind Sverige", "Nordwind")
    assert (first["Old partner Microsoft ID"], first["New partner Microsoft ID"]) == (SE, CENTRAL)
    assert "foreign principal of Nordwind Sverige" in first["Check before the move"]
    assert "that of Nordwind has the role" in first["Check after the move"]
    assert (second["Customer Microsoft ID"], second["Azure subscription ID"]) == ("c-2", "azure-a2")
    assert {row["What the ticks rest on"] for row in (first, second)} == {BLIND}


def test_names_from_outside_are_no_formulas(azure: Desk):
    """A spreadsheet would run them."""
    first, _ = written(azure)
    assert (first["Customer"], first["Azure subscription"]) == ("'+46 Ekdal", f"'{EVIL}")


def test_the_ticks_are_what_persons_confirmed(azure: Desk):
    """Nothing is ticked that nobody said; what comes after the move is not open before it."""
    first, second = written(azure)
    assert (first["access_listed"], first["old_access_removed"]) == ("open", "after the move")
    assert second["access_listed"] == "not asked for on this route"
    azure.json("tasks", "done", "c-1", "access_listed", "--note", "ticket 4711", "--by", "Eva")
    day = azure.case(1).evidence[0].at
    assert written(azure)[0]["access_listed"] == f"{day:%Y-%m-%d} by Eva"


def test_people_are_told_what_the_list_cannot_know(azure: Desk, monkeypatch: pytest.MonkeyPatch):
    """In the list of tasks too; without a file name it lies where the command runs."""
    monkeypatch.chdir(azure.folder)
    code, said = azure.say("tasks", "access")
    assert (code, "2 Azure subscription(s) written to access-checklist.csv." in said, BLIND in said) == (0, True, True)
    assert Path("access-checklist.csv").is_file()
    code, said = azure.say("tasks")
    assert (code, "subscription by subscription: tenantfold tasks access" in said) == (0, True)


def test_every_column_says_what_it_is():
    """The heading for people, the meaning for the reference."""
    assert len(set(TABLE.headings)) == len(TABLE.columns)
    assert all(column.meaning for column in TABLE.columns)
