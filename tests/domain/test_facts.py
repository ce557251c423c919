"""What was looked up beside the subscriptions becomes facts of a customer, and never more than was read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tenantfold.domain.azure import AzureItem, AzureKind
from tenantfold.domain.facts import (
    NO_FACTS,
    AzureCommitment,
    TenantFacts,
    holds,
    may_own_software,
    together,
)
from tenantfold.domain.model import ProductKind, Subscription, SubscriptionId, TenantId
from tenantfold.domain.products import product_kind
from tenantfold.domain.requests import Transfer, TransferId, TransferLine, TransferState
from tenantfold.domain.software import OwnedSoftware
from tests.domain import preflight_cases as cases
from tests.domain.preflight_cases import OFFICE
from tests.domain.samples import C1, NO, SE, TARGET, source

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
NEW = cases.licensed("n1")
AZURE = source("a1", offer_id="DZH318Z0BPS6:0001:DZH318Z0BMTV", product_type="Azure", billing_type="usage")
VM = AzureItem(
    id=SubscriptionId("r1"), tenant_id=SE, kind=AzureKind.RESERVATION, name="VM", status="Succeeded", is_monthly=True
)


def _transfer(*lines: str, target: TenantId = NO, state: TransferState = TransferState.IN_PROGRESS) -> Transfer:
    return Transfer(
        id=TransferId("x1"),
        customer_id=C1,
        source_id=SE,
        target_id=target,
        status=state.value,
        state=state,
        lines=tuple(TransferLine(id=SubscriptionId(one), status="") for one in lines),
    )


def _facts(*transfers: Transfer) -> TenantFacts:
    return TenantFacts(tenant_id=SE, customer_id=C1, transfers=transfers, commitments=())


@pytest.mark.parametrize(
    ("transfer", "found"),
    [
        pytest.param(_transfer("n1"), {"n1"}, id="of another partner"),
        pytest.param(_transfer("n1", target=TARGET), set(), id="our own is the engine's"),
        pytest.param(_transfer("n1", state=TransferState.COMPLETE), set(), id="over"),
        pytest.param(_transfer("n1", state=TransferState.UNKNOWN), {"n1"}, id="a word nobody knows is open"),
        pytest.param(_transfer("e7"), {"a1"}, id="an Azure subscription counts for the plan"),
        pytest.param(_transfer(), set(), id="nothing chosen yet"),
    ],
)
def test_what_somebody_else_asked_for_is_not_ours_to_move(transfer: Transfer, found: set[str]):
    """R-158: a subscription in an open request cannot go into another."""
    known = together([_facts(transfer)], [NEW, AZURE], TARGET, NO_FACTS)
    assert set(known.in_open_transfer or ()) == set(map(SubscriptionId, found))


def test_a_tenant_that_was_not_read_leaves_the_question_open():
    """Half an answer is none (invariant 9)."""
    other = cases.licensed("n2", tenant_id=NO)
    assert together([_facts()], [NEW, other], TARGET, NO_FACTS).in_open_transfer is None
    unread = TenantFacts(tenant_id=NO, customer_id=C1)
    assert together([_facts(), unread], [NEW, other], TARGET, NO_FACTS).in_open_transfer is None
    legacy = source("s2", tenant_id=NO)
    assert together([_facts()], [NEW, legacy], TARGET, NO_FACTS).in_open_transfer == {}


def test_nobody_looked_is_nothing_known():
    """A customer of legacy licenses is not asked about."""
    assert together([], [source()], TARGET, NO_FACTS) is NO_FACTS


def test_reservations_are_active_by_any_of_microsofts_words():
    """The rules about Azure compare with one word."""
    facts = TenantFacts(tenant_id=SE, customer_id=C1, transfers=(), commitments=(VM,))
    known = together([facts], [AZURE], TARGET, NO_FACTS)
    assert known.azure_commitments == (AzureCommitment(name="VM", status="active", is_monthly=True),)


@pytest.mark.parametrize(
    ("created_at", "expires_at", "until"),
    [
        (START, START + timedelta(days=12), START.date() + timedelta(days=12)),
        (START, None, START.date() + timedelta(days=30)),
        (None, None, None),
    ],
)
def test_an_open_request_is_open_until_it_expires(
    created_at: datetime | None, expires_at: datetime | None, until: date | None
):
    """The day it says, else 30 days after it was made (R-147); without either no day is made up."""
    transfer = replace(_transfer("n1"), created_at=created_at, expires_at=expires_at)
    known = together([_facts(transfer)], [NEW], TARGET, NO_FACTS)
    assert known.in_open_transfer == {SubscriptionId("n1"): until}


def test_the_agreement_is_what_the_target_says():
    """A source's facts say nothing of it, and nobody asked is nothing known."""
    at_target = TenantFacts(tenant_id=TARGET, customer_id=C1, has_agreement=False)
    assert together([_facts(), at_target], [NEW], TARGET, NO_FACTS).has_agreement is False
    assert together([_facts()], [NEW], TARGET, NO_FACTS).has_agreement is None
    assert together([at_target], [source()], TARGET, NO_FACTS).has_agreement is False


def test_software_is_known_when_every_source_that_may_have_sold_some_was_asked():
    """One that was not leaves it open (invariant 9); one with legacy licenses alone is named beside what is known."""
    owned = replace(_facts(), software=(OFFICE,))
    assert together([owned], [NEW], TARGET, NO_FACTS).software == (OFFICE,)
    assert together([_facts()], [NEW], TARGET, NO_FACTS).software is None
    other = cases.licensed("n2", tenant_id=NO)
    assert together([owned], [NEW, other], TARGET, NO_FACTS).software is None
    beside = [NEW, source("s2", tenant_id=NO)]
    half = together([owned], beside, TARGET, NO_FACTS)
    assert (half.software, half.software_unasked) == ((OFFICE,), True)
    whole = together([owned, replace(owned, tenant_id=NO, software=())], beside, TARGET, NO_FACTS)
    assert (whole.software, whole.software_unasked) == ((OFFICE,), False)
    assert together([owned], [], TARGET, NO_FACTS).software == (OFFICE,)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ((), True),
        ((source(),), False),
        ((source(), NEW), True),
        ((source(wire_status="suspended"),), False),
        ((AZURE,), True),
    ],
)
def test_who_buys_products_or_holds_nothing_is_asked_for_software(held: tuple[Subscription, ...], expected: bool):  # noqa: FBT001 - a column
    """Most customers of legacy licenses cost no call (R-151)."""
    assert may_own_software([product_kind(one) for one in held]) is expected


@pytest.mark.parametrize(
    ("owned", "words"),
    [
        (OFFICE, "2 of DG7GMGF0D7FX:0002 (order 4711)"),
        (replace(OFFICE, order_id="", count=None), "an unknown number of DG7GMGF0D7FX:0002"),
        (replace(OFFICE, status="cancelled"), "2 of DG7GMGF0D7FX:0002 (order 4711, cancelled)"),
    ],
)
def test_software_is_named_by_what_is_known_of_it(owned: OwnedSoftware, words: str):
    """An entitlement has no name; a status that is not the usual one is said."""
    assert owned.words() == words


@pytest.mark.parametrize(
    ("held", "expected"),
    [(NEW, True), (AZURE, True), (source(), False), (cases.licensed("n3", wire_status="deleted"), False)],
)
def test_only_who_holds_something_transferable_is_looked_up(held: Subscription, expected: bool):  # noqa: FBT001 - a column
    """Calls are counted: nobody else costs one."""
    kinds = frozenset({ProductKind.LICENSE, ProductKind.AZURE_PLAN})
    assert holds([held], kinds) is expected
