"""The package for Microsoft's support: complete, harmless, and only what is ready."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from tenantfold.reports.handoff import FORM
from tests.cli.conftest import CENTRAL, NO, SE, Desk, azure_item, customer, manual_item

EVIL = "=HYPERLINK(1)\nBcc: all@example.com"


@pytest.fixture
def ready(desk: Desk) -> Desk:
    """Azure at two sources; one customer has not accepted, one has none, one has a name that is an attack."""
    desk.plan(
        customer(1, azure_item("a1"), azure_item("a2", NO)),
        customer(2, azure_item("a3")),
        customer(3, manual_item("s1")),
        replace(customer(4, azure_item("a4")), company_name=EVIL, contact=None),
        accepted=(1, 3, 4),
    )
    return desk


def read(file: Path) -> list[dict[str, str]]:
    """A CSV file's rows by heading."""
    return list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines(keepends=True)))


def test_every_source_gets_a_package_of_its_own(ready: Desk):
    """Microsoft acts for the current partner only (R-179); who is not ready is named with the reason."""
    answer = ready.json("handoff", "--to", str(ready.folder / "out"))
    assert [(one["tenant"], one["companies"], one["subscriptions"]) for one in answer["packages"]] == [
        ("se", 2, 2),
        ("no", 1, 1),
    ]
    assert all(Path(file).is_file() for one in answer["packages"] for file in one["files"])
    [left_out] = answer["left_out"]
    assert (left_out["customer_id"], "R-48" in left_out["why"]) == ("c-2", True)


def test_the_list_holds_names_and_the_file_every_id(ready: Desk):
    """The guide's company names (R-49), and both partners, the customer and the subscription in full (R-185)."""
    ready.json("handoff", "--to", str(ready.folder / "out"))
    names = read(ready.folder / "out" / "no" / "company-names.csv")
    assert names == [{"Company name": "Company 1"}]
    [row] = read(ready.folder / "out" / "no" / "subscriptions.csv")
    assert row["Subscription ID"] == "a2"
    assert row["Azure subscription ID"] == "azure-a2"
    assert row["Customer Microsoft ID"] == "c-1"
    assert (row["Current partner"], row["Current partner Microsoft ID"]) == ("Nordwind Norge", NO)
    assert (row["New partner"], row["New partner Microsoft ID"]) == ("Nordwind", CENTRAL)


def test_the_form_has_what_is_known_and_leaves_the_rest_to_a_person(ready: Desk):
    """Issue type, plan, severity and problem type as Microsoft asks (R-180); signatures and our contacts are empty."""
    ready.json("handoff", "--to", str(ready.folder / "out"))
    book = openpyxl.load_workbook(ready.folder / "out" / "se" / "hand-off.xlsx")
    assert book.sheetnames == ["Companies", "Subscriptions", "Request form"]
    heading, *rows = book["Request form"].iter_rows(values_only=True)
    assert heading == FORM.headings
    first = dict(zip(heading, rows[0], strict=True))
    assert first["Issue type"] == "Subscription management"
    assert first["Severity"] == "C (minimal impact)"
    assert first["Customer contact"] == "Ada Berg <ada@example.com>"
    assert first["Contract with the new partner"] == "2026-02-01"
    assert not first["Signature of customer"]
    assert not first["New partner contact"]
    assert not dict(zip(heading, rows[1], strict=True))["Customer contact"]


def test_a_name_is_neither_a_formula_nor_a_line_of_the_mail(ready: Desk):
    """What customers chose themselves is text in every file (a spreadsheet would run it)."""
    ready.json("handoff", "--to", str(ready.folder / "out"))
    names = [row["Company name"] for row in read(ready.folder / "out" / "se" / "company-names.csv")]
    assert any(name.startswith("'=HYPERLINK(1)") for name in names)
    mail = (ready.folder / "out" / "se" / "mail.txt").read_text()
    assert "- =HYPERLINK(1) Bcc: all@example.com\n" in mail
    assert "\nBcc" not in mail
    assert f"Microsoft ID {SE}" in mail
    assert f"Microsoft ID {CENTRAL}" in mail
    sheet = openpyxl.load_workbook(ready.folder / "out" / "se" / "hand-off.xlsx")["Subscriptions"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}


def test_what_was_handed_off_is_not_written_again_unless_wanted(ready: Desk):
    """Microsoft is asked once; --again writes all that has not moved."""
    ready.json("tasks", "done", "all", "handed_off", "--note", "615", "--by", "Eva")
    answer = ready.json("handoff", "--to", str(ready.folder / "out"))
    assert answer["packages"] == []
    assert "Microsoft was asked for 2 of 2" in answer["left_out"][0]["why"]
    assert "Nothing is ready" in ready.say("handoff", "--to", str(ready.folder / "out"))[1]
    again = ready.json("handoff", "--to", str(ready.folder / "out"), "--again")
    assert [one["subscriptions"] for one in again["packages"]] == [2, 1]


def test_a_folder_that_cannot_be_made_is_a_sentence(ready: Desk):
    """A file stands in its place."""
    place = ready.folder / "taken"
    place.write_text("here")
    code, said = ready.say("handoff", "--to", str(place))
    assert code == 2
    assert "cannot be made" in said


def test_people_are_told_what_comes_next(ready: Desk):
    """The files, who is left out, and how the hand-off is confirmed."""
    code, said = ready.say("handoff", "--to", str(ready.folder / "out"))
    assert code == 0
    assert "tenantfold tasks done CUSTOMER handed_off" in said
    assert "Company 2" in said
