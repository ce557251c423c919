"""A worker that was believed dead comes back in the middle of a call: its late write is refused, nothing is twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from tenantfold.domain.model import CustomerId, OrderLine, PlacedOrder
from tenantfold.domain.states import Phase
from tenantfold.flow.progress import Silent
from tenantfold.flow.reconciler import Reconciler
from tenantfold.store import Store
from tests.flow.fakes import TARGET, FakePartnerCenter
from tests.flow.stage import Stage, customer_id

pytestmark = pytest.mark.postgres


@dataclass
class Frozen(FakePartnerCenter):
    """The order takes effect, and then the worker stands still before it hears of it."""

    ordered: asyncio.Event = field(default_factory=asyncio.Event)
    thawed: asyncio.Event = field(default_factory=asyncio.Event)

    async def place_order(
        self, customer_id: CustomerId, billing_cycle: str, lines: object, request_id: UUID
    ) -> PlacedOrder:
        """An order whose answer comes when the worker is thawed."""
        assert isinstance(lines, tuple)
        placed: tuple[OrderLine, ...] = lines
        answer = await super().place_order(customer_id, billing_cycle, placed, request_id)
        self.ordered.set()
        await self.thawed.wait()
        return answer


async def test_the_late_write_of_a_zombie_is_refused(ledger: Store):
    """Another worker found the order by looking, and finished; the zombie's drive just ends."""
    stage = Stage()
    stage.ledger = ledger  # type: ignore[assignment]  # the real one
    stage.add(0)
    await stage.plan()
    frozen = stage.centers[TARGET] = Frozen(TARGET, stage.world)
    zombie = Reconciler(stage.cutover(), Silent(), lambda: False)
    await zombie.poll()
    late = asyncio.create_task(zombie.drive(customer_id(0)))
    await asyncio.wait_for(frozen.ordered.wait(), 30)

    stage.centers[TARGET] = FakePartnerCenter(TARGET, stage.world)
    other = Reconciler(stage.cutover(), Silent(), lambda: False)
    await other.drive(customer_id(0))
    case = await ledger.case(customer_id(0))
    assert case is not None
    assert case.progress.phase is Phase.MOVED

    frozen.thawed.set()
    await late
    after = await ledger.case(customer_id(0))
    assert after == case
    assert (zombie.errors, zombie.stopping(), other.errors) == ({}, False, {})
    assert stage.has_moved(0)
    assert (stage.world.writes["order"], stage.world.writes["suspend"]) == (1, 1)
    assert stage.world.gaps == []
