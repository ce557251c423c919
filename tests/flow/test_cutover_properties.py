"""Invariants 1, 2, 4, 5, 6 and 8 over generated worlds, with faults and crashes at every boundary."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from hypothesis import given, note, settings
from hypothesis import strategies as st

from tenantfold.clock import ManualClock
from tenantfold.dispatch.local import local_run
from tenantfold.domain.model import (
    AgreementContact,
    CustomerId,
    OfferId,
    OrderId,
    Route,
    Subscription,
    SubscriptionId,
    TenantId,
)
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanHeader, PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.states import Phase
from tenantfold.flow.cutover import Cutover
from tenantfold.flow.progress import Silent
from tenantfold.flow.run import Run, RunOptions, StopSign
from tests.flow.fakes import TARGET, Crash, FakeLedger, FakePartnerCenter, FakeWorld

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SOURCES = (TenantId("se"), TenantId("no"))
CONTACT = AgreementContact(first_name="Ada", last_name="Berg", email="ada@example.com", agreed_on=date(2026, 2, 1))
FAULTS = ("", "", "", "", "crash_before", "crash_after", "lost_before", "lost_after", "unavailable", "refused")


@dataclass
class Story:
    """One generated world: the customers' subscriptions and the faults that will strike, in order."""

    customers: list[list[tuple[str, str, int, bool]]]  # per subscription: offer, billing cycle, count, has an add-on
    faults: list[str]
    remembers_requests: bool

    def world(self) -> tuple[FakeWorld, FakeLedger]:
        """Build both sides and an empty ledger."""
        clock = ManualClock(START)
        world = FakeWorld(clock=clock, remembers_requests=self.remembers_requests)
        for number, held in enumerate(self.customers):
            customer_id = CustomerId(f"customer-{number}")
            world.related.add((TARGET, customer_id))
            for index, (offer, cycle, count, with_add_on) in enumerate(held):
                tenant = SOURCES[index % 2]
                world.related.add((tenant, customer_id))
                base = _subscription(f"s{number}-{index}", tenant, customer_id, offer, cycle, count)
                world.subscriptions[base.id] = base
                if with_add_on:
                    add_on = _subscription(f"a{number}-{index}", tenant, customer_id, f"ADDON-{offer}", cycle, count)
                    world.subscriptions[add_on.id] = _under(add_on, base)
        return world, FakeLedger(clock=clock)


def _subscription(
    name: str, tenant: TenantId, customer: CustomerId, offer: str, cycle: str, count: int
) -> Subscription:
    return Subscription(
        id=SubscriptionId(name),
        tenant_id=tenant,
        customer_id=customer,
        offer_id=OfferId(offer),
        offer_name=offer,
        friendly_name=offer,
        license_count=count,
        wire_status="active",
        billing_type="license",
        billing_cycle=cycle,
        order_id=OrderId(f"o-{name}"),
    )


def _under(add_on: Subscription, base: Subscription) -> Subscription:
    return replace(add_on, parent_id=base.id)


def _item(sub: Subscription) -> PlanItem:
    return PlanItem(
        subscription_id=sub.id,
        tenant_id=sub.tenant_id,
        offer_id=sub.offer_id,
        offer_name=sub.offer_name,
        friendly_name=sub.friendly_name,
        license_count=sub.license_count,
        billing_cycle=sub.billing_cycle,
        wire_status=sub.wire_status,
        route=Route.RECREATE,
        target_offer_id=sub.offer_id,
        parent_id=sub.parent_id,
    )


async def _plan(world: FakeWorld, ledger: FakeLedger, customers: int) -> None:
    async def stream() -> AsyncIterator[PlanCustomer]:
        for number in range(customers):
            customer_id = CustomerId(f"customer-{number}")
            subs = [one for one in world.subscriptions.values() if one.customer_id == customer_id]
            yield PlanCustomer(
                customer_id=customer_id,
                company_name=customer_id,
                country="SE",
                source_tenant_ids=tuple(sorted({one.tenant_id for one in subs})),
                disposition=Disposition.MOVE,
                items=tuple(_item(one) for one in subs),
                contact=CONTACT,
            )

    header = PlanHeader(consolidation="test", target_id=TARGET, snapshots=(), mapping_digest="", selection_digest="")
    record = await ledger.save_plan(header, stream(), world.clock.now())
    await ledger.approve_plan(record.id, "tester", world.clock.now())


def _run(world: FakeWorld, ledger: FakeLedger) -> Run:
    tenants = {tenant: FakePartnerCenter(tenant, world) for tenant in (*SOURCES, TARGET)}
    cutover = Cutover(
        consolidation="test", target_id=TARGET, tenants=tenants, ledger=ledger, clock=world.clock, policy=Policy()
    )
    return local_run(cutover, RunOptions(in_flight=1), Silent(), StopSign())


async def _live_through(story: Story) -> tuple[FakeWorld, FakeLedger, int]:
    """Run, crash, run again, until the faults are used up and a quiet run has ended."""
    world, ledger = story.world()
    await _plan(world, ledger, len(story.customers))
    faults = deque(story.faults)
    world.fault = ledger.fault = lambda _point: faults.popleft() if faults else ""
    crashes = 0
    while faults:
        crashes += await _crashes(_run(world, ledger))
        world.clock.move(60)
    await _run(world, ledger).go()
    return world, ledger, crashes


async def _crashes(run: Run) -> bool:
    """Whether the run died; a run that ends in order leaves the rest of the faults to the next one."""
    try:
        await run.go()
    except Crash:
        return True
    return False


SUBSCRIPTION = st.tuples(
    st.sampled_from(["E1", "E3", "VISIO"]), st.sampled_from(["monthly", "annual"]), st.integers(1, 3), st.booleans()
)
STORIES = st.builds(
    Story,
    customers=st.lists(st.lists(SUBSCRIPTION, min_size=1, max_size=3), min_size=1, max_size=2),
    faults=st.lists(st.sampled_from(FAULTS), max_size=25),
    remembers_requests=st.booleans(),
)


@given(story=STORIES)
@settings(max_examples=300, deadline=None)
def test_whatever_crashes_or_is_lost_every_customer_moves_once_and_without_a_gap(story: Story) -> None:
    """Invariants 1, 2, 4 and 6: after all faults every source is suspended and has exactly one equal counterpart."""
    world, ledger, crashes = asyncio.run(_live_through(story))
    note(f"{crashes} crashes; phases {dict(Counter(row.phase for row in ledger.rows.values()))}")
    note("\n".join(f"{event.customer_id} {event.name} {dict(event.facts)}" for event in ledger.history))
    assert not world.gaps
    assert all(row.phase is Phase.MOVED for row in ledger.rows.values())
    sources = [one for one in world.subscriptions.values() if one.tenant_id != TARGET]
    targets = [one for one in world.subscriptions.values() if one.tenant_id == TARGET]
    assert all(one.wire_status == "suspended" for one in sources)
    assert Counter(_shape(one) for one in targets) == Counter(_shape(one) for one in sources)
    assert all(key in ledger.outcomes for key in ledger.intents)


def _shape(one: Subscription) -> tuple[str, str, str, int, bool, str]:
    return (one.customer_id, one.offer_id, one.billing_cycle, one.license_count, one.is_add_on, one.friendly_name)
