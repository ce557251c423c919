"""Waves and holds in the ledger: who may begin, in which order, and how much is left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenantfold.domain.admission import Load, SourceLoad, demand_of, load_of, together
from tenantfold.domain.journal import OpKind, OutcomeKind
from tenantfold.domain.model import CustomerId, Route, SubscriptionId
from tenantfold.domain.plan import Disposition, PlanCustomer
from tenantfold.domain.records import Event
from tenantfold.domain.states import Phase
from tenantfold.domain.waves import Held, Hold, Wave, WaveState
from tenantfold.errors import ConflictError
from tenantfold.store import Store
from tests.store.samples import (
    NOW,
    OTHER_SOURCE,
    SOURCE,
    TARGET,
    counterpart,
    customer_id,
    intent,
    later,
    outcome,
    plan_customer,
    plan_item,
    saved_plan,
    send,
    step_of,
)

EVENT = Event(at=NOW, customer_id=None, name="wave.test", facts={"by": "Eva"})


def ids(*numbers: int) -> tuple[CustomerId, ...]:
    """Ids of customers."""
    return tuple(map(customer_id, numbers))


def hold(kind: Held) -> Hold:
    """A person's word."""
    return Hold(kind=kind, by="Eva", reason="asked for", at=NOW)


async def ready(store: Store, *numbers: int) -> None:
    """A plan of these customers, all accepted and due."""
    await saved_plan(store, *map(plan_customer, numbers))
    await store.mark_accepted(ids(*numbers), NOW)


async def made(store: Store, name: str, *numbers: int, state: WaveState = WaveState.RUNNING) -> Wave:
    """A wave of these customers, brought to a state."""
    wave = await store.create_wave(Wave(name=name, created_at=NOW), ids(*numbers), EVENT)
    return await become(store, wave, state)


async def become(store: Store, wave: Wave, state: WaveState) -> Wave:
    """The wave in another state."""
    if wave.state is state:
        return wave
    return await store.change_wave(wave.state, replace(wave, state=state), EVENT)


async def due(store: Store, limit: int = 99) -> tuple[CustomerId, ...]:
    """Who may be driven now."""
    return await store.due_customers(later(days=1), limit)


async def held(store: Store, *numbers: int) -> list[Held]:
    """Why these customers do not begin."""
    return [await store.held(one) for one in ids(*numbers)]


async def begin(store: Store, number: int) -> None:
    """The customer's order is placed and answered: its target stands, its day runs."""
    key = f"order-{number}"
    await send(store, intent(number, key))
    step = await step_of(
        store,
        number,
        Phase.CUTTING_OVER,
        outcome=outcome(key),
        counterparts=(counterpart(number, f"t-{number}"),),
        deadline_at=later(hours=9),
        due_at=NOW,
    )
    await store.record_step(step, NOW)


# --- waves ----------------------------------------------------------------------------------------------------------


async def test_a_wave_is_kept_with_all_it_says(store: Store):
    """By name, in the order they were made, by state; its event stands in the history."""
    await ready(store, 1, 2)
    first = await made(store, "first", 1, state=WaveState.DRAFT)
    second = await made(store, "second", 2)
    assert first.id != second.id
    assert await store.wave("first") == first
    assert await store.wave("none") is None
    assert await store.waves() == (first, second)
    assert await store.waves(WaveState.RUNNING) == (second,)
    scheduled = replace(first, state=WaveState.SCHEDULED, starts_at=later(hours=3), note="soon")
    await store.change_wave(WaveState.DRAFT, scheduled, EVENT)
    assert await store.wave("first") == scheduled
    assert [one.name for one in await store.events(name="wave.test")] == ["wave.test"] * 4


async def test_a_name_is_taken_once(store: Store):
    """The second is a conflict, and takes nobody along."""
    await ready(store, 1, 2)
    await made(store, "first", 1)
    with pytest.raises(ConflictError):
        await made(store, "first", 2)
    assert await held(store, 1, 2) == [Held.NOTHING, Held.NO_WAVE]


