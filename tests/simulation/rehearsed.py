"""Tests of the rehearsal: a partner whose inventory was read and planned, and a rehearsal of that plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from partner_center_emulator import ledger
from partner_center_emulator.ledger.shape import Totals
from partner_center_emulator.world import World
from tenantfold.bootstrap import Program
from tenantfold.dispatch.local import local_run
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import AgreementContact, CustomerId, Tenant
from tenantfold.domain.prediction import Prediction
from tenantfold.domain.selection import CustomerSelection, SelectedCustomer
from tenantfold.flow.inventory import InventoryTask, take
from tenantfold.flow.planning import PlanTask, make
from tenantfold.flow.progress import Silent
from tenantfold.flow.reconciler import StopSign
from tenantfold.flow.run import RunOptions
from tenantfold.settings import Settings
from tenantfold.simulation.acceptance import Acceptance
from tenantfold.simulation.loop import run
from tenantfold.simulation.rehearsal import Script, play, prepared
from tenantfold.simulation.stage import Stage, StageOptions
from tenantfold.store import Store

T = TypeVar("T")

CONSOLIDATION = "simulated-fold"
AT_ONCE = Script(acceptance=Acceptance.read("at-once"))


@dataclass(frozen=True)
class Folded:
    """A partner with inventory and plan: the world as it was, its ledger file and settings."""

    world: World
    folder: Path
    settings: Settings
    tenants: tuple[Tenant, ...]
    options: StageOptions

    @property
    def url(self) -> str:
        """The ledger's address."""
        return self.settings.database_url


async def folded(
    world: World,
    folder: Path,
    *,
    mapping: Sequence[OfferMapping] = (),
    approved: bool = True,
    options: StageOptions | None = None,
) -> Folded:
    """Read everything, plan to move everybody, and approve it."""
    options = options or StageOptions()

    async def work() -> Folded:
        stage = Stage(world, folder, options)
        async with stage.program() as program:
            await read_all(program)
            task = PlanTask(
                consolidation=CONSOLIDATION,
                tenants=program.tenants,
                inventory=program.store,
                ledger=program.store,
                clock=program.clock,
                regions=program.regions,
                mapping=mapping,
                selection=everybody(world),
            )
            plan = await make(task, Silent())
            if approved:
                await program.store.approve_plan(plan.id, "tester", program.clock.now())
            return Folded(world=world, folder=folder, settings=stage.settings, tenants=program.tenants, options=options)

    return await on_virtual_time(work)


async def on_virtual_time(work: Callable[[], Coroutine[object, object, T]]) -> T:
    """Run some work on a virtual loop of its own, beside the test's."""
    return await asyncio.to_thread(run, work, 1)


async def read_all(program: Program) -> None:
    """Take inventory of every tenant."""
    for tenant in program.tenants:
        task = InventoryTask(
            tenant=tenant,
            partner_center=program.centers[tenant.id],
            inventory=program.store,
            clock=program.clock,
            regions=program.regions,
        )
        await take(task, Silent())


def everybody(world: World) -> CustomerSelection:
    """A list with every customer of the world and who accepted the agreement."""
    return CustomerSelection(
        place="customers-to-move.csv",
        rows=tuple(
            SelectedCustomer(
                row=number,
                customer_id=CustomerId(one.id),
                contact=AgreementContact(
                    first_name=one.first_name, last_name=one.last_name, email=one.email, agreed_on=date(2026, 2, 16)
                ),
            )
            for number, one in enumerate(world.customers.values(), start=2)
        ),
    )


async def rehearse(given: Folded, script: Script = AT_ONCE) -> Prediction:
    """Rehearse the plan as the command does: files prepared here, played in a thread."""
    async with Store.open(given.url) as store:
        now = given.world.started_at
        async with prepared(store, given.settings, given.tenants, now, script, Silent()) as rehearsal:
            return await asyncio.to_thread(play, rehearsal, Silent(), StopSign())


def with_acceptance(script: Script, text: str) -> Script:
    """The same script with customers that accept in another manner."""
    return replace(script, acceptance=Acceptance.read(text))


@dataclass(frozen=True)
class Real:
    """What the real run of a plan came to: calls by route, phases, and the emulator's own verdict."""

    calls: dict[str, int]
    phases: dict[str, int]
    truth: Totals


async def really(given: Folded, visits: int = 60) -> Real:
    """Let everybody accept, then run the real plan on the real world whenever something is due, so many times."""

    async def work() -> Real:
        world = given.world
        target = next(one for one in world.partner_tenants.values() if one.key == "target")
        for customer_id in world.customers:
            if f"{target.id}/{customer_id}" not in world.relationships:
                world.pending_acceptances[f"{target.id}/{customer_id}"] = world.started_at
        stage = Stage(world, given.folder, given.options)
        async with stage.program() as program:
            for _ in range(visits):
                await local_run(program.cutover(), RunOptions(), Silent(), StopSign()).go()
                due = await program.store.next_due_at()
                if due is None:
                    break
                await stage.wait_until(max(due, stage.now() + timedelta(minutes=5)))
            phases = await program.store.phase_counts()
            return Real(
                calls=dict(program.calls),
                phases={phase.value: count for phase, count in phases.items()},
                truth=ledger.report(stage.emulator).totals,
            )

    return await on_virtual_time(work)
