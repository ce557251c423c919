from dataclasses import replace

import pytest

from tenantfold.domain.model import CustomerId, Route
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Invitation, Standing
from tenantfold.domain.states import Origin, Owner, Phase, Progress
from tenantfold.store import Store, progress
from tests.store.explain import query_plans
from tests.store.samples import (
    NOW,
    counterpart,
    customer_id,
    intent,
    later,
    plan_customer,
    plan_item,
    saved_plan,
    send,
    step_of,
)

CUTOVER = (Phase.CUTTING_OVER, Phase.VERIFIED, Phase.DRIFTED, Phase.STRANDED)
ELSEWHERE = (Phase.TRANSFERRING, Phase.HANDED_OFF, Phase.RUNNING_OUT, Phase.BY_HAND)


async def progress_of(store: Store, number: int) -> Progress:
    """A customer's progress."""
    case = await store.case(customer_id(number))
    assert case is not None
    return case.progress


async def accepted(store: Store, *numbers: int) -> None:
    """These customers accepted at NOW."""
    await store.mark_accepted([customer_id(number) for number in numbers], NOW)


def invitation(number: int) -> Invitation:
    """An invitation that was written for a customer."""
    return Invitation(customer_id=customer_id(number), url="https://u.example", written_to=f"{number}.txt", at=NOW)


# --- a new plan -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("disposition", list(Disposition))
async def test_a_new_customer_starts_in_the_phase_of_its_disposition(store: Store, disposition: Disposition):
    """Planned when it is to move; the other dispositions bear the names of their phases; nobody is due."""
    await saved_plan(store, plan_customer(1, disposition))
    found = await progress_of(store, 1)
    assert found.phase is Phase("planned" if disposition is Disposition.MOVE else disposition.value)
    assert (found.due_at, found.accepted_at, found.version) == (None, None, 1)


async def test_a_blocked_customer_says_why_who_and_what_next(store: Store):
    """The first blocker of the plan is the reason (invariant 8)."""
    await saved_plan(store, plan_customer(1, Disposition.BLOCKED))
    found = await progress_of(store, 1)
    assert (found.code, found.detail, found.owner, found.next_action) == (
        "offer_not_sold",
        "No longer sold.",
        Owner.APPROVER,
        "Map it.",
    )


@pytest.mark.parametrize("disposition", [Disposition.MOVED, Disposition.NOTHING_TO_MOVE])
async def test_who_moved_stays_moved_under_a_new_plan(store: Store, disposition: Disposition):
    """A plan without new work for it never brings a customer back."""
    await saved_plan(store, plan_customer(1))
    await accepted(store, 1)
    moved = await store.record_step(await step_of(store, 1, Phase.MOVED, due_at=None, detail="all done"), NOW)
    await saved_plan(store, plan_customer(1, disposition), now=later(days=1))
    assert await progress_of(store, 1) == replace(moved, version=moved.version + 1)


@pytest.mark.parametrize(
    ("disposition", "expected"), [(Disposition.MOVE, ("accepted", True)), (Disposition.BLOCKED, ("blocked", False))]
)
async def test_who_moved_starts_again_when_the_new_plan_finds_new_work(
    store: Store, disposition: Disposition, expected: tuple[str, bool]
):
    """A subscription bought at the source after the move is driven, or its blocker is shown; acceptance is kept."""
    await saved_plan(store, plan_customer(1))
    await accepted(store, 1)
    await store.record_step(await step_of(store, 1, Phase.MOVED, due_at=None, detail="all done"), NOW)
    await saved_plan(store, plan_customer(1, disposition), now=later(days=1))
    found = await progress_of(store, 1)
    assert (found.phase.value, found.due_at is not None) == expected
    assert found.accepted_at is not None


async def test_acceptance_survives_a_new_plan_and_makes_due(store: Store):
    """Nobody has to accept twice: under the new plan the customer is accepted and due."""
    await saved_plan(store, plan_customer(1), plan_customer(2))
    await accepted(store, 1)
    await saved_plan(store, plan_customer(1), plan_customer(2), now=later(days=1))
    found = await progress_of(store, 1)
    assert (found.phase, found.accepted_at, found.due_at) == (Phase.ACCEPTED, NOW, later(days=1))
    assert await store.due_customers(later(days=1), 9) == (customer_id(1),)


async def test_acceptance_survives_a_block(store: Store):
    """A blocked customer is not due; once a later plan frees it, it is, without another acceptance."""
    await saved_plan(store, plan_customer(1))
    await accepted(store, 1)
    await saved_plan(store, plan_customer(1, Disposition.BLOCKED))
    blocked = await progress_of(store, 1)
    assert (blocked.phase, blocked.accepted_at, blocked.due_at) == (Phase.BLOCKED, NOW, None)
    await saved_plan(store, plan_customer(1))
    assert await store.due_customers(NOW, 9) == (customer_id(1),)


