"""Findings: every code planning can give, once where it must be given and once where it must not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tenantfold.domain.findings import FindingCode, Severity
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import Offer, OfferId, Subscription
from tenantfold.domain.plan import Disposition
from tenantfold.domain.planner import build_customer
from tenantfold.domain.preflight import PlanContext
from tenantfold.domain.records import BookEntry
from tenantfold.domain.states import Owner
from tests.domain.samples import (
    C1,
    E3,
    E5,
    NO,
    SE,
    TARGET,
    VISIO,
    context,
    counterpart,
    customer,
    entry,
    offer,
    source,
    target,
)

CODE = FindingCode
APPROVED = OfferMapping(source_offer_id=E3, target_offer_id=E5, approved_by="Eva")
PROPOSED = OfferMapping(source_offer_id=E3, target_offer_id=E5)
GONE = offer("E3", is_available=False)
ADD_ON = offer("VISIO", is_add_on=True, prerequisite_offers=(OfferId("E3"),))
BLOCKER, WARNING, NOTE = Severity.BLOCKER, Severity.WARNING, Severity.NOTE


@dataclass(frozen=True)
class Row:
    """A customer of which this code must be said, and one of which it must not."""

    code: FindingCode
    rule: str
    severity: Severity
    said: tuple[BookEntry, PlanContext]
    unsaid: tuple[BookEntry, PlanContext]
    about: str = ""

    def __str__(self) -> str:
        """The test's name."""
        return f"{self.rule} {self.code.value}{' ' if self.about else ''}{self.about}"


def _plain(*offers: Offer, **fields: object) -> tuple[BookEntry, PlanContext]:
    return entry(source()), context(*offers, **fields)


def _in_country(country: str, **fields: object) -> tuple[BookEntry, PlanContext]:
    """The ordinary customer in another country, whose catalog was read."""
    catalog = {code: {E3: offer(country=code)} for code in ("SE", "NO", "IE", "US")}
    return entry(source(), seen=(customer(country=country),)), context(catalog=catalog, **fields)


def _with_add_on(base_route: str = "active", add_on_offer: Offer = ADD_ON) -> tuple[BookEntry, PlanContext]:
    base = source("s1", wire_status=base_route)
    add_on = source("s2", offer_id=VISIO, parent_id=base.id)
    return entry(base, add_on), context(offer(), add_on_offer)


def _held(count: int) -> tuple[BookEntry, PlanContext]:
    """So many subscriptions at the source, each of which moves."""
    return entry(*(source(f"s{number:03}") for number in range(count))), context()


def _limited(limit: int, standing: int) -> tuple[BookEntry, PlanContext]:
    """One subscription of an offer that is limited per customer, others stand at the target."""
    others = (target(f"t{number}", license_count=9) for number in range(standing))
    return entry(source(), *others), context(offer(limit_unit="Concurrent", limit=limit))


def _begun(*others: Subscription) -> tuple[BookEntry, PlanContext]:
    """A customer whose first subscription stands at the target already, its source not suspended yet."""
    known = {one.source_id: one for one in (counterpart(),)}
    return entry(source(), *others, target()), context(counterparts=known)


