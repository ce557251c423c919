"""The rehearsal (simulation room): the real plan, carried out by the real program against the twin, on virtual time.

It works in a throwaway folder: a copy of the ledger in which the plan is approved, and a twin that stands for
Microsoft. The real ledger is only read. ``prepared`` fills the folder, ``play`` runs it on a loop of its own (give it a
thread).
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random

import structlog

from partner_center_emulator.faults.plan import PlanError, checked, read_file
from partner_center_emulator.state.behaviour import FaultPlan
from tenantfold.bootstrap import Program
from tenantfold.dispatch.local import LocalDispatcher
from tenantfold.domain.model import Tenant
from tenantfold.domain.prediction import Conditions, Prediction
from tenantfold.domain.waves import WaveState
from tenantfold.errors import InputError
from tenantfold.flow.progress import Reporter
from tenantfold.flow.reconciler import Reconciler, StopSign
from tenantfold.flow.waves import WaveKeeper
from tenantfold.settings import Settings
from tenantfold.simulation import loop
from tenantfold.simulation.acceptance import Acceptance
from tenantfold.simulation.observer import Observer
from tenantfold.simulation.stage import Stage, StageOptions, fast_folder
from tenantfold.simulation.twin import Twin
from tenantfold.simulation.twin_loading import Material, find_material, load_twin
from tenantfold.store import Store
from tenantfold.store.rehearsals import Rehearsals

LATENCY_SIGMA = 0.4  # of the lognormal distribution around the median: 1 call in 20 takes twice as long
MOST_DAYS = 365
POLL = timedelta(hours=1)
"""How often a rehearsed run looks for acceptances; nobody needs them sooner, and a year of minutes would take hours."""
APPROVED_BY = "rehearsal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How to rehearse. ``starts_at`` None: now, or where the inventory ends (``Material.starts_at``)."""

    acceptance: Acceptance
    latency_seconds: float = 0.4
    seed: int = 1
    faults: FaultPlan | None = None
    faults_name: str = ""
    draft: bool = False
    starts_at: datetime | None = None

    @property
    def conditions(self) -> Conditions:
        """What a prediction says about how it came about."""
        return Conditions(
            acceptance=self.acceptance.text,
            latency_seconds=self.latency_seconds,
            seed=self.seed,
            faults=self.faults_name,
            is_draft=self.draft,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Everything ready to be played, in a folder that is removed in the end."""

    settings: Settings
    script: Script
    material: Material
    twin: Twin
    folder: Path


def read_faults(path: Path) -> FaultPlan:
    """Read a fault plan (docs/reference/emulator-faults.md); its delays take virtual time. Raises InputError."""
    try:
        plan = read_file(path)
        for fault in plan.faults:
            fault.passing = "real"  # the only time there is; "emulated" would move the twin's clock past everybody
        return checked(plan)
    except OSError as error:
        raise InputError(f"The fault plan {path} could not be read: {error.strerror or 'unknown reason'}.") from error
    except PlanError as error:
        raise InputError(f"{path}: {error}") from error


@asynccontextmanager
async def prepared(
    store: Store, settings: Settings, tenants: Sequence[Tenant], now: datetime, script: Script, report: Reporter
) -> AsyncIterator[Rehearsal]:
    """A rehearsal, ready to be played; its folder goes with the block, whatever happens inside.

    Raises SnapshotIncompleteError, PlanMissingError, PlanNotApprovedError, PlanStaleError, and InputError for a start
    before the end of the inventory.
    """
    material = await find_material(store, tenants, draft=script.draft)
    starts_at = script.starts_at or material.starts_at(now)
    if starts_at < material.known_until:
        raise InputError(
            f"The rehearsal cannot begin on {starts_at:%Y-%m-%d %H:%M} UTC: inventory and plan are of "
            f"{material.known_until:%Y-%m-%d %H:%M} UTC.",
            next_step="Give a later time, or leave the option out.",
        )
    folder = fast_folder(f"tenantfold-rehearsal-{os.getpid()}-")
    try:
        twin = await load_twin(store, material, starts_at, script.acceptance, script.seed, report)
        if script.faults is not None:
            twin.world.behaviour.faults.plan = script.faults
        async with Store.open(f"sqlite:///{folder / 'tenantfold.db'}", inline=True) as copy:
            await copy.migrate()
            await Rehearsals(store.database).copy_to(copy.database)
        yield Rehearsal(settings=settings, script=script, material=material, twin=twin, folder=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def play(rehearsal: Rehearsal, report: Reporter, stop: StopSign) -> Prediction:
    """Carry the plan through on virtual time and say what happened. Blocking; ``stop`` may be raised by another thread.

    The same rehearsal with the same seed gives the same prediction.
    """
    with _quiet():
        return loop.run(lambda: _play(rehearsal, report, stop), rehearsal.script.seed)


async def keep(store: Store, prediction: Prediction, now: datetime) -> None:
    """Keep a prediction in the real ledger: the one thing a rehearsal writes there."""
    await Rehearsals(store.database).save(prediction.plan_id, prediction, now)


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of a rehearsal reaches the log: none of it happened. What was configured comes back."""
    before = structlog.get_config()
    try:
        yield
    finally:
        structlog.configure(**before)


async def _play(rehearsal: Rehearsal, report: Reporter, stop: StopSign) -> Prediction:
    script, settings = rehearsal.script, rehearsal.settings
    stage = Stage(
        rehearsal.twin.world,
        rehearsal.folder,
        StageOptions(seed=script.seed, policy=settings.policy, limits=settings.limits, log_level="critical"),
    )
    stage.settings = replace(
        stage.settings,
        consolidation=settings.consolidation,
        waves=settings.waves,
        files=replace(stage.settings.files, price_list=settings.files.price_list),
    )
    stage.network.way = lambda rng: _way(rng, script.latency_seconds)
    async with stage.program() as program:
        plan = rehearsal.material.plan
        if plan.approved_at is None:
            await program.store.approve_plan(plan.id, APPROVED_BY, stage.now())
        observer = Observer(stage, program, report)
        async with observer.watching():
            is_complete = await _Performance(stage, program, observer, report, stop).go()
        keys = {tenant.id: tenant.key for tenant in rehearsal.material.tenants}
        found = await observer.prediction(plan, script.conditions, keys, is_complete=is_complete)
    return replace(found, assumptions=rehearsal.twin.assumptions)


def _way(rng: Random, latency_seconds: float) -> float:
    """One direction of a call: half of a lognormally distributed whole."""
    return latency_seconds / 2 * math.exp(LATENCY_SIGMA * rng.gauss(0, 1)) if latency_seconds else 0.0


class _Performance:
    """One ``tenantfold run --wait`` a day, from morning to the last thing that can happen on it."""

    def __init__(self, stage: Stage, program: Program, observer: Observer, report: Reporter, stop: StopSign) -> None:
        self._stage = stage
        self._program = program
        self._observer = observer
        self._report = report
        self._stop = stop
        self._begins_on = stage.now().date()
        self._ends_at = stage.now() + timedelta(days=MOST_DAYS)

    async def go(self) -> bool:
        """Play until nothing is left to wait for. False: stopped, or nothing moved any more though somebody was due."""
        cutover = self._program.cutover()
        work = Reconciler(cutover, self._report, self._stop)
        work.before_look = WaveKeeper(self._program.wave_desk()).keep
        dispatcher = LocalDispatcher(self._program.clock, self._program.settings.limits.in_flight)
        today = None
        while not self._stop():
            now = self._stage.now()
            if now.date() != today:
                today = now.date()
                await work.wake()
            self._stage.emulator.clock.run_due()
            await work.poll()
            await dispatcher.dispatch(work)
            await self._observer.note()
            following = await self._next()
            if following is None or following > self._ends_at:
                return following is None and not self._stop()
            self._report.update("days rehearsed", (following.date() - self._begins_on).days, None)
            await self._stage.wait_until(following)
        return False

    async def _next(self) -> datetime | None:
        """When something can happen again: somebody becomes due, a wave begins, the next look finds an acceptance."""
        now = self._stage.now()
        times = []
        due = await self._program.store.next_due_at()
        if due is not None:
            # by the program's own clock, which lags a little: who is due by it now could not be driven today
            left = due - self._program.clock.now()
            times.append(now + left if left > timedelta(0) else _tomorrow(now))
        accepts_at = min(self._stage.world.pending_acceptances.values(), default=None)
        if accepts_at is not None:
            times.append(now + POLL * max(1, math.ceil((accepts_at - now) / POLL)))
        waves = await self._program.store.waves(WaveState.SCHEDULED)
        times += [max(one.starts_at, now + timedelta(minutes=1)) for one in waves if one.starts_at is not None]
        return min(times, default=None)


def _tomorrow(now: datetime) -> datetime:
    return datetime.combine(now.date() + timedelta(days=1), time(), tzinfo=UTC)