async def test_an_invited_customer_stays_invited_under_a_new_plan(store: Store):
    """The invitation is out; the customer has to act, not we."""
    await saved_plan(store, plan_customer(1))
    await store.save_invitation(invitation(1))
    await saved_plan(store, plan_customer(1))
    found = await progress_of(store, 1)
    assert (found.phase, found.owner) == (Phase.INVITED, Owner.CUSTOMER)


@pytest.mark.parametrize("phase", CUTOVER)
async def test_a_customer_in_its_cutover_keeps_its_phase_under_a_new_plan(store: Store, phase: Phase):
    """While a target stands whose source still runs, the reason and the deadline stay, and it is due at once."""
    await saved_plan(store, plan_customer(1))
    await accepted(store, 1)
    step = await step_of(
        store,
        1,
        phase,
        counterparts=(counterpart(1),),
        detail="where it was",
        due_at=None,
        deadline_at=later(hours=14),
    )
    before = await store.record_step(step, NOW)
    await saved_plan(store, plan_customer(1), now=later(hours=1))
    assert await progress_of(store, 1) == replace(before, due_at=later(hours=1), version=before.version + 1)


async def test_a_half_moved_customer_that_failed_is_in_its_cutover_again(store: Store):
    """Both sides bill: it must not look as if nothing had begun."""
    await saved_plan(store, plan_customer(1))
    await accepted(store, 1)
    await store.record_step(await step_of(store, 1, Phase.FAILED, counterparts=(counterpart(1),), due_at=None), NOW)
    await saved_plan(store, plan_customer(1))
    assert (await progress_of(store, 1)).phase is Phase.CUTTING_OVER


@pytest.mark.parametrize("phase", ELSEWHERE)
async def test_a_plan_in_the_middle_of_another_route_goes_on(store: Store, phase: Phase):
    """A transfer, a hand-off, a term that runs out: the new plan keeps phase and reason, and it is due at once."""
    await saved_plan(store, plan_customer(1))
    await accepted(store, 1)
    before = await store.record_step(await step_of(store, 1, phase, detail="where it was", due_at=None), NOW)
    await saved_plan(store, plan_customer(1), now=later(hours=1))
    assert await progress_of(store, 1) == replace(before, due_at=later(hours=1), version=before.version + 1)


@pytest.mark.parametrize("origin", [one for one in Origin if not one.is_cutover])
async def test_what_moved_by_another_route_is_no_half_done_cutover(store: Store, origin: Origin):
    """Nothing is ever suspended for it: the customer starts afresh, without deadline, with what is left to move."""
    await saved_plan(store, plan_customer(1))
    await accepted(store, 1)
    moved = counterpart(1, origin=origin, cutover_on=None, verified_at=NOW)
    step = await step_of(store, 1, Phase.FAILED, counterparts=(moved,), due_at=None, deadline_at=later(hours=14))
    await store.record_step(step, NOW)
    await saved_plan(store, plan_customer(1))
    found = await progress_of(store, 1)
    assert (found.phase, found.deadline_at, found.due_at) == (Phase.ACCEPTED, None, NOW)


async def test_a_customer_with_an_open_intent_stays_stranded_under_a_new_plan(store: Store):
    """Its effect at Microsoft is unknown, whatever was planned since (invariant 6)."""
    plan = await saved_plan(store, plan_customer(1))
    await accepted(store, 1)
    await send(store, intent(1, plan_id=plan.id))
    await store.record_step(await step_of(store, 1, Phase.STRANDED, due_at=None), NOW)
    await saved_plan(store, plan_customer(1))
    found = await progress_of(store, 1)
    assert (found.phase, found.due_at) == (Phase.STRANDED, NOW)


async def test_a_call_in_doubt_is_settled_even_when_the_new_plan_blocks_the_customer(store: Store):
    """Invariant 6: what became of a call is found out whatever a later plan says."""
    await saved_plan(store, plan_customer(1))
    await accepted(store, 1)
    await send(store, intent(1))
    await saved_plan(store, plan_customer(1, Disposition.BLOCKED), now=later(days=1))
    assert await store.due_customers(later(days=1), 5) == (customer_id(1),)


async def test_a_finished_cutover_starts_afresh_when_something_is_left_to_move(store: Store):
    """All its counterparts are suspended: nothing runs on both sides, so the new plan decides."""
    await saved_plan(store, plan_customer(1))
    await accepted(store, 1)
    done = counterpart(1, suspended_at=NOW)
    await store.record_step(await step_of(store, 1, Phase.DRIFTED, counterparts=(done,), due_at=None), NOW)
    await saved_plan(store, plan_customer(1))
    assert (await progress_of(store, 1)).phase is Phase.ACCEPTED


