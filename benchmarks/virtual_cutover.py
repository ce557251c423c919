"""One cutover of the made world on virtual time, by the product or by the sequential script, and what it took."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from benchmarks.made_world import (
    AGREED_ON,
    SOURCE_KEY,
    TARGET_KEY,
    Bucket,
    lower_bound,
    made_world,
    selection,
    tenant_of,
)
from benchmarks.sequential_script import SequentialScript
from partner_center_emulator import actors, ledger
from partner_center_emulator.credentials import sheet
from partner_center_emulator.faults import plan as fault_plans
from partner_center_emulator.state.behaviour import Fault, FaultPlan
from tenantfold.bootstrap import Program
from tenantfold.dispatch.local import local_run
from tenantfold.domain.states import Phase
from tenantfold.flow import inventory, planning
from tenantfold.flow.approval import approve
from tenantfold.flow.progress import Silent
from tenantfold.flow.relationships import InviteTask, invite
from tenantfold.flow.run import RunOptions, StopSign
from tenantfold.partnercenter import open_http
from tenantfold.simulation.loop import run as on_virtual_time
from tenantfold.simulation.stage import Stage, StageOptions

BEGINS_AT = datetime(2026, 3, 2, 0, 5, tzinfo=UTC)  # right after midnight, so that the same-day rule costs nothing
LATENCY_SECONDS = 0.4  # of a whole call, in the middle of a lognormal distribution
LATENCY_SIGMA = 0.4
PATIENCE = timedelta(hours=20)
SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What one cutover took. Seconds are virtual, but for ``cpu_seconds``: product, emulator and virtual time together.

    ``all_but_one_percent_seconds``: when 99 of 100 customers had moved.
    """

    customers: int
    subscriptions: int
    bottleneck: Bucket
    bound_seconds: float
    seconds: float
    all_but_one_percent_seconds: float
    calls: int
    throttled: int
    storm_seconds: float
    faults: Mapping[str, int]
    cpu_seconds: float


def product(customers: int, folder: Path, faults: FaultPlan | None = None) -> Moved:
    """Move everybody with the product, from its inventory to the last suspension; only the run is timed."""
    place = folder / f"product-{customers}-{'faults' if faults else 'plain'}"
    place.mkdir()
    return on_virtual_time(lambda: _product(customers, place, faults), SEED)


def script(customers: int, folder: Path) -> Moved:
    """Move everybody with the sequential script, in a world like the product's."""
    place = folder / f"script-{customers}"
    place.mkdir()
    return on_virtual_time(lambda: _script(customers, place), SEED)


def _stage(customers: int, folder: Path) -> Stage:
    stage = Stage(made_world(customers), folder, StageOptions(seed=SEED, sources=(SOURCE_KEY,)))
    stage.network.way = lambda _rng: 0.0
    return stage


def _way(rng: Random) -> float:
    """One direction of a call."""
    return LATENCY_SECONDS / 2 * math.exp(LATENCY_SIGMA * rng.gauss(0, 1))


async def _product(customers: int, folder: Path, faults: FaultPlan | None) -> Moved:
    stage = _stage(customers, folder)
    async with stage.program() as program:
        await _prepare(stage, program)
        await stage.wait_until(BEGINS_AT)
        watch = Watch(stage)
        if faults is not None:
            fault_plans.install(stage.world, faults)
        before = program.calls.total()
        await program.follow_server_time()
        options = RunOptions(in_flight=program.settings.limits.in_flight, patience=PATIENCE)
        summary = await local_run(program.cutover(), options, Silent(), StopSign()).go()
        assert summary.phases == {Phase.MOVED: customers}, summary
        return watch.moved(customers, program.calls.total() - before)


async def _prepare(stage: Stage, program: Program) -> None:
    """Inventory, plan, approval, invitations; everybody accepts at once."""
    for tenant in program.tenants:
        task = inventory.InventoryTask(
            tenant=tenant,
            partner_center=program.centers[tenant.id],
            inventory=program.store,
            clock=program.clock,
            regions=program.regions,
        )
        await inventory.take(task, Silent())
    task_of_plan = planning.PlanTask(
        consolidation=program.settings.consolidation,
        tenants=program.tenants,
        inventory=program.store,
        ledger=program.store,
        clock=program.clock,
        regions=program.regions,
        mapping=(),
        selection=selection(stage.world),
    )
    plan = await planning.make(task_of_plan, Silent())
    assert plan.to_move == len(stage.world.customers), "every customer of this world can move"
    await approve(program.store, program.store, program.clock, checksum=plan.checksum, approved_by="bench")
    task_of_letters = InviteTask(
        ledger=program.store,
        target=program.centers[program.target.id],
        partner_name="bench",
        clock=program.clock,
        write=lambda customer, _text: customer.customer_id,
    )
    await invite(task_of_letters, Silent())
    _accept(stage)


def _accept(stage: Stage) -> None:
    target = tenant_of(stage.world, TARGET_KEY)
    actors.ask(stage.emulator, target, list(stage.world.customers.values()), "now")


async def _script(customers: int, folder: Path) -> Moved:
    stage = _stage(customers, folder)
    known = sheet(stage.emulator)
    _accept(stage)
    await stage.wait_until(BEGINS_AT)
    watch = Watch(stage)
    async with open_http(transport=stage.network) as http:
        peer = SequentialScript(http, known)
        agreed_on = f"{AGREED_ON:%Y-%m-%d}T00:00:00Z"
        await peer.move(list(stage.world.customers.values()), SOURCE_KEY, TARGET_KEY, agreed_on)
    return watch.moved(customers, peer.calls)


class Watch:
    """Begins when the cutover begins: latency starts here, and so does what is counted."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._subscriptions = len(stage.world.subscriptions)
        self._bound = lower_bound(stage.world, stage.emulator)
        self._before = len(stage.world.changes)
        self._throttled = self._tally()
        stage.network.way = _way
        self._cpu = time.process_time()
        self._began = stage.now()

    def _tally(self) -> int:
        return sum(one.throttled for one in self._stage.world.tallies.values())

    def moved(self, customers: int, calls: int) -> Moved:
        """What it took, once the truth ledger has said that nobody was harmed or left."""
        seconds, cpu_seconds = self._since(self._stage.now()), time.process_time() - self._cpu
        totals = ledger.report(self._stage.emulator).totals
        assert (totals.moved, totals.twins, totals.gaps, totals.unequal) == (customers, 0, 0, 0), totals
        ends = sorted(self._ends().values())
        fired = self._stage.world.behaviour.faults.fired
        storms = {one.name: one.seconds for one in self._faults() if one.kind == "throttle_storm"}
        bucket, bound_seconds = self._bound
        return Moved(
            customers=customers,
            subscriptions=self._subscriptions,
            bottleneck=bucket,
            bound_seconds=bound_seconds,
            seconds=seconds,
            all_but_one_percent_seconds=self._since(ends[math.ceil(0.99 * len(ends)) - 1]),
            calls=calls,
            throttled=self._tally() - self._throttled,
            storm_seconds=sum(fired.get(name, 0) * length for name, length in storms.items()),
            faults=dict(fired),
            cpu_seconds=cpu_seconds,
        )

    def _faults(self) -> list[Fault]:
        return self._stage.world.behaviour.faults.plan.faults

    def _ends(self) -> dict[str, datetime]:
        """The time of the last change at the source, by customer: its last suspension."""
        source = tenant_of(self._stage.world, SOURCE_KEY).id
        return {one.customer_id: one.at for one in self._stage.world.changes[self._before :] if one.tenant_id == source}

    def _since(self, when: datetime) -> float:
        return (when - self._began).total_seconds()
