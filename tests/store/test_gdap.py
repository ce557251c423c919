"""Delegated admin access in the ledger: a journal of its own, on both databases."""

from __future__ import annotations

import pytest

from tenantfold.domain.facts import EarlierRuns
from tenantfold.domain.gdap import (
    GdapCondition,
    GdapOp,
    GdapStanding,
    RelationshipId,
)
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.plan import Disposition
from tenantfold.domain.states import Owner
from tenantfold.errors import ConflictError
from tenantfold.store import Store
from tests.store.gdaps import ACCESS, case, intent, outcome
from tests.store.samples import NOW, customer_id, later, plan_customer, saved_plan


def standing(condition: GdapCondition = GdapCondition.ACTIVE) -> GdapStanding:
    """Where a customer stands."""
    return GdapStanding(
        condition=condition,
        code="x",
        detail="Why.",
        owner=Owner.CUSTOMER,
        relationship_id=RelationshipId("r-1"),
        due_at=later(days=90),
        ends_at=later(days=700),
        verified=(ACCESS,),
        letter="/somewhere/a.txt",
    )


async def test_what_was_recorded_comes_back_whole_and_in_order(store: Store):
    """Intents with their outcomes, oldest first; one without outcome is in doubt; the standing as it was kept."""
    first, second = intent(1), intent(1, GdapOp.LOCK)
    await store.record_gdap_intent(case(1), first)
    await store.record_gdap_outcome(outcome(first))
    await store.record_gdap_intent(case(1), second)
    found = await store.gdap_case(customer_id(1))
    assert found is not None
    assert (found.company_name, found.entries) == (case(1).company_name, ((first, outcome(first)), (second, None)))
    assert (found.in_doubt, found.relationship_id) == (second, "r-1")
    await store.save_gdap_standing(found, standing(), later(minutes=2))
    kept = await store.gdap_case(customer_id(1))
    assert kept is not None
    assert (kept.standing, kept.checked_at) == (standing(), later(minutes=2))


async def test_an_intent_alone_shows_its_customer_to_the_next_check(store: Store):
    """A crash right after the commit: the customer is listed as one whose call is looked up."""
    await store.record_gdap_intent(case(1), intent(1))
    (found,) = await store.gdap_cases()
    assert found.standing is not None
    assert found.standing.condition is GdapCondition.SETTLING
    assert found.in_doubt == intent(1)


async def test_the_same_wish_is_recorded_once_and_ends_once(store: Store):
    """Two processes cannot both make the call; nothing of the refused transaction stays."""
    first, second = intent(1), intent(1, GdapOp.LOCK)
    await store.record_gdap_intent(case(1), first)
    with pytest.raises(ConflictError, match="exists already"):
        await store.record_gdap_intent(case(1), first)
    await store.record_gdap_outcome(outcome(first))
    with pytest.raises(ConflictError, match="outcome already"):
        await store.record_gdap_outcome(outcome(first, OutcomeKind.FAILED))
    with pytest.raises(ConflictError):
        await store.record_gdap_intent(case(1), second, outcome(first))
    found = await store.gdap_case(customer_id(1))
    assert found is not None
    assert found.entries == ((first, outcome(first)),)


async def test_a_resend_takes_the_place_of_the_lost_one_in_one_commit(store: Store):
    """The lost one has an outcome, the new one is in doubt."""
    lost, again = intent(1), intent(1, key="again", attempt=1, sent_as="create_relationship-1")
    await store.record_gdap_intent(case(1), lost)
    await store.record_gdap_intent(case(1), again, outcome(lost, OutcomeKind.FAILED))
    found = await store.gdap_case(customer_id(1))
    assert found is not None
    assert found.in_doubt == again
    assert again.request_id == lost.request_id


async def test_customers_come_in_pages_by_id(store: Store):
    """Each once, with its own entries."""
    for number in (3, 1, 2):
        await store.record_gdap_intent(case(number), intent(number))
    first = await store.gdap_cases(limit=2)
    rest = await store.gdap_cases(first[-1].customer_id, limit=2)
    assert [one.customer_id for one in (*first, *rest)] == [customer_id(number) for number in (1, 2, 3)]
    assert [one.entries[0][0].customer_id for one in (*first, *rest)] == [customer_id(number) for number in (1, 2, 3)]
    assert await store.gdap_cases(customer_id(3)) == ()
    assert await store.gdap_case(customer_id(9)) is None


async def test_only_a_change_of_condition_is_a_line_of_history(store: Store):
    """A check a day must not bury what happened."""
    before = case(1)
    await store.save_gdap_standing(before, standing(GdapCondition.WAITS_FOR_CUSTOMER), NOW)
    for minutes in (1, 2):
        known = await store.gdap_case(customer_id(1))
        assert known is not None
        await store.save_gdap_standing(known, standing(), later(minutes=minutes))
    names = [event.name for event in await store.events(customer_id(1))]
    assert names == ["gdap.active", "gdap.waits_for_customer"]


async def test_no_machine_of_a_route_ever_meets_one_of_its_intents(store: Store):
    """In doubt or not, it is in no case and not among the stranded calls, and nobody becomes due (R-107)."""
    await saved_plan(store, plan_customer(1))
    due = await store.due_customers(later(days=1), 10)
    await store.record_gdap_intent(case(1), intent(1))
    await store.save_gdap_standing(case(1), standing(GdapCondition.NEEDS_PERSON), NOW)
    moving = await store.case(customer_id(1))
    assert moving is not None
    assert (moving.open_intents, moving.settled) == ((), ())
    assert await store.open_intents() == ()
    assert await store.due_customers(later(days=1), 10) == due
    assert await store.earlier_runs() == EarlierRuns()


async def test_an_overview_counts_conditions_and_those_nobody_asked(store: Store):
    """A customer that the plan moves and that has no row is not requested; one that the plan blocks is not counted."""
    plan = await saved_plan(
        store, *(plan_customer(number) for number in (1, 2, 3)), plan_customer(4, Disposition.BLOCKED)
    )
    await store.save_gdap_standing(case(1), standing(), NOW)
    await store.save_gdap_standing(case(5), standing(GdapCondition.ENDED), later(minutes=1))
    found = await store.gdap_overview(plan.id)
    assert found.customers == {
        GdapCondition.ACTIVE: 1,
        GdapCondition.ENDED: 1,
        GdapCondition.NOT_REQUESTED: 2,
    }
    assert found.checked_at == later(minutes=1)
    assert [one.condition for one in found.counts] == [
        GdapCondition.ENDED,
        GdapCondition.NOT_REQUESTED,
        GdapCondition.ACTIVE,
    ]
    assert (await store.gdap_overview(None)).customers == {GdapCondition.ACTIVE: 1, GdapCondition.ENDED: 1}