async def test_a_state_changes_only_from_what_it_was(store: Store):
    """Two people, one wave: the second is told that it moved."""
    await ready(store, 1)
    wave = await made(store, "first", 1)
    await become(store, wave, WaveState.PAUSED)
    with pytest.raises(ConflictError, match="not running any more"):
        await become(store, wave, WaveState.ABORTED)
    found = await store.wave("first")
    assert found is not None
    assert found.state is WaveState.PAUSED


async def test_the_first_wave_holds_everybody_else(store: Store):
    """Without waves all may begin; from the first one on only those of a running wave."""
    await ready(store, 1, 2, 3)
    assert await due(store) == ids(1, 2, 3)
    wave = await made(store, "first", 1, 2, state=WaveState.DRAFT)
    assert await held(store, 1, 2, 3) == [Held.WAVE, Held.WAVE, Held.NO_WAVE]
    assert (await due(store), await store.next_due_at()) == ((), None)
    wave = await become(store, wave, WaveState.RUNNING)
    assert await due(store) == ids(1, 2)
    assert await store.held_counts() == {Held.NOTHING: 2, Held.NO_WAVE: 1}
    await become(store, wave, WaveState.PAUSED)
    assert await held(store, 1, 3) == [Held.PAUSED, Held.NO_WAVE]
    assert await due(store) == ()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (WaveState.DRAFT, Held.WAVE),
        (WaveState.SCHEDULED, Held.WAVE),
        (WaveState.RUNNING, Held.NOTHING),
        (WaveState.PAUSED, Held.PAUSED),
        (WaveState.FINISHED, Held.NO_WAVE),
        (WaveState.ABORTED, Held.ABORTED),
    ],
)
async def test_the_state_of_its_wave_decides(store: Store, state: WaveState, expected: Held):
    """Only a running wave lets its customers begin."""
    await ready(store, 1)
    await made(store, "first", 1, state=state)
    assert await held(store, 1) == [expected]
    assert await due(store) == (ids(1) if state is WaveState.RUNNING else ())


async def test_a_customer_is_in_one_open_wave_at_a_time(store: Store):
    """It stays in the first until that is over; who has nothing to move joins none."""
    await saved_plan(store, *map(plan_customer, (1, 2)), plan_customer(3, Disposition.BLOCKED))
    first = await made(store, "first", 1, 3)
    second = await made(store, "second", 2)
    assert (await store.grow_wave(second.id, second.state, ids(1, 3, 9), EVENT)).added == 0
    assert [(one.wave, one.in_open_wave) for one in await store.places(ids(1, 3, 9))] == [("first", True), ("", False)]
    await become(store, first, WaveState.ABORTED)
    assert (await store.grow_wave(second.id, second.state, ids(1), EVENT)).added == 1
    assert await held(store, 1) == [Held.NOTHING]


async def test_a_wave_that_started_meanwhile_does_not_grow(store: Store):
    """Whoever adds looked at a draft; nobody joins, and nothing else changes."""
    await ready(store, 1, 2)
    wave = await made(store, "first", 1, state=WaveState.DRAFT)
    await become(store, wave, WaveState.RUNNING)
    with pytest.raises(ConflictError, match="not draft any more"):
        await store.grow_wave(wave.id, WaveState.DRAFT, ids(2), EVENT)
    assert await held(store, 2) == [Held.NO_WAVE]
    assert [one.wave for one in await store.places(ids(2))] == [""]


@pytest.mark.parametrize("phase", [Phase.HANDED_OFF, Phase.RUNNING_OUT])
async def test_a_pause_holds_up_no_other_way_that_has_begun(store: Store, phase: Phase):
    """A term that ends by us is bought again on its last day: held, people would be locked out."""
    await ready(store, 1)
    await store.record_step(await step_of(store, 1, phase, due_at=NOW), NOW)
    await store.hold(customer_id(1), hold(Held.PAUSED), EVENT)
    assert await held(store, 1) == [Held.NOTHING]


async def test_who_has_begun_does_not_leave_its_wave(store: Store):
    """The others do, and are held again."""
    await ready(store, 1, 2)
    wave = await made(store, "first", 1, 2)
    await begin(store, 1)
    assert await store.leave_wave(wave.id, ids(1, 2)) == 1
    assert await held(store, 1, 2) == [Held.NOTHING, Held.NO_WAVE]


