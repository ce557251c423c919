"""The calls of a process in the ledger's history: told now and then, each once, and the rest in the end."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tenantfold.clock import ManualClock
from tenantfold.domain.model import CustomerId
from tenantfold.errors import StoreError
from tenantfold.flow.call_log import TOLD_EVERY_SECONDS, CallLog
from tests.flow.fakes import FakeLedger
from tests.flow.stage import START

ORDERS, CUSTOMERS = "POST /v1/customers/{customer}/orders", "GET /v1/customers"


class Refusing(FakeLedger):
    """A ledger that takes no history for a while."""

    refusals = 0

    async def add_event(self, name: str, now: object, customer_id: CustomerId | None = None, **facts: str) -> None:
        """Refuse, or keep."""
        if self.refusals:
            self.refusals -= 1
            raise StoreError("The disk is full.")
        await super().add_event(name, now, customer_id, **facts)  # type: ignore[arg-type]  # a time


def _told(ledger: FakeLedger) -> list[dict[str, str]]:
    assert {one.name for one in ledger.history} <= {"calls.made"}
    return [dict(one.facts) for one in ledger.history]


async def _passes(clock: ManualClock, seconds: float) -> None:
    """Let the log's own waiting bring the clock there."""
    until = clock.now().timestamp() + seconds
    for _ in range(1_000):
        await asyncio.sleep(0)
        if clock.now().timestamp() >= until:
            break
    for _ in range(5):
        await asyncio.sleep(0)


async def test_tells_what_is_new_every_few_minutes_and_the_rest_in_the_end():
    """A process that is killed in between loses the minutes since the last line only."""
    clock, calls = ManualClock(START), Counter({CUSTOMERS: 2})
    ledger = FakeLedger(clock=clock)
    async with CallLog(ledger, clock, calls).kept():
        await _passes(clock, TOLD_EVERY_SECONDS)
        assert _told(ledger) == [{CUSTOMERS: "2"}]
        calls.update({CUSTOMERS: 1, ORDERS: 5})
        await _passes(clock, TOLD_EVERY_SECONDS)
        assert _told(ledger)[1:] == [{CUSTOMERS: "1", ORDERS: "5"}]
        calls[ORDERS] += 1
    assert _told(ledger)[2:] == [{ORDERS: "1"}]


async def test_says_nothing_when_there_was_nothing():
    """An idle worker leaves no lines."""
    clock = ManualClock(START)
    ledger = FakeLedger(clock=clock)
    async with CallLog(ledger, clock, Counter()).kept():
        await _passes(clock, 10 * TOLD_EVERY_SECONDS)
    assert _told(ledger) == []


async def test_tells_the_rest_though_the_work_broke_off():
    """The error arrives as itself, and the calls were made all the same."""
    clock, calls = ManualClock(START), Counter({ORDERS: 3})
    ledger = FakeLedger(clock=clock)
    with pytest.raises(StoreError, match="broke off"):
        async with CallLog(ledger, clock, calls).kept():
            raise StoreError("It broke off.")
    assert _told(ledger) == [{ORDERS: "3"}]


async def test_a_ledger_that_refuses_is_told_again_and_stops_nobody():
    """What could not be told the first time is part of the next line."""
    clock, calls = ManualClock(START), Counter({ORDERS: 3})
    ledger = Refusing(clock=clock)
    ledger.refusals = 1
    log = CallLog(ledger, clock, calls)
    await log.tell()
    assert _told(ledger) == []
    calls[ORDERS] += 1
    await log.tell()
    assert _told(ledger) == [{ORDERS: "4"}]
