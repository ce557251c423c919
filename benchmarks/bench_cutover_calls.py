"""Calls to Partner Center per customer of the demo world, from the first invitation to the last suspension."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from benchmarks.emulated_partner import Partner
from benchmarks.measure import Bench, Figure, Outcome
from partner_center_emulator import actors, demo_world, ledger
from partner_center_emulator.emulator import Options
from tenantfold.bootstrap import regions
from tenantfold.dispatch.local import local_run
from tenantfold.domain.model import AgreementContact, CustomerId
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanRecord
from tenantfold.domain.policy import Policy
from tenantfold.domain.selection import CustomerSelection, SelectedCustomer
from tenantfold.domain.states import Phase
from tenantfold.flow.cutover import Cutover
from tenantfold.flow.inventory import InventoryTask, take
from tenantfold.flow.planning import PlanTask, make
from tenantfold.flow.progress import Silent
from tenantfold.flow.relationships import InviteTask, invite
from tenantfold.flow.run import RunOptions, StopSign
from tenantfold.store import Store

EXTRA_CALLS = 5  # the budget: so many calls a customer, and one for each of its subscriptions
AGREED_DAYS_AGO = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One customer that moved: with how many subscriptions, at how many calls, and how many the decision grants."""

    subscriptions: int
    calls: int
    granted: int

    @property
    def extra(self) -> int:
        """Calls beyond one for each subscription."""
        return self.calls - self.subscriptions


def granted(customer: PlanCustomer) -> int:
    """The calls of a customer by docs/adr/0014: 5 + k, and one more for each thing that cannot share a call.

    The attestation, further orders (one a billing cycle), orders that get add-ons and the sources read again for them,
    two reads a further source tenant; add-ons are suspended along with their bases.
    """
    moving = [item for item in customer.items if item.moves]
    ordered = [item for item in moving if item.target_id is None]
    tenants = len({item.tenant_id for item in moving})
    orders = len({item.billing_cycle for item in ordered if not item.is_add_on})
    add_on_orders = len({item.billing_cycle for item in ordered if item.is_add_on})
    reads_again = tenants if any(item.is_add_on for item in moving) else 0
    suspensions = sum(not item.is_add_on for item in moving)
    attested = 1
    reads = (tenants + 1) + (1 + reads_again) + tenants  # before ordering, before suspending, after it
    return reads + attested + orders + add_on_orders + suspensions


def run(worlds: int, folder: Path) -> Outcome:
    """Move the demo's customers once; the demo has one size."""
    assert worlds == 1, "there is one demo world"
    return asyncio.run(_run(folder))


async def _run(folder: Path) -> Outcome:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    partner = Partner(demo_world.build(), Options())
    async with Store.open(f"sqlite:///{folder / 'cutover.db'}") as store, partner.http:
        await store.migrate()
        plan = await _approved_plan(partner, store)
        partner.meter.counts_paths = True
        await _move(partner, store)
        planned = {one.customer_id: one async for one in store.plan_customers(plan.id, Disposition.MOVE)}
        done = {customer_id: await store.case(customer_id) for customer_id in planned}
    truth = ledger.report(partner.emulator).totals
    assert truth.twins + truth.gaps + truth.unequal == 0, "a cutover that harms somebody is not measured"
    calls = calls_by_customer(partner.meter.calls)
    moved = [
        Moved(
            subscriptions=sum(item.moves for item in planned[one].items),
            calls=calls[one],
            granted=granted(planned[one]),
        )
        for one, case in done.items()
        if case is not None and case.progress.phase is Phase.MOVED
    ]
    everybody = {one for one, case in done.items() if case is not None and case.progress.phase is Phase.MOVED}
    kinds = kinds_of_calls(partner.meter.calls, everybody)
    return outcome(moved, kinds, shared=sum(partner.meter.calls.values()) - sum(calls.values()))


def kinds_of_calls(calls: Mapping[tuple[str, str], int], customers: AbstractSet[str]) -> Counter[str]:
    """The calls of these customers by method and resource."""
    found: Counter[str] = Counter()
    for (method, path), count in calls.items():
        customer_id, resource = customer_in(path)
        if customer_id in customers:
            found[f"{method} {resource or 'customer'}"] += count
    return found