async def test_candidates_are_free_and_to_move_and_who_accepted_comes_first(store: Store):
    """By country and limit; nobody who is in an open wave, has begun or has nothing to move."""
    finns = [plan_customer(number, country="FI") for number in (5, 6)]
    blocked = plan_customer(4, Disposition.BLOCKED)
    await saved_plan(store, *map(plan_customer, (1, 2, 3)), blocked, *finns)
    await store.mark_accepted(ids(3, 6), NOW)
    assert await store.wave_candidates() == ids(3, 6, 1, 2, 5)
    assert await store.wave_candidates("FI") == ids(6, 5)
    assert await store.wave_candidates("SE", 2) == ids(3, 1)
    await made(store, "first", 1)
    await begin(store, 3)
    assert await store.wave_candidates() == ids(6, 2, 5)


async def test_a_wave_has_ended_when_nobody_is_left_to_move(store: Store):
    """Also when the plan no longer has what was left; a draft never ends by itself."""
    await ready(store, 1, 2)
    wave = await made(store, "first", 1)
    await made(store, "draft", 2, state=WaveState.DRAFT)
    assert await store.ended_waves() == ()
    await store.record_step(await step_of(store, 1, Phase.MOVED, due_at=None), NOW)
    assert await store.ended_waves() == (wave,)
    assert await store.wave_phases() == {1: {Phase.MOVED: 1}, 2: {Phase.ACCEPTED: 1}}


# --- who is due -----------------------------------------------------------------------------------------------------


async def test_waves_take_turns(store: Store):
    """Whoever has a deadline first; then one of each wave, so that the large one does not starve the small one."""
    await ready(store, *range(1, 11))
    await made(store, "large", *range(1, 8))
    await made(store, "small", 8, 9)
    await begin(store, 7)
    assert await due(store, 6) == ids(7, 1, 8, 2, 9, 3)
    assert await due(store) == ids(7, 1, 8, 2, 9, 3, 4, 5, 6)


async def test_a_wave_that_pauses_finishes_who_has_begun(store: Store):
    """A pause forbids beginning; nobody stays between two bills (R-33)."""
    await ready(store, 1, 2)
    wave = await made(store, "first", 1, 2)
    await begin(store, 1)
    await become(store, wave, WaveState.PAUSED)
    assert await held(store, 1, 2) == [Held.NOTHING, Held.PAUSED]
    assert await due(store) == ids(1)
    assert await store.next_due_at() == NOW


async def test_a_call_in_doubt_is_settled_whatever_holds_the_customer(store: Store):
    """From the intent on a customer has begun; when the order turns out to have failed, it is held again."""
    await ready(store, 1, 2)
    wave = await made(store, "first", 1, 2)
    await send(store, intent(1))
    await become(store, wave, WaveState.ABORTED)
    assert await due(store) == ids(1)
    await store.record_step(await step_of(store, 1, Phase.FAILED, outcome=outcome(), due_at=NOW), NOW)
    assert await held(store, 1) == [Held.ABORTED]
    assert await due(store) == ()


async def test_a_hold_that_comes_between_the_gate_and_the_call_is_too_late(store: Store):
    """The intent wins: the call leaves, so the customer is finished."""
    await ready(store, 1)
    await store.hold(customer_id(1), hold(Held.PAUSED), EVENT)
    assert await held(store, 1) == [Held.PAUSED]
    await send(store, intent(1))
    assert await held(store, 1) == [Held.NOTHING]


# --- holds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Held.PAUSED, Held.ABORTED])
async def test_one_customer_or_everybody_is_held_until_it_is_lifted(store: Store, kind: Held):
    """Who has begun goes on; the two holds are lifted one by one, and kept with who said so."""
    await ready(store, 1, 2, 3)
    await begin(store, 3)
    assert await store.hold(customer_id(1), hold(kind), EVENT) == 1
    assert await due(store) == ids(3, 2)
    assert await store.hold(None, hold(kind), EVENT) == 2
    assert await due(store) == ids(3)
    assert await store.hold_of(None) == hold(kind)
    assert await store.lift(None, EVENT)
    assert await due(store) == ids(3, 2)
    assert await store.lift(customer_id(1), EVENT)
    assert not await store.lift(customer_id(1), EVENT)
    assert await due(store) == ids(3, 1, 2)