ROWS = [
    Row(CODE.OUTSIDE_REGION, "R-83", BLOCKER, _in_country("US"), _in_country("NO")),
    Row(CODE.OUTSIDE_REGION, "R-83", BLOCKER, _in_country("XX"), _in_country("se"), "country of no region"),
    Row(CODE.COUNTRY_UNKNOWN, "R-82", BLOCKER, _in_country(""), _in_country("SE")),
    Row(CODE.OTHER_COUNTRY, "R-82", NOTE, _in_country("NO"), _in_country("SE")),
    Row(
        CODE.NOT_READ,
        "invariant 9",
        BLOCKER,
        (entry(source(), unread=((TARGET, "no access"),)), context()),
        _plain(),
        "customer",
    ),
    Row(
        CODE.NOT_READ,
        "invariant 9",
        BLOCKER,
        (entry(unread=((SE, "no access"),)), context()),
        (entry(), context()),
        "customer of whom nothing is known",
    ),
    Row(CODE.NOT_READ, "R-27", BLOCKER, _plain(catalog={"NO": {}}), _plain(), "catalog"),
    Row(CODE.UNKNOWN_STATUS, "R-227", BLOCKER, (entry(source(wire_status="frozen")), context()), _plain()),
    Row(
        CODE.ROUTE_NOT_SUPPORTED,
        "R-145",
        BLOCKER,
        (entry(source(product_type="OnlineServicesNCE")), context()),
        _plain(),
    ),
    Row(CODE.ROUTE_NOT_SUPPORTED, "R-46", BLOCKER, (entry(source(billing_type="usage")), context()), _plain()),
    Row(CODE.OFFER_NOT_SOLD, "R-121", BLOCKER, _plain(offer("E5")), _plain(), "offer unknown"),
    Row(
        CODE.OFFER_NOT_SOLD,
        "R-121",
        BLOCKER,
        _plain(GONE),
        _plain(GONE, offer("E5"), mapping={E3: APPROVED}),
        "withdrawn",
    ),
    Row(
        CODE.OFFER_NOT_SOLD,
        "R-121",
        BLOCKER,
        _plain(GONE, offer("E5", is_available=False), mapping={E3: APPROVED}),
        _plain(GONE, offer("E5"), mapping={E3: APPROVED}),
        "the mapped one neither",
    ),
    Row(
        CODE.MAPPING_NOT_APPROVED,
        "R-121",
        BLOCKER,
        _plain(GONE, offer("E5"), mapping={E3: PROPOSED}),
        _plain(GONE, offer("E5"), mapping={E3: APPROVED}),
    ),
    Row(
        CODE.MAPPED_OFFER,
        "R-119",
        WARNING,
        _plain(GONE, offer("E5"), mapping={E3: APPROVED}),
        _plain(offer(), offer("E5"), mapping={E3: APPROVED}),
    ),
    Row(
        CODE.BILLING_CYCLE_NOT_SOLD,
        "R-27",
        BLOCKER,
        _plain(offer(billing_cycles=("annual",))),
        _plain(offer(billing_cycles=())),
    ),
    Row(
        CODE.LICENSE_COUNT_OUT_OF_RANGE,
        "R-123",
        BLOCKER,
        _plain(offer(maximum_quantity=4)),
        _plain(offer(maximum_quantity=5)),
        "too many",
    ),
    Row(
        CODE.LICENSE_COUNT_OUT_OF_RANGE,
        "R-123",
        BLOCKER,
        _plain(offer(minimum_quantity=6)),
        _plain(offer(minimum_quantity=5)),
        "too few",
    ),
    Row(CODE.OFFER_LIMIT_REACHED, "R-122", BLOCKER, _limited(2, 1), _limited(3, 1)),
    Row(CODE.OFFER_LIMIT_REACHED, "R-122", BLOCKER, _limited(1, 0), _limited(2, 0), "source and target together"),
    Row(CODE.SUBSCRIPTION_LIMIT_REACHED, "R-74", BLOCKER, _held(151), _held(150)),
    Row(CODE.ADD_ON_WITHOUT_BASE, "R-124", BLOCKER, _with_add_on("suspended"), _with_add_on(), "base does not move"),
    Row(
        CODE.ADD_ON_WITHOUT_BASE,
        "R-124",
        BLOCKER,
        _with_add_on(add_on_offer=offer("VISIO", prerequisite_offers=(E5,))),
        _with_add_on(add_on_offer=offer("VISIO")),
        "base of another offer",
    ),
    Row(
        CODE.ADD_ON_WITHOUT_BASE,
        "R-124",
        BLOCKER,
        (entry(source("s2", offer_id=VISIO, parent_id="s9")), context(ADD_ON)),
        _with_add_on(),
        "base not listed",
    ),
    Row(CODE.AGREEMENT_CONTACT_MISSING, "R-113", WARNING, _plain(contacts={}), _plain()),
    Row(CODE.ADOPTS_EXISTING, "R-28", WARNING, (entry(source(), target()), context()), _plain()),
    Row(
        CODE.TARGET_HAS_OTHER_COUNT,
        "R-28",
        WARNING,
        (entry(source(), target(license_count=6)), context()),
        (entry(source(), target()), context()),
    ),
    Row(
        CODE.TWO_SOURCES,
        "R-101",
        WARNING,
        (entry(source(), seen=(customer(), customer(tenant_id=NO))), context()),
        (entry(source(), seen=(customer(), customer(tenant_id=TARGET))), context()),
    ),
    Row(CODE.CUTOVER_HAS_BEGUN, "R-33", WARNING, _begun(source("s2", wire_status="frozen")), _begun()),
    Row(CODE.NOTHING_TO_MOVE, "R-32", NOTE, (entry(source(wire_status="deleted")), context()), _plain()),
    Row(
        CODE.NOTHING_TO_MOVE,
        "R-32",
        NOTE,
        (entry(source(is_trial=True)), context()),
        (entry(unread=((SE, "no access"),)), context()),
        "unread is not nothing",
    ),
]


def test_no_finding_is_without_a_case():
    """A new code needs a row here."""
    assert {row.code for row in ROWS} == set(FindingCode)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_finding_is_said_where_it_holds(row: Row):
    """With its severity and rule, a sentence, and somebody who must act; a blocker keeps the customer in place."""
    plan = build_customer(*row.said)
    found = [one for one in plan.all_findings() if (one.code, one.rule) == (row.code, row.rule)]
    assert {one.severity for one in found} == {row.severity}
    assert all(one.detail and one.next_action for one in found)
    assert all((one.owner is Owner.NOBODY) is (one.severity is NOTE) for one in found)
    assert (plan.disposition is Disposition.BLOCKED) is bool(plan.blockers())


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_finding_is_not_said_where_it_does_not_hold(row: Row):
    """The nearest harmless neighbor of the case."""
    plan = build_customer(*row.unsaid)
    assert (row.code, row.rule) not in {(one.code, one.rule) for one in plan.all_findings()}


def test_a_customer_with_nothing_to_move_is_not_asked_about_country_or_contact():
    """What does not move needs neither region nor agreement."""
    nothing = entry(source(wire_status="deleted"), seen=(customer(country=""),))
    plan = build_customer(nothing, context(contacts={}))
    assert plan.disposition is Disposition.NOTHING_TO_MOVE
    assert not plan.blockers()


def test_other_codes_are_not_said_of_the_ordinary_customer():
    """The ordinary customer moves without a word."""
    plan = build_customer(entry(source()), context())
    assert plan.all_findings() == ()
    assert plan.disposition is Disposition.MOVE
    assert (plan.customer_id, plan.company_name, plan.country) == (C1, "Ekdal AB", "SE")


def test_a_cutover_that_has_begun_is_finished_although_something_new_is_blocked():
    """R-33: what stands at the target is not left half-done, what is blocked stays, and the next plan blocks it."""
    plan = build_customer(*_begun(source("s2", wire_status="frozen"), source("s3")))
    assert plan.disposition is Disposition.MOVE
    assert [item.subscription_id for item in plan.items if item.moves] == ["s1"]
    assert not plan.blockers()