async def test_a_customer_left_out_of_the_new_plan_is_not_due_and_cannot_be_written(store: Store):
    """A worker that still holds it is told that the state moved."""
    await saved_plan(store, plan_customer(1), plan_customer(2))
    await accepted(store, 1, 2)
    await saved_plan(store, plan_customer(2))
    assert await store.due_customers(later(days=9), 9) == (customer_id(2),)
    assert await store.case(customer_id(1)) is None
    assert await store.phase_counts() == {Phase.ACCEPTED: 1}


# --- invitations and acceptance -------------------------------------------------------------------------------------


async def test_an_invitation_makes_a_planned_customer_invited(store: Store):
    """From then on the customer has to act; the case says when it was invited."""
    await saved_plan(store, plan_customer(1), plan_customer(2, Disposition.BLOCKED))
    for number in (1, 2):
        await store.save_invitation(invitation(number))
    case = await store.case(customer_id(1))
    assert case is not None
    assert (case.progress.phase, case.progress.owner, case.invited_at) == (Phase.INVITED, Owner.CUSTOMER, NOW)
    assert (await progress_of(store, 2)).phase is Phase.BLOCKED
    assert await store.invitations() == {customer_id(1): invitation(1), customer_id(2): invitation(2)}


async def test_who_accepted_is_due_and_counted_once(store: Store):
    """Planned and invited customers become accepted; a second list with the same names changes nothing."""
    await saved_plan(store, plan_customer(1), plan_customer(2), plan_customer(3))
    await store.save_invitation(invitation(2))
    ids = [customer_id(2), customer_id(1), customer_id(1), CustomerId("somebody else's")]
    assert await store.waiting_for_acceptance() == {customer_id(1), customer_id(2), customer_id(3)}
    assert await store.mark_accepted(ids, NOW) == 2
    assert await store.mark_accepted(ids, later(hours=1)) == 0
    assert await store.waiting_for_acceptance() == {customer_id(3)}
    assert await store.due_customers(NOW, 9) == (customer_id(1), customer_id(2))
    found = await progress_of(store, 2)
    assert (found.phase, found.accepted_at, found.due_at, found.owner) == (Phase.ACCEPTED, NOW, NOW, Owner.TENANTFOLD)


async def test_thousands_accept_in_one_call(store: Store):
    """The list of the target may name everybody."""
    await saved_plan(store, *(plan_customer(number, items=()) for number in range(1_203)))
    assert await store.mark_accepted([customer_id(number) for number in range(1_203)], NOW) == 1_203


async def test_a_blocked_customer_may_accept_but_is_not_due(store: Store):
    """The acceptance is kept for later."""
    await saved_plan(store, plan_customer(1, Disposition.BLOCKED))
    assert await store.waiting_for_acceptance() == frozenset()
    assert await store.mark_accepted([customer_id(1)], NOW) == 1
    found = await progress_of(store, 1)
    assert (found.phase, found.accepted_at, found.due_at) == (Phase.BLOCKED, NOW, None)
    assert await store.next_due_at() is None


# --- who is due -----------------------------------------------------------------------------------------------------


async def test_the_nearest_deadline_comes_first_and_no_deadline_last(store: Store):
    """By deadline, then by id; whoever is due later is not in the list; the limit holds over both groups."""
    await saved_plan(store, *map(plan_customer, range(1, 7)))
    await accepted(store, *range(1, 7))
    for number, due, deadline in (
        (1, NOW, None),
        (2, NOW, later(hours=9)),
        (3, later(minutes=1), later(hours=1)),
        (4, NOW, later(hours=2)),
        (5, None, later(hours=1)),
        (6, NOW, later(hours=9)),
    ):
        step = await step_of(store, number, Phase.CUTTING_OVER, due_at=due, deadline_at=deadline)
        await store.record_step(step, NOW)
    assert await store.due_customers(NOW, 9) == tuple(map(customer_id, (4, 2, 6, 1)))
    assert await store.due_customers(NOW, 2) == tuple(map(customer_id, (4, 2)))
    assert await store.due_customers(later(minutes=1), 9) == tuple(map(customer_id, (3, 4, 2, 6, 1)))


@pytest.mark.parametrize("phase", list(Phase))
async def test_final_phases_are_never_due(store: Store, phase: Phase):
    """Even when somebody left a time on the row."""
    await saved_plan(store, plan_customer(1))
    await store.record_step(await step_of(store, 1, phase, due_at=NOW), NOW)
    due = await store.due_customers(NOW, 9)
    assert due == (() if phase.is_final else (customer_id(1),))
    assert (await store.next_due_at() is None) == phase.is_final


