import asyncio
from dataclasses import replace

import pytest

from tenantfold.domain.journal import Intent, OpKind, OutcomeKind
from tenantfold.domain.records import Event, Step
from tenantfold.domain.states import Counterpart, Phase
from tenantfold.domain.waves import Held, Hold
from tenantfold.errors import ConflictError, StoreError
from tenantfold.store import Store
from tenantfold.store.wave_ledger import WaveLedger
from tests.store.samples import (
    NOW,
    counterpart,
    customer_id,
    intent,
    later,
    outcome,
    plan_customer,
    saved_plan,
    send,
    step_of,
)


@pytest.fixture
async def planned(store: Store) -> Store:
    """A ledger with a plan of two customers (plan 1)."""
    await saved_plan(store, plan_customer(1), plan_customer(2))
    return store


async def journal_of(store: Store, number: int) -> tuple[list[str], list[tuple[str, OutcomeKind]]]:
    """Keys of a customer's open intents; keys and ends of its settled ones."""
    case = await store.case(customer_id(number))
    assert case is not None
    return [one.key for one in case.open_intents], [(wish.key, end.kind) for wish, end in case.settled]


async def test_an_intent_is_there_for_others_before_its_call_leaves(planned: Store, url: str):
    """Another program that opens the ledger finds the whole intent, open, and with the same request id."""
    wish = intent(1)
    await send(planned, wish)
    async with Store.open(url) as other:
        case = await other.case(customer_id(1))
    assert case is not None
    assert case.open_intents == (wish,)
    assert case.open_intents[0].request_id == wish.request_id


