"""The gate over a real ledger: who is held does not begin, and nobody is let in who could not end today."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from tenantfold.clock import ManualClock
from tenantfold.domain.admission import SUBSCRIPTION, KnownRates
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Event
from tenantfold.domain.states import Phase
from tenantfold.domain.waves import Held, Hold
from tenantfold.flow.admission import AdmissionGate
from tenantfold.flow.ports import Gate
from tenantfold.store import Store
from tests.store.samples import (
    NOW,
    SOURCE,
    TARGET,
    TENANTS,
    counterpart,
    customer_id,
    intent,
    outcome,
    plan_customer,
    saved_plan,
    send,
    step_of,
)

AT_2320 = datetime(2026, 3, 2, 23, 20, tzinfo=UTC)
POLICY = Policy(stop_starting_at=time(23, 59), late_at=time(23, 30))
EVENT = Event(at=NOW, customer_id=None, name="test", facts={})


@dataclass
class Door:
    """A ledger of many customers, each of one subscription (three calls at the source), and a gate in front of it."""

    store: Store
    clock: ManualClock
    calls_per_minute: float
    asked: int = 0

    def gate(self) -> AdmissionGate:
        """A process of its own has one."""
        return AdmissionGate(self.store, self.clock, POLICY, self._rates, TARGET)

    async def _rates(self) -> KnownRates:
        self.asked += 1
        return KnownRates(fallback=10_000.0, learned={(SOURCE, SUBSCRIPTION): self.calls_per_minute})

    async def ask(self, gate: Gate, number: int) -> Refusal | None:
        """What the gate says to a customer."""
        case = await self.store.case(customer_id(number))
        assert case is not None
        return await gate.refusal(case)

    async def begin(self, number: int) -> None:
        """The customer's target stands; its source is still to be suspended."""
        await send(self.store, intent(number, f"order-{number}"))
        step = await step_of(
            self.store,
            number,
            Phase.CUTTING_OVER,
            outcome=outcome(f"order-{number}"),
            counterparts=(counterpart(number, f"t-{number}"),),
            deadline_at=AT_2320.replace(hour=23, minute=59),
            due_at=AT_2320,
        )
        await self.store.record_step(step, AT_2320)

    async def end(self, number: int) -> None:
        """The customer has moved."""
        done = counterpart(number, f"t-{number}", suspended_at=AT_2320)
        step = await step_of(self.store, number, Phase.MOVED, counterparts=(done,), deadline_at=None, due_at=None)
        await self.store.record_step(step, AT_2320)


@pytest.fixture
async def door(tmp_path: Path):
    """Forty customers, ten minutes left, three calls a minute at the source: thirty calls, ten customers."""
    async with Store.open(f"sqlite:///{tmp_path / 'ledger.db'}") as store:
        await store.migrate()
        for tenant in TENANTS:
            await store.save_tenant(tenant)
        await saved_plan(store, *map(plan_customer, range(40)), now=AT_2320)
        await store.mark_accepted([customer_id(number) for number in range(40)], AT_2320)
        yield Door(store, ManualClock(AT_2320), calls_per_minute=3.0)


async def test_many_that_ask_at_once_are_not_let_in_on_the_same_free_calls(door: Door):
    """Forty at once, calls for ten: ten begin, the others are told the numbers and wait for tomorrow."""
    gate = door.gate()
    answers = await asyncio.gather(*(door.ask(gate, number) for number in range(40)))
    refused = [one for one in answers if one is not None]
    assert len(answers) - len(refused) == 10
    assert {one.code for one in refused} == {RefusalCode.CANNOT_FINISH_TODAY}
    assert "33 subscription calls" in refused[0].detail
    assert {one.due_at for one in refused} == {datetime(2026, 3, 3, 0, 5, tzinfo=UTC)}
    assert door.asked == 1


async def test_what_another_process_began_counts_as_soon_as_it_is_counted_again(door: Door):
    """Six have begun elsewhere, with three calls left each: room for four."""
    for number in range(30, 36):
        await door.begin(number)
    gate = door.gate()
    answers = [await door.ask(gate, number) for number in range(10)]
    assert [one is None for one in answers] == [True] * 4 + [False] * 6


async def test_who_has_ended_makes_room(door: Door):
    """Ten are in; three of them move; after the next count three more may begin."""
    gate = door.gate()
    for number in range(10):
        assert await door.ask(gate, number) is None
        await door.begin(number)
    assert await door.ask(gate, 10) is not None
    for number in range(3):
        await door.end(number)
    door.clock.move(4)
    door.calls_per_minute = 30 / (10 - 4 / 60)  # the minutes that passed are not what this is about
    answers = [await door.ask(gate, number) for number in range(10, 16)]
    assert [one is None for one in answers] == [True] * 3 + [False] * 3


async def test_whoever_was_let_in_counts_until_its_order_shows(door: Door):
    """Let in, counted again before anything was written: its calls are still kept for it."""
    gate = door.gate()
    for number in range(10):
        assert await door.ask(gate, number) is None
    door.clock.move(4)
    assert await door.ask(gate, 10) is not None


async def test_who_is_held_does_not_begin_even_when_it_was_handed_out_before(door: Door):
    """The gate asks the ledger anew: a pause holds from this moment on."""
    gate = door.gate()
    assert await door.ask(gate, 1) is None
    hold = Hold(kind=Held.PAUSED, by="Eva", reason="asked for", at=AT_2320)
    await door.store.hold(None, hold, EVENT)
    refused = await door.ask(gate, 2)
    assert refused is not None
    assert refused.code is RefusalCode.HELD
    await door.store.lift(None, replace(EVENT, at=AT_2320))
    assert await door.ask(gate, 2) is None