async def test_the_next_time_somebody_is_due(store: Store):
    """The earliest due time of who can be driven; None when only people can bring anything on."""
    await saved_plan(store, *map(plan_customer, range(1, 4)))
    assert await store.next_due_at() is None
    for number, due in ((1, None), (2, later(minutes=7)), (3, later(minutes=5))):
        await store.record_step(await step_of(store, number, Phase.CUTTING_OVER, due_at=due), NOW)
    assert await store.next_due_at() == later(minutes=5)


async def test_asking_who_is_due_sorts_nobody(store: Store, dialect: str):
    """However many are due, SQLite walks the small index of due rows in its order and stops at the limit."""
    if dialect != "sqlite":
        return  # PostgreSQL chooses by its statistics
    await saved_plan(store, plan_customer(1))
    for reading, indexes in (
        (lambda conn: progress.due_customers(conn, NOW, 5), ["ix_progress_due", "ix_progress_queue"]),
        (progress.next_due_at, ["ix_progress_next_due"]),
    ):
        steps = [steps for steps in await query_plans(store, reading) if "progress" in steps[0]]
        assert [len(one) for one in steps] == [1] * len(indexes)
        assert [one[0].split("INDEX ")[1].split()[0] for one in steps] == indexes


async def test_a_new_run_wakes_who_rests(store: Store):
    """Accepted customers in the given phases become due; who is due, waits for acceptance or is done is left alone."""
    await saved_plan(store, *map(plan_customer, range(1, 6)))
    await accepted(store, 1, 2, 3, 4)
    for number, phase, due in (
        (1, Phase.FAILED, None),
        (2, Phase.FAILED, later(hours=1)),
        (3, Phase.FAILED, NOW),
        (4, Phase.MOVED, None),
        (5, Phase.FAILED, None),
    ):
        await store.record_step(await step_of(store, number, phase, due_at=due), NOW)
    assert await store.wake([Phase.FAILED, Phase.DRIFTED, Phase.MOVED], later(minutes=1)) == 2
    assert await store.due_customers(later(minutes=1), 9) == tuple(map(customer_id, (1, 2, 3)))


# --- overviews ------------------------------------------------------------------------------------------------------


async def test_phases_are_counted(store: Store):
    """Customers of the newest plan by phase; who moved counts even when the newest plan no longer has it."""
    await saved_plan(store, *map(plan_customer, range(1, 4)))
    await store.record_step(await step_of(store, 1, Phase.MOVED), NOW)
    await saved_plan(store, plan_customer(2), plan_customer(4, Disposition.BLOCKED))
    assert await store.phase_counts() == {Phase.PLANNED: 1, Phase.MOVED: 1, Phase.BLOCKED: 1}


async def test_standings_are_pages_in_id_order(store: Store):
    """Everybody, or only who is not finished, a page at a time."""
    await saved_plan(store, *map(plan_customer, range(1, 6)))
    await store.record_step(await step_of(store, 2, Phase.MOVED), NOW)
    page = await store.standings(limit=2)
    assert page[0] == Standing(company_name="Company 1", progress=await progress_of(store, 1))
    assert [one.progress.customer_id for one in page] == [customer_id(1), customer_id(2)]
    rest = await store.standings(customer_id(1), 9, unfinished_only=True)
    assert [one.progress.customer_id for one in rest] == [customer_id(3), customer_id(4), customer_id(5)]


async def test_without_a_plan_nobody_is_anywhere(store: Store):
    """All questions have an empty answer."""
    assert await store.due_customers(NOW, 9) == ()
    assert await store.waiting_for_acceptance() == frozenset()
    assert await store.phase_counts() == {}
    assert await store.standings() == ()
    assert await store.wake(list(Phase), NOW) == 0
    assert await store.mark_accepted([customer_id(1)], NOW) == 0


async def test_finds_who_has_something_that_goes_by_a_route(store: Store):
    """Of the newest plan, in id order; who is done is left out."""
    runs_out = plan_item(1, route=Route.EXPIRE_AND_REBUY)
    await saved_plan(store, *(plan_customer(number, items=(runs_out,)) for number in (1, 2, 3)))
    await saved_plan(
        store,
        plan_customer(1, items=(plan_item(1, "a"), plan_item(1, "b", route=Route.EXPIRE_AND_REBUY))),
        plan_customer(2),
        plan_customer(3, items=(plan_item(3, route=Route.EXPIRE_AND_REBUY),)),
        plan_customer(4, Disposition.BLOCKED, items=(plan_item(4, route=Route.EXPIRE_AND_REBUY),)),
    )
    assert await store.going_by(Route.EXPIRE_AND_REBUY) == (customer_id(1), customer_id(3), customer_id(4))
    await store.record_step(await step_of(store, 3, Phase.MOVED, due_at=None), NOW)
    assert await store.going_by(Route.EXPIRE_AND_REBUY) == (customer_id(1), customer_id(4))
    assert await store.going_by(Route.MANUAL) == ()
