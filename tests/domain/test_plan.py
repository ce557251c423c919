"""The plan as a value: what a person approves by its checksum (invariant 5)."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from typing import TypeVar

import pytest

from tenantfold.domain.findings import Finding, Severity
from tenantfold.domain.model import AgreementContact, ProductKind, Route
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanHeader, PlanItem
from tenantfold.store import codec
from tests.domain.samples import CONTACT, HEADER, checksum, finding, item, plan_customer

Part = TypeVar("Part", PlanHeader, PlanCustomer, PlanItem, Finding, AgreementContact)

OTHER = plan_customer(item("s2", route=Route.KEEP), customer_id="c2", company_name="Fjord AS", findings=(finding(),))
PLAN = (plan_customer(item("s1"), item("s3", parent_id="s1")), OTHER)
BASE = checksum(HEADER, PLAN)


def _variants(part: Part) -> list[Part]:
    """The value with each of its fields changed, one at a time."""
    return [replace(part, **{field.name: _other(getattr(part, field.name))}) for field in fields(part)]  # type: ignore[arg-type]  # all of them are dataclasses


def _other(value: object) -> object:  # noqa: PLR0911 - one line per type
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case Disposition():
            return Disposition.BLOCKED
        case Severity():
            return Severity.NOTE
        case Route():
            return Route.SKIP
        case ProductKind():
            return ProductKind.UNKNOWN
        case str():
            return f"{value}x"
        case int():
            return value + 1
        case tuple():
            return (*value, finding(detail="more"))
        case None:
            return "x"
        case _:
            return None


def _changed_items() -> list[PlanCustomer]:
    return [replace(OTHER, items=(one,)) for one in _variants(OTHER.items[0])]


def _changed_findings() -> list[PlanCustomer]:
    return [replace(OTHER, findings=(one,)) for one in _variants(OTHER.findings[0])]


def _changed_contacts() -> list[PlanCustomer]:
    return [replace(OTHER, contact=one) for one in _variants(CONTACT)]


def test_same_inputs_same_checksum():
    """Built again from equal values it is the same 64 hex digits."""
    again = (
        plan_customer(item("s1"), item("s3", parent_id="s1")),
        plan_customer(item("s2", route=Route.KEEP), customer_id="c2", company_name="Fjord AS", findings=(finding(),)),
    )
    assert checksum(replace(HEADER), again) == BASE
    assert len(BASE) == 64
    assert set(BASE) <= set("0123456789abcdef")


def test_the_checksum_can_be_computed_again_from_the_texts_that_are_kept():
    """SHA-256 over one line for the header and one for each customer; no text holds a newline of its own."""
    odd = replace(OTHER, company_name="Two\nlines")
    lines = [codec.to_json(HEADER), codec.to_json(odd)]
    assert checksum(HEADER, (odd,)) == hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    assert not any("\n" in line for line in lines)


@pytest.mark.parametrize("header", _variants(HEADER), ids=[field.name for field in fields(HEADER)])
def test_any_field_of_the_header_changes_it(header: PlanHeader):
    """Consolidation, target, snapshots, mapping, selection."""
    assert checksum(header, PLAN) != BASE


@pytest.mark.parametrize("customer", [*_variants(OTHER), *_changed_items(), *_changed_findings(), *_changed_contacts()])
def test_any_field_of_a_customer_its_items_findings_and_contact_changes_it(customer: PlanCustomer):
    """Nothing can change between review and approval without being seen."""
    assert customer != OTHER
    assert checksum(HEADER, (PLAN[0], customer)) != BASE


def test_customers_left_out_added_or_exchanged_change_it():
    """The set and its order belong to the plan."""
    first, second = PLAN
    changed = [(), (first,), (first, second, second), (second, first)]
    assert len({checksum(HEADER, one) for one in changed} | {BASE}) == len(changed) + 1


def test_findings_of_the_customer_come_before_those_of_its_items():
    """And only blockers keep it in place."""
    warned = item(findings=(finding(Severity.WARNING, "of the item"),))
    customer = plan_customer(warned, findings=(finding(detail="of the customer"),))
    assert [one.detail for one in customer.all_findings()] == ["of the customer", "of the item"]
    assert [one.detail for one in customer.blockers()] == ["of the customer"]


@pytest.mark.parametrize("route", Route)
def test_only_recreate_moves_in_this_version(route: Route):
    """Every other route leaves the subscription alone."""
    assert item(route=route).moves is (route is Route.RECREATE)


def test_an_add_on_is_what_has_a_base():
    """R-124."""
    assert item(parent_id="s1").is_add_on
    assert not item().is_add_on