async def test_a_wish_can_be_recorded_once(planned: Store):
    """The key is derived, so a second worker with the same wish is stopped before its call (invariant 2)."""
    results = await asyncio.gather(
        *(send(planned, intent(1, at=later(seconds=one))) for one in range(5)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["ConflictError"] * 4 + ["NoneType"]
    assert await journal_of(planned, 1) == (["key-1"], [])


async def test_an_intent_decided_on_an_old_row_is_refused(planned: Store):
    """Whoever moved the row knows better: nothing of it is kept, and so nothing is sent (invariant 5)."""
    before = await planned.case(customer_id(1))
    assert before is not None
    await planned.record_step(await step_of(planned, 1, Phase.DRIFTED), NOW)
    with pytest.raises(ConflictError):
        await planned.record_intent(intent(1), before.progress.version)
    assert await journal_of(planned, 1) == ([], [])


async def test_an_intent_moves_its_row(planned: Store):
    """Two workers that read the same row and want different things: one of them is refused."""
    before = await planned.case(customer_id(1))
    assert before is not None
    await planned.record_intent(intent(1), before.progress.version)
    with pytest.raises(ConflictError):
        await planned.record_intent(intent(1, "another wish"), before.progress.version)
    after = await planned.case(customer_id(1))
    assert after == before.after_intent(intent(1))


async def test_who_was_stopped_gets_no_new_intent(planned: Store):
    """Even when its row is as it was: stopping moves no row, and holds at once (``abort --now``)."""
    waves = WaveLedger(planned.database)
    hold = Hold(kind=Held.STOPPED, by="Eva", reason="wrong customer", at=NOW)
    await waves.hold(customer_id(1), hold, Event(at=NOW, customer_id=customer_id(1), name="customer.stopped", facts={}))
    case = await planned.case(customer_id(1))
    assert case is not None
    assert case.held is Held.STOPPED
    with pytest.raises(ConflictError):
        await planned.record_intent(intent(1), case.progress.version)
    assert await journal_of(planned, 1) == ([], [])


async def test_who_was_stopped_is_sent_no_call_again(planned: Store):
    """It has its intent already, so the row's step is what refuses it; what only records is kept (``abort --now``)."""
    await send(planned, intent(1))
    hold = Hold(kind=Held.STOPPED, by="Eva", reason="wrong customer", at=NOW)
    event = Event(at=NOW, customer_id=customer_id(1), name="customer.stopped", facts={})
    await WaveLedger(planned.database).hold(customer_id(1), hold, event)
    step = await step_of(planned, 1, Phase.VERIFIED)
    with pytest.raises(ConflictError):
        await planned.record_step(replace(step, sends=True), NOW)
    case = await planned.case(customer_id(1))
    assert case is not None
    assert case.progress.version == step.progress.version
    await planned.record_step(step, NOW)


async def test_a_case_follows_what_is_recorded(planned: Store):
    """What a drive remembers is what loading the case again would give it."""
    case = await planned.case(customer_id(1))
    assert case is not None
    for key, link in (("key-1", counterpart(1)), ("key-2", None)):
        wish = intent(1, key)
        await planned.record_intent(wish, case.progress.version)
        case = case.after_intent(wish)
        links = (link,) if link is not None else ()
        progress = replace(case.progress, phase=Phase.CUTTING_OVER, due_at=NOW)
        step = Step(progress=progress, outcome=outcome(key), counterparts=links, event="done")
        await planned.record_step(step, NOW)
        case = case.after_step(step)
        assert case == await planned.case(customer_id(1))


async def test_an_intent_belongs_to_a_plan(planned: Store):
    """An intent of a plan that does not exist is refused by the database."""
    with pytest.raises(StoreError, match="refused a row"):
        await send(planned, intent(1, plan_id=77))


async def test_a_step_writes_everything_it_holds(planned: Store):
    """Progress, outcome, counterparts and event, and the intent is settled."""
    await send(planned, intent(1))
    step = await step_of(
        planned,
        1,
        Phase.CUTTING_OVER,
        outcome=outcome(),
        counterparts=(counterpart(1), counterpart(1, None, "b")),
        event="cutover.order.done",
        facts={"order": "order-9"},
        detail="why",
        due_at=later(minutes=1),
        deadline_at=later(hours=3),
    )
    stored = await planned.record_step(step, later(seconds=3))
    case = await planned.case(customer_id(1))
    assert case is not None
    assert case.progress == stored == replace(step.progress, version=step.progress.version + 1)
    assert case.counterparts == (counterpart(1), counterpart(1, None, "b"))
    assert (case.open_intents, case.settled) == ((), ((intent(1), outcome()),))
    assert await planned.events(customer_id(1)) == (
        Event(at=later(seconds=3), customer_id=customer_id(1), name="cutover.order.done", facts={"order": "order-9"}),
    )


async def test_a_step_on_a_row_that_moved_writes_nothing(planned: Store):
    """Two workers end a step from the same version: the second is refused with outcome, counterpart and event."""
    await send(planned, intent(1))
    stale = await step_of(
        planned, 1, Phase.VERIFIED, outcome=outcome(), counterparts=(counterpart(1),), event="never.happened"
    )
    first = await planned.record_step(await step_of(planned, 1, Phase.CUTTING_OVER), NOW)
    with pytest.raises(ConflictError, match="moved since it was read"):
        await planned.record_step(stale, NOW)
    case = await planned.case(customer_id(1))
    assert case is not None
    assert (case.progress, case.counterparts) == (first, ())
    assert await journal_of(planned, 1) == (["key-1"], [])
    assert await planned.events() == ()


async def test_of_many_workers_with_one_version_one_wins(planned: Store):
    """The guard holds when they really run at once."""
    step = await step_of(planned, 1, Phase.CUTTING_OVER, event="won")
    results = await asyncio.gather(*(planned.record_step(step, NOW) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(result, ConflictError) for result in results) == 7
    assert len(await planned.events()) == 1


async def test_a_customer_without_progress_cannot_be_written(planned: Store):
    """A step needs a plan that has its customer."""
    known = await step_of(planned, 1, Phase.CUTTING_OVER)
    stranger = Step(progress=replace(known.progress, customer_id=customer_id(9)))
    with pytest.raises(ConflictError):
        await planned.record_step(stranger, NOW)


async def test_an_intent_has_one_outcome(planned: Store):
    """The first end stands; a second is refused together with its step."""
    await send(planned, intent(1))
    await planned.record_step(await step_of(planned, 1, Phase.CUTTING_OVER, outcome=outcome()), NOW)
    again = await step_of(planned, 1, Phase.FAILED, outcome=outcome(kind=OutcomeKind.FAILED))
    with pytest.raises(ConflictError, match="has an outcome already"):
        await planned.record_step(again, NOW)
    assert await journal_of(planned, 1) == ([], [("key-1", OutcomeKind.DONE)])
    case = await planned.case(customer_id(1))
    assert case is not None
    assert case.progress.phase is Phase.CUTTING_OVER


async def test_an_outcome_needs_its_intent(planned: Store):
    """What was never intended cannot end."""
    with pytest.raises(StoreError, match="refused a row"):
        await planned.record_step(await step_of(planned, 1, Phase.VERIFIED, outcome=outcome("no such key")), NOW)


async def test_a_target_stands_for_one_source(planned: Store):
    """A second source with the same target is refused by the schema, whatever the code believes (invariant 2)."""
    await planned.record_step(await step_of(planned, 1, Phase.CUTTING_OVER, counterparts=(counterpart(1),)), NOW)
    twin = await step_of(planned, 2, Phase.CUTTING_OVER, counterparts=(counterpart(2, "new-1"),), event="twin")
    with pytest.raises(ConflictError, match="target_id"):
        await planned.record_step(twin, NOW)
    assert await planned.counterparts(customer_id(2)) == {}
    assert await planned.events() == ()


@pytest.mark.parametrize("target_id", ["new-2", None])
async def test_a_source_keeps_its_target(planned: Store, target_id: str | None):
    """A known target is neither exchanged nor forgotten (invariant 2)."""
    await planned.record_step(await step_of(planned, 1, Phase.CUTTING_OVER, counterparts=(counterpart(1),)), NOW)
    other = await step_of(planned, 1, Phase.VERIFIED, counterparts=(counterpart(1, target_id),))
    with pytest.raises(ConflictError, match="another target"):
        await planned.record_step(other, NOW)
    assert await planned.counterparts() == {counterpart(1).source_id: counterpart(1)}


async def test_several_counterparts_may_wait_for_their_target_id(planned: Store):
    """Unknown targets do not collide; each gets its own later, then its times (commerce reference 0.7)."""
    waiting = (counterpart(1, None, "a"), counterpart(1, None, "b"))
    await planned.record_step(await step_of(planned, 1, Phase.CUTTING_OVER, counterparts=waiting), NOW)
    known = counterpart(1, "new-1", "a", verified_at=later(minutes=1), suspended_at=later(minutes=2))
    await planned.record_step(await step_of(planned, 1, Phase.VERIFIED, counterparts=(known,)), NOW)
    found = await planned.counterparts(customer_id(1))
    assert list(found.values()) == [known, counterpart(1, None, "b")]


async def test_counterparts_of_all_or_of_one_customer(planned: Store):
    """By source subscription."""
    for number in (1, 2):
        link: Counterpart = counterpart(number, f"new-{number}")
        await planned.record_step(await step_of(planned, number, Phase.CUTTING_OVER, counterparts=(link,)), NOW)
    assert len(await planned.counterparts()) == 2
    assert list(await planned.counterparts(customer_id(2))) == [counterpart(2).source_id]


async def test_a_case_holds_the_journal_of_all_plans_oldest_first(planned: Store):
    """What an earlier plan left open is still open; order is the order of recording, not of keys or clocks."""
    wishes: list[Intent] = [
        intent(1, "z-first"),
        intent(1, "a-second", kind=OpKind.SUSPEND, lines=(), at=later(hours=-1)),
        intent(1, "m-third", plan_id=2),
        intent(1, "b-fourth", plan_id=2),
    ]
    await send(planned, wishes[0])
    await send(planned, wishes[1])
    await send(planned, intent(2, "of another"))
    await saved_plan(planned, plan_customer(1))
    for wish in wishes[2:]:
        await send(planned, wish)
    for key in ("b-fourth", "z-first"):
        await planned.record_step(await step_of(planned, 1, Phase.CUTTING_OVER, outcome=outcome(key)), NOW)
    assert await journal_of(planned, 1) == (
        ["a-second", "m-third"],
        [("z-first", OutcomeKind.DONE), ("b-fourth", OutcomeKind.DONE)],
    )


async def test_a_customer_outside_the_newest_plan_has_no_case(planned: Store):
    """And without any plan nobody has."""
    assert await planned.case(customer_id(9)) is None


async def test_a_case_brings_plan_customer_and_invitation_together(planned: Store):
    """The newest plan, its view of the customer, nothing done yet."""
    case = await planned.case(customer_id(1))
    assert case is not None
    assert (case.plan, case.customer) == (await planned.newest_plan(), plan_customer(1))
    assert (case.counterparts, case.open_intents, case.settled, case.invited_at) == ((), (), (), None)


async def test_history_comes_newest_first(store: Store):
    """Of everybody or of one customer, as many as asked for."""
    await store.add_event("inventory.done", NOW, customers="3")
    await store.add_event("a.happened", later(hours=-1), customer_id(1))
    await store.add_event("b.happened", NOW, customer_id(2), reason="Åsa said so")
    assert [event.name for event in await store.events()] == ["b.happened", "a.happened", "inventory.done"]
    assert [event.name for event in await store.events(limit=1)] == ["b.happened"]
    assert await store.events(customer_id(2)) == (
        Event(at=NOW, customer_id=customer_id(2), name="b.happened", facts={"reason": "Åsa said so"}),
    )


async def test_a_time_without_zone_is_refused(store: Store):
    """A guess could move a cutover to another day (R-192)."""
    with pytest.raises(StoreError, match="time without zone"):
        await store.add_event("x", NOW.replace(tzinfo=None))
