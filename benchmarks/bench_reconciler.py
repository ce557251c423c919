"""CPU of the reconciler for one journaled call: an intent and its outcome, and what belongs to it.

The budget is held against the whole cost of the product without its HTTP client: handing out, loading the case, the
core's decision, the intent, the outcome, and the reads and notes that are journaled nowhere, all divided by the calls
that change something. Partner Center is an object that answers at once (its own CPU time is taken off), so what is
measured is ledger and core; a real call's encoding and headers are in the figures "with HTTP client", which have no
budget: the client's cost is the same with any engine. CPU time is this process' with all its threads; what the
PostgreSQL server itself uses is not in it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import structlog

from benchmarks import made_world
from benchmarks.emulated_partner import Partner
from benchmarks.fresh_process import in_fresh_process
from benchmarks.instant_center import centers, sides
from benchmarks.made_book import REGIONS, TARGET, entries
from benchmarks.made_snapshots import NOW, write_source, write_target
from benchmarks.measure import Bench, CpuTime, Figure, Outcome
from benchmarks.postgres import postgres
from partner_center_emulator import actors, ledger
from partner_center_emulator.emulator import Options
from tenantfold.bootstrap import regions
from tenantfold.clock import ManualClock
from tenantfold.dispatch.local import local_run
from tenantfold.domain.model import AgreementContact
from tenantfold.domain.policy import Policy
from tenantfold.domain.selection import CustomerSelection, SelectedCustomer
from tenantfold.domain.states import Phase
from tenantfold.flow.cutover import Cutover
from tenantfold.flow.inventory import InventoryTask, take
from tenantfold.flow.planning import PlanTask, make
from tenantfold.flow.progress import Silent
from tenantfold.flow.run import RunOptions, StopSign
from tenantfold.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantfold.domain.model import TenantId
    from tenantfold.domain.regions import RegionMap
    from tenantfold.flow.partner_center import PartnerCenter

SQLITE_BUDGET, POSTGRES_BUDGET = 1.0, 5.0  # ms a journaled call
IN_FLIGHT = 64
AGREED_ON = (NOW - timedelta(days=14)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU seconds of the product for so many journaled calls; ``case_seconds`` for one loading of a case."""

    seconds: float
    journaled: int
    case_seconds: float = 0.0

    @property
    def milliseconds(self) -> float:
        """CPU for one journaled call."""
        return round(1_000 * self.seconds / self.journaled, 3)


def without_http(customers: int, folder: Path, url: str) -> Cost:
    """Move the made book with Partner Center as an object, on the ledger of the URL."""
    return asyncio.run(_without_http(customers, url or _sqlite(folder, "object")))


async def _without_http(customers: int, url: str) -> Cost:
    _quiet()
    known = sides(customers)
    clock = ManualClock(NOW)
    async with Store.open(url) as store:
        await store.migrate()
        await write_source(store, customers)
        await write_target(store)
        await _approved(store, clock, _contacts(customers))
        await store.mark_accepted([entry.customer_id for entry in entries(customers)], NOW)
        cutover = Cutover(
            consolidation="bench",
            target_id=TARGET,
            tenants=cast("Mapping[TenantId, PartnerCenter]", centers(known)),
            ledger=store,
            clock=clock,
            policy=Policy(),
        )
        with CpuTime() as cpu:
            summary = await local_run(cutover, RunOptions(in_flight=IN_FLIGHT), Silent(), StopSign()).go()
        assert summary.phases == {Phase.MOVED: customers}, summary
        with CpuTime() as loading:
            for entry in entries(customers):
                assert await store.case(entry.customer_id) is not None
    return Cost(
        seconds=cpu.seconds - known.cpu_seconds, journaled=known.writes, case_seconds=loading.seconds / customers
    )


def with_http(customers: int, folder: Path, url: str) -> Cost:
    """Move the made world through the real client and the emulator in this process, whose CPU time is taken off."""
    return asyncio.run(_with_http(customers, url or _sqlite(folder, "http")))