def calls_by_customer(calls: Mapping[tuple[str, str], int]) -> Counter[str]:
    """The calls whose path names a customer, by customer."""
    found: Counter[str] = Counter()
    for (_, path), count in calls.items():
        customer_id, _ = customer_in(path)
        if customer_id:
            found[customer_id] += count
    return found


def customer_in(path: str) -> tuple[str, str]:
    """The customer that a path names, and the resource of it; both empty for the path of something else."""
    version, collection, customer_id, resource, *_ = [*path.strip("/").split("/"), "", "", "", ""]
    return (customer_id.lower(), resource) if (version, collection) == ("v1", "customers") else ("", "")


def outcome(moved: list[Moved], kinds: Counter[str], shared: int) -> Outcome:
    """The worst customer against the budget, and all of them together."""
    assert moved, "somebody moved"
    subscriptions = sum(one.subscriptions for one in moved)
    calls = sum(one.calls for one in moved)
    worst = max(moved, key=lambda one: one.extra)
    return Outcome(
        figures=(
            Figure(
                what="worst customer: calls made of those docs/adr/0014 grants",
                unit="%",
                measured=round(max(100 * one.calls / one.granted for one in moved), 1),
                budget=100,
            ),
            Figure(what="worst customer: calls beyond one a subscription", unit="calls", measured=worst.extra),
            Figure(
                what="all moved customers: calls beyond one a subscription, each",
                unit="calls",
                measured=round((calls - subscriptions) / len(moved), 2),
                budget=EXTRA_CALLS,
            ),
            *(
                Figure(what=f"calls each: {kind}", unit="calls", measured=round(count / len(moved), 2))
                for kind, count in kinds.most_common()
            ),
            Figure(
                what="with their part of the calls that name no customer",
                unit="calls",
                measured=round((calls + shared - subscriptions) / len(moved), 2),
            ),
        ),
        facts={"customers moved": len(moved), "subscriptions moved": subscriptions, "calls": calls, "shared": shared},
    )


async def _approved_plan(partner: Partner, store: Store) -> PlanRecord:
    for tenant in partner.tenants:
        task = InventoryTask(
            tenant=tenant,
            partner_center=partner.clients[tenant.id],
            inventory=store,
            clock=partner.clock,
            regions=regions(),
        )
        await take(task, Silent())
    task_of_plan = PlanTask(
        consolidation="bench",
        tenants=await store.tenants(),
        inventory=store,
        ledger=store,
        clock=partner.clock,
        regions=regions(),
        mapping=(),
        selection=_everybody(partner),
    )
    plan = await make(task_of_plan, Silent())
    return await store.approve_plan(plan.id, "bench", partner.clock.now())


def _everybody(partner: Partner) -> CustomerSelection:
    """The partner's list: every customer, with who accepted the Microsoft Customer Agreement."""
    agreed_on = (partner.clock.now() - timedelta(days=AGREED_DAYS_AGO)).date()
    customers = partner.emulator.world.customers.values()
    rows = tuple(
        SelectedCustomer(
            row=number,
            customer_id=CustomerId(one.id),
            contact=AgreementContact(
                first_name=one.first_name, last_name=one.last_name, email=one.email, agreed_on=agreed_on
            ),
        )
        for number, one in enumerate(customers, start=2)
    )
    return CustomerSelection(place="the benchmark's list", rows=rows)


async def _move(partner: Partner, store: Store) -> None:
    """Invite everybody, let them react as the demo says, and carry the plan out as far as it goes that day."""
    task = InviteTask(
        ledger=store,
        target=partner.clients[partner.target.id],
        partner_name=partner.target.name,
        clock=partner.clock,
        write=lambda customer, _text: customer.customer_id,
    )
    await invite(task, Silent())
    world = partner.emulator.world
    target = world.partner_tenants[partner.target.id]
    actors.ask(partner.emulator, target, list(world.customers.values()))
    cutover = Cutover(
        consolidation="bench",
        target_id=partner.target.id,
        tenants=partner.clients,
        ledger=store,
        clock=partner.clock,
        policy=Policy(),
    )
    await local_run(cutover, RunOptions(), Silent(), StopSign()).go()


BENCH = Bench(
    name="cutover_calls",
    what="calls a customer, from invitation to suspension, in the demo world",
    unit="demo world",
    full_size=1,
    run=run,
)