async def test_stopping_at_once_leaves_even_the_begun_where_they_are(store: Store):
    """Only this one does; resuming finishes them."""
    await ready(store, 1, 2)
    wave = await made(store, "first", 1, 2)
    await begin(store, 1)
    aborted = replace(wave, state=WaveState.ABORTED)
    assert await store.stop_wave(wave.state, aborted, EVENT, hold(Held.STOPPED)) == 1
    assert await held(store, 1, 2) == [Held.STOPPED, Held.ABORTED]
    assert (await due(store), await store.next_due_at()) == ((), None)
    assert await store.lift(customer_id(1), EVENT)
    assert await due(store) == ids(1)


async def test_a_wave_that_moved_on_meanwhile_is_not_stopped(store: Store):
    """Both or nothing: whoever was first is told of, and nobody is left between two bills."""
    await ready(store, 1, 2)
    wave = await made(store, "first", 1, 2)
    await begin(store, 1)
    await become(store, wave, WaveState.ABORTED)
    before = await held(store, 1, 2)
    with pytest.raises(ConflictError):
        await store.stop_wave(wave.state, replace(wave, state=WaveState.ABORTED), EVENT, hold(Held.STOPPED))
    assert await held(store, 1, 2) == before


@pytest.mark.parametrize(
    ("kind", "ended", "is_held"),
    [
        (OpKind.REQUEST_TRANSFER, OutcomeKind.DONE, False),
        (OpKind.REQUEST_TRANSFER, OutcomeKind.FAILED, True),
        (OpKind.ATTEST_AGREEMENT, OutcomeKind.DONE, True),
    ],
    ids=["ours is under way", "ours was refused", "only its agreement was attested"],
)
async def test_a_transfer_under_way_is_a_beginning_if_it_is_ours(
    store: Store, kind: OpKind, ended: OutcomeKind, *, is_held: bool
):
    """Somebody else's request keeps the customer waiting as well, and a hold keeps it where it is."""
    await ready(store, 1, 2)
    await made(store, "first", 1, state=WaveState.DRAFT)
    await send(store, intent(1, "call", kind=kind))
    step = await step_of(store, 1, Phase.TRANSFERRING, outcome=outcome("call", ended), due_at=NOW)
    await store.record_step(step, NOW)
    assert await held(store, 1) == [Held.WAVE if is_held else Held.NOTHING]


async def test_who_was_turned_back_at_the_gate_is_due_again_when_the_hold_ends(store: Store):
    """It had no time of its own to wait for."""
    await ready(store, 1)
    wave = await made(store, "first", 1)
    wave = await become(store, wave, WaveState.PAUSED)
    await store.record_step(await step_of(store, 1, Phase.ACCEPTED, code="held", due_at=None), NOW)
    await become(store, wave, WaveState.RUNNING)
    assert await due(store) == ids(1)
    case = await store.case(customer_id(1))
    assert case is not None
    assert case.progress.code == ""


async def test_failed_customers_of_a_wave_are_due_again(store: Store):
    """Of one customer, one wave, or all; the others are left alone."""
    await ready(store, 1, 2, 3)
    wave = await made(store, "first", 1, 2, 3)
    for number, phase in ((1, Phase.FAILED), (2, Phase.DRIFTED), (3, Phase.ACCEPTED)):
        await store.record_step(await step_of(store, number, phase, due_at=None), NOW)
    wanted = (Phase.FAILED, Phase.DRIFTED)
    assert await store.retry(wanted, NOW, customer_id=customer_id(3)) == 0
    assert await store.retry(wanted, NOW, customer_id=customer_id(1)) == 1
    assert await store.retry(wanted, NOW, wave_id=wave.id + 1) == 0
    assert await store.retry(wanted, NOW, wave_id=wave.id) == 2
    assert await due(store) == ids(1, 2)