async def _with_http(customers: int, url: str) -> Cost:
    _quiet()
    partner = Partner(made_world.made_world(customers), Options(throttling=False))
    world = partner.emulator.world
    async with Store.open(url) as store, partner.http:
        await store.migrate()
        tenants = [one for one in partner.tenants if one.key in {made_world.SOURCE_KEY, made_world.TARGET_KEY}]
        for tenant in tenants:
            task = InventoryTask(
                tenant=tenant,
                partner_center=partner.clients[tenant.id],
                inventory=store,
                clock=partner.clock,
                regions=regions(),
            )
            await take(task, Silent())
        await _approved(store, partner.clock, made_world.selection(world), regions())
        actors.ask(partner.emulator, world.partner_tenants[partner.target.id], list(world.customers.values()), "now")
        cutover = Cutover(
            consolidation="bench",
            target_id=partner.target.id,
            tenants=partner.clients,
            ledger=store,
            clock=partner.clock,
            policy=Policy(),
        )
        before, partner.meter.counts_paths = partner.meter.cpu_seconds, True
        with CpuTime() as cpu:
            summary = await local_run(cutover, RunOptions(in_flight=IN_FLIGHT), Silent(), StopSign()).go()
    assert summary.phases == {Phase.MOVED: customers}, summary
    totals = ledger.report(partner.emulator).totals
    assert (totals.twins, totals.gaps, totals.unequal) == (0, 0, 0), totals
    writes = sum(
        count for (method, path), count in partner.meter.calls.items() if method != "GET" and path.startswith("/v1/")
    )
    return Cost(seconds=cpu.seconds - (partner.meter.cpu_seconds - before), journaled=writes)


async def _approved(store: Store, clock: ManualClock, selection: CustomerSelection, known: RegionMap = REGIONS) -> None:
    task = PlanTask(
        consolidation="bench",
        tenants=await store.tenants(),
        inventory=store,
        ledger=store,
        clock=clock,
        regions=known,
        mapping=(),
        selection=selection,
    )
    plan = await make(task, Silent())
    await store.approve_plan(plan.id, "bench", clock.now())


def _contacts(customers: int) -> CustomerSelection:
    """The partner's own list: everybody, with who accepted the Microsoft Customer Agreement."""
    contact = AgreementContact(first_name="A", last_name="B", email="a@b.example", agreed_on=AGREED_ON)
    rows = tuple(
        SelectedCustomer(row=row, customer_id=entry.customer_id, contact=contact)
        for row, entry in enumerate(entries(customers), start=2)
    )
    return CustomerSelection(place="the benchmark's list", rows=rows)


def _sqlite(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / f'{name}.db'}"


def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def run(customers: int, folder: Path) -> Outcome:
    """Both databases, without and with the HTTP client, each in a process of its own."""
    figures: list[Figure] = []
    for name, budget in (("SQLite", SQLITE_BUDGET), ("PostgreSQL", POSTGRES_BUDGET)):
        costs = []
        for work in (without_http, with_http):
            with postgres(folder) if name == "PostgreSQL" else nullcontext("") as url:
                costs.append(in_fresh_process(work, customers, folder, url))
        bare, whole = costs
        loading = round(1_000 * bare.case_seconds, 3)
        figures += [
            Figure(what=f"{name}: ledger and core", unit="ms a call", measured=bare.milliseconds, budget=budget),
            Figure(what=f"{name}: of that, loading a case once", unit="ms", measured=loading),
            Figure(what=f"{name}: with HTTP client", unit="ms a call", measured=whole.milliseconds),
        ]
    facts = {"journaled calls": bare.journaled, "customers driven at once": IN_FLIGHT}
    return Outcome(figures=tuple(figures), facts=facts)


BENCH = Bench(
    name="reconciler",
    what="CPU of the reconciler for a journaled call, without and with the HTTP client",
    unit="customers",
    full_size=1_000,
    usual=0.3,
    run=run,
)