# --- a new plan -----------------------------------------------------------------------------------------------------


async def test_a_new_plan_keeps_waves_and_holds_and_new_customers_are_in_none(store: Store):
    """Nothing begins by being planned again."""
    await ready(store, 1, 2)
    await made(store, "first", 1)
    await store.hold(customer_id(1), hold(Held.PAUSED), EVENT)
    await saved_plan(store, *map(plan_customer, (1, 2, 3)), now=later(days=1))
    await store.mark_accepted(ids(3), NOW)
    assert await held(store, 1, 2, 3) == [Held.PAUSED, Held.NO_WAVE, Held.NO_WAVE]
    assert await due(store) == ()


# --- how big, how much is left --------------------------------------------------------------------------------------


def several(number: int) -> PlanCustomer:
    """A base and its add-on, a yearly one, one of another tenant, one adopted, one that stays, one transferred."""
    items = (
        plan_item(number, "a"),
        plan_item(number, "b", parent_id=SubscriptionId(f"{SOURCE}-{number}-a"), license_count=2),
        plan_item(number, "c", billing_cycle="annual", license_count=7),
        plan_item(number, "d", tenant_id=OTHER_SOURCE),
        plan_item(number, "e", billing_cycle="none", target_id=SubscriptionId(f"x-{number}")),
        plan_item(number, "f", route=Route.KEEP),
        plan_item(number, "g", route=Route.TRANSFER, license_count=3),
    )
    return plan_customer(number, items=items, source_tenant_ids=(SOURCE, OTHER_SOURCE))


async def test_the_size_of_a_wave(store: Store):
    """What is to move by any route and has not: customers, licenses, countries, and offers by what has a price."""
    await saved_plan(store, several(1), plan_customer(2, country="FI"), plan_customer(3))
    wave = await made(store, "first", 1, 2)
    size = await store.wave_size(wave.id)
    assert (size.customers, size.subscriptions, size.seats, size.countries) == (2, 7, 32, ("FI", "SE"))
    found = {(one.country, one.billing_cycle): one.licenses for one in size.offers}
    assert found == {("FI", "monthly"): 5, ("SE", "annual"): 7, ("SE", "monthly"): 15, ("SE", "none"): 5}


async def test_the_load_in_the_ledger_is_the_sum_of_the_loads_of_its_customers(store: Store):
    """The database counts as the core does (``admission.load_of``)."""
    customers = [several(1), plan_customer(2), several(3), plan_customer(4)]
    await saved_plan(store, *customers)
    wave = await made(store, "first", 1, 2, 3)
    expected = together(*(demand_of(load_of(one), TARGET) for one in customers[:3]))
    assert demand_of(await store.wave_load(wave.id), TARGET) == expected
    everybody = together(expected, demand_of(load_of(customers[3]), TARGET))
    assert demand_of(await store.load_left(), TARGET) == everybody


async def test_what_is_open_is_what_has_begun_less_what_is_done(store: Store):
    """What is ordered is not ordered again, what is suspended not suspended; who waits for a person makes no calls."""
    await ready(store, 1, 2, 3)
    assert await store.open_load() == Load()
    await begin(store, 1)
    one = Load(customers=1, orders=0, sources={SOURCE: SourceLoad(customers=1, suspends=1)})
    assert await store.open_load() == one
    about_to = await store.open_load(ids(2))
    assert about_to == Load(customers=2, orders=1, sources={SOURCE: SourceLoad(customers=2, suspends=2)})
    assert await store.open_load(ids(1)) == one
    suspended = counterpart(1, "t-1", suspended_at=NOW)
    step = await step_of(store, 1, Phase.VERIFIED, counterparts=(suspended,), due_at=NOW)
    await store.record_step(step, NOW)
    assert (await store.open_load()).sources == {SOURCE: SourceLoad(customers=1, suspends=0)}
    await store.record_step(await step_of(store, 1, Phase.DRIFTED, due_at=None), NOW)
    assert await store.open_load() == Load()
