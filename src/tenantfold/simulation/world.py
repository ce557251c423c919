"""The simulation (simulation room): one scenario played from the first inventory to the morning after.

An operator starts commands, processes die and are started again, customers accept, somebody changes things in the
portal. What really happened is in the emulator's world; what the program believes is in its ledger.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec

from partner_center_emulator import actors
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.faults import plan as fault_plans
from partner_center_emulator.state.behaviour import Fault, FaultPlan
from partner_center_emulator.world import Customer, World
from tenantfold.bootstrap import Program, plan_policy_of
from tenantfold.dispatch.local import local_run
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import CustomerId
from tenantfold.domain.selection import CustomerSelection
from tenantfold.domain.states import Phase
from tenantfold.errors import TenantfoldError
from tenantfold.flow import inventory, planning
from tenantfold.flow.approval import approve
from tenantfold.flow.progress import Silent
from tenantfold.flow.relationships import InviteTask, invite
from tenantfold.flow.run import RunOptions, StopSign
from tenantfold.flow.waves import WaveKeeper
from tenantfold.settings import PolicySettings, WaveSettings
from tenantfold.simulation import cast
from tenantfold.simulation.life import MOST_TURNS, MOST_TURNS_EACH, KilledError, Life, MortalStore, MortalWire
from tenantfold.simulation.network import OnWrite
from tenantfold.simulation.scenario import Command, CustomerScript, Kill, Scenario
from tenantfold.simulation.stage import SimulatedStore, Stage, StageOptions, hush
from tenantfold.simulation.steering import Helm
from tenantfold.simulation.window import NOT_ENDED, Window, all_ended

Work = Callable[[Program], Awaitable[None]]

APPROVER = "The simulated approver"
TRIES = 3  # of one command when it ends in an error of ours: then the operator goes home
TRY_AGAIN_SECONDS = 600.0
LONGEST_LIFE = 8 * 3600.0  # virtual seconds; patience is far shorter, so a process that lives longer never ends
MAIL_SECONDS = 300.0


@dataclass(slots=True)
class Record:
    """What the simulation itself saw. ``broken`` are things that must never happen to a program, as sentences."""

    notes: list[tuple[datetime, str]] = field(default_factory=list)
    approved: dict[int, datetime] = field(default_factory=dict)  # plan id -> when
    starts: list[datetime] = field(default_factory=list)  # of processes
    kills: list[datetime] = field(default_factory=list)
    boundaries: list[str] = field(default_factory=list)
    portal: dict[int, datetime] = field(default_factory=dict)  # customer number -> when its oddity happened
    fired: dict[str, int] = field(default_factory=dict)  # fault -> how often it struck
    broken: list[str] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)  # of runs


class Casting(Protocol):
    """Who plays, and what is theirs: the module ``cast``, or another with the same functions."""

    def name_of(self, script: CustomerScript) -> str:
        """The company name of a customer."""

    def customer_of(self, world: World, script: CustomerScript) -> Customer:
        """The customer of a script in its world."""

    def selection(self, world: World, scenario: Scenario) -> CustomerSelection:
        """The partner's own list."""

    def mapping(self, world: World, scenario: Scenario) -> tuple[OfferMapping, ...]:
        """The approved offer mapping."""

    def happen(self, emulator: Emulator, script: CustomerScript) -> str:
        """Let the oddity of a customer happen; returns what happened."""


class Simulation:
    """Plays one scenario in ``folder``. Made and awaited inside ``loop.run``."""

    casting: Casting = cast

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.record = Record()
        self.stage = self._stage(folder)
        self.stage.loop.set_exception_handler(_complain)
        members = [{**one.members} for one in scenario.faults]
        plan = FaultPlan(seed=scenario.seed, faults=msgspec.convert(members, list[Fault]))
        fault_plans.install(self.stage.world, plan)
        self._kills = list(scenario.kills)
        self._bystanders: set[asyncio.Task[None]] = set()
        self._selection = self.casting.selection(self.stage.world, scenario)
        self._mapping = self.casting.mapping(self.stage.world, scenario)
        self._invited = False
        self._plan_wanted = True
        self._is_over = False
        self.helm = self._at_the_helm()

    def _at_the_helm(self) -> Helm | None:
        """Who steers, where a scenario says so."""
        if self.scenario.steering is None:
            return None
        return Helm(self.stage, self.scenario.steering, self._ids(), self._note)

    def _ids(self) -> dict[int, CustomerId]:
        """The customers by their number."""
        world, casting = self.stage.world, self.casting
        return {one.number: CustomerId(casting.customer_of(world, one).id) for one in self.scenario.customers}

    def _stage(self, folder: Path) -> Stage:
        """The emulator with its world, and the ledger beside it."""
        return Stage(cast.build(self.scenario), folder, _options(self.scenario))

    async def play(self) -> None:
        """From the first look to the morning after, when nothing goes wrong any more and everybody is driven once more.

        What a program did wrong is in ``record.broken``; the truth is in ``stage.world``.
        """
        for script in self.scenario.customers:
            if script.moves_at:
                self._bystanders.add(asyncio.create_task(self._behind_the_back(script)))
        if self.helm is not None:
            self.helm.begin()
        for seconds in self.scenario.visits:
            await self._until(self.scenario.starts_at + timedelta(seconds=seconds))
            await self._visit()
        await self._until(max(self.scenario.ends_at, self._next_start()))
        self._end_of_trouble()
        self._plan_wanted = True
        await self._visit()
        await self.stage.wait_until(self.stage.now() + timedelta(hours=1))
        await self._visit()
        for task in self._bystanders:
            task.cancel()

    async def _until(self, when: datetime) -> None:
        """Let the time pass between two visits."""
        await self.stage.wait_until(when)

    # --- the world -----------------------------------------------------------------------------------------------

    async def _behind_the_back(self, script: CustomerScript) -> None:
        await self.stage.wait_until(self.scenario.starts_at + timedelta(seconds=script.moves_at))
        happened = self.casting.happen(self.stage.emulator, script)
        if happened:
            self.record.portal[script.number] = self.stage.now()
            self._note(f"{self.casting.name_of(script)}: {happened}")

    def _next_start(self) -> datetime:
        """When a cutover may begin: now, or the morning after, for a process that was down may end in the evening."""
        now = self.stage.now()
        latest = self.scenario.stop_starting_at.hour - 1
        return now if now.hour < latest else (now + timedelta(days=1)).replace(hour=0, minute=10)

    def _end_of_trouble(self) -> None:
        """Take all faults and kills away: what is not settled now never will be."""
        self.record.fired = dict(self.stage.world.behaviour.faults.fired)
        fault_plans.install(self.stage.world, FaultPlan(seed=self.scenario.seed))
        self.stage.emulator.options.pace = {}
        self._kills.clear()
        if self.helm is not None:
            self.helm.end()
        self._is_over = True
        self._note("From now on nothing goes wrong any more.")

    def _mails_arrive(self) -> None:
        world = self.stage.world
        customers = [self.casting.customer_of(world, script) for script in self.scenario.customers]
        target = world.partner_tenants[self.stage.settings.target.tenant_id]
        actors.ask(self.stage.emulator, target, customers)

    # --- the operator --------------------------------------------------------------------------------------------

    async def _visit(self) -> None:
        """The operator sits down: plans again where that is needed, invites once, runs."""
        self._plan_wanted = self._plan_wanted or await self._anybody_stale()
        if self._plan_wanted:
            if not await self._command(Command.PREPARE, self._prepare):
                return
            self._plan_wanted = False
        if not self._invited:
            if not await self._command(Command.INVITE, _invite):
                return
            self._invited = True
            await self.stage.wait_until(self.stage.now() + timedelta(seconds=MAIL_SECONDS))
            self._mails_arrive()
        await self._steer()
        await self._command(Command.RUN, self._run)

    async def _steer(self) -> None:
        """Before the run: what is ordered at the desk; in the end everything that holds anybody is taken back."""
        if self.helm is not None:
            await (self.helm.let_go() if self._is_over else self.helm.at_the_desk())

    async def _run(self, program: Program) -> None:
        await program.follow_server_time(required=True)  # as the command does
        options = RunOptions(
            in_flight=program.settings.limits.in_flight,
            wait=timedelta(seconds=self._wait_seconds),
            doorbell=program.doorbell(),
        )
        if self.helm is None:
            await local_run(program.cutover(), options, Silent(), StopSign()).go()
            return
        waves = WaveKeeper(program.wave_desk())
        options = replace(
            options,
            before_look=waves.keep,
            next_start_at=waves.next_start_at,
            before_poll=program.follow_server_time,
        )
        await local_run(program.cutover(), options, Silent(), StopSign()).go()
        await program.wave_desk().keep()

    async def _anybody_stale(self) -> bool:
        store = SimulatedStore.open(self.stage.settings.database_url, inline=True)
        try:
            return bool((await store.phase_counts()).get(Phase.STALE))
        finally:
            await store.close()

    async def _prepare(self, program: Program) -> None:
        for tenant in program.tenants:
            task = inventory.InventoryTask(
                tenant=tenant,
                partner_center=program.centers[tenant.id],
                inventory=program.store,
                clock=program.clock,
                regions=program.regions,
            )
            await inventory.take(task, Silent())
        plan = await planning.make(
            planning.PlanTask(
                consolidation=program.settings.consolidation,
                tenants=program.tenants,
                inventory=program.store,
                ledger=program.store,
                clock=program.clock,
                regions=program.regions,
                mapping=self._mapping,
                selection=self._selection,
                policy=plan_policy_of(program.settings),
                cloud=program.settings.cloud.name,
                billing_models=program.billing_models,
            ),
            Silent(),
        )
        # what counts as approved is what this person says, from the moment it is said: not what the ledger keeps
        self.record.approved.setdefault(plan.id, self.stage.now())
        await approve(program.store, program.store, program.clock, checksum=plan.checksum, approved_by=APPROVER)

    async def _command(self, command: Command, work: Work) -> bool:
        """Start a command until it ends well; False when the operator gives up for now."""
        tries = 0
        while tries < TRIES:
            life = Life(kill=self._next_kill(command), most_turns=self._most_turns)
            if command is Command.RUN:
                self.record.lives.append(life)
                life.beside = self._at_boundary if self._is_watched else None
            ending = await self._process(command, work, life)
            if ending == "":
                return True
            if ending == "killed" and life.kill is not None:
                await self.stage.wait_until(self.stage.now() + timedelta(seconds=life.kill.down_seconds))
                continue
            tries += 1
            self._note(f"{command.value} ends with: {ending}")
            await self.stage.wait_until(self.stage.now() + timedelta(seconds=TRY_AGAIN_SECONDS))
        return False

    def _next_kill(self, command: Command) -> Kill | None:
        found = next((kill for kill in self._kills if kill.command is command), None)
        if found is not None:
            self._kills.remove(found)
        return found

    # --- processes -----------------------------------------------------------------------------------------------

    async def _process(self, command: Command, work: Work, life: Life) -> str:
        """One process from start to end: "" ended well, "killed", else its error."""
        self._note(f"The operator starts: {command.value}.")
        self.record.starts.append(self.stage.now())
        self.stage.network.on_write = self._watched(life.boundary)
        life.begin()
        task = asyncio.create_task(self._live(work, life))
        killer = asyncio.create_task(life.death.wait())
        await asyncio.wait({task, killer}, timeout=LONGEST_LIFE, return_when=asyncio.FIRST_COMPLETED)
        ended, was_killed = task.done() and not life.death.is_set(), life.death.is_set() and not life.spins
        life.end()
        self.stage.network.on_write = None
        if self.helm is not None:
            await self.helm.window.quiet()
        await self._bury()
        if task.done() and not task.cancelled():
            task.exception()  # the dead may say what they like
        self.record.boundaries += life.boundaries if command is Command.RUN else []
        if ended:
            return self._verdict(command, task)
        last = life.boundaries[-1] if life.boundaries else "nothing was written"
        if not was_killed:
            self.record.broken.append(f"{command.value} {'spins' if life.spins else 'never ends'}; last: {last}.")
        self.record.kills.append(self.stage.now())
        self._note(f"The process is killed; the last thing it did: {last}.")
        return "killed" if was_killed else "no end"

    @property
    def _wait_seconds(self) -> float:
        """How long a run waits for acceptances and waves."""
        return 0.0 if self.helm is None or self._is_over else self.helm.script.wait_seconds

    @property
    def _most_turns(self) -> int:
        """How many turns of the loop a process may take; waiting takes three a second."""
        return max(MOST_TURNS, MOST_TURNS_EACH * len(self.scenario.customers)) + int(5 * self._wait_seconds)

    @property
    def windows(self) -> tuple[Window, ...]:
        """Those beside the runs."""
        return (self.helm.window,) if self.helm is not None else ()

    @property
    def _is_watched(self) -> bool:
        """Whether anything may happen at a journal boundary of a run."""
        return self.helm is not None

    async def _at_boundary(self) -> None:
        """A run stands at a journal boundary."""
        if self.helm is not None:
            await self.helm.at_boundary()

    def _watched(self, boundary: OnWrite) -> OnWrite:
        """What is told of every write: the process' boundary, and whoever else looks on."""
        return boundary

    async def _live(self, work: Work, life: Life) -> None:
        store = MortalStore.of(self.stage.settings.database_url, life)
        try:
            async with self.stage.program(store, MortalWire(self.stage.network, life)) as program:
                await work(program)
        finally:
            if self.windows:
                hush()

    def _verdict(self, command: Command, task: asyncio.Task[None]) -> str:
        error = task.exception() if not task.cancelled() else KilledError()
        if error is None:
            return ""
        if not isinstance(error, TenantfoldError):
            told = "".join(traceback.format_exception(error)[-3:])
            self.record.broken.append(f"{command.value} ended in a {type(error).__name__} that is none of ours: {told}")
        return f"{type(error).__name__}: {error}"

    async def _bury(self) -> None:
        """End every task of the process; the emulator's go on, and so does the world."""
        mine = {asyncio.current_task(), *self._bystanders}

        def living() -> set[asyncio.Task[Any]]:
            nobodys = {one for one in asyncio.all_tasks() if self.stage.loop.owner_of(one) is None}
            return nobodys - mine - self.stage.network.under_way

        if not await all_ended(living):
            self.record.broken.append(NOT_ENDED)

    def _note(self, sentence: str) -> None:
        self.record.notes.append((self.stage.now(), sentence))


def _complain(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """As asyncio does about errors nobody looked at, but not about those of the dead."""
    if not isinstance(context.get("exception"), KilledError):
        loop.default_exception_handler(context)


async def _invite(program: Program) -> None:
    target = program.centers[program.target.id]
    name = (await target.identity()).company_name
    task = InviteTask(
        ledger=program.store,
        target=target,
        partner_name=name,
        clock=program.clock,
        write=lambda customer, _text: f"{customer.customer_id}.txt",
        billing_model=program.billing_models[program.target.id],
    )
    await invite(task, Silent())


def _options(scenario: Scenario) -> StageOptions:
    emulator = msgspec.convert({"pace": scenario.paces, **scenario.options}, Options)
    policy = PolicySettings(stop_starting_at=scenario.stop_starting_at, late_case=scenario.late_case)
    return StageOptions(
        seed=scenario.seed,
        emulator=emulator,
        laptop_ahead=timedelta(seconds=scenario.laptop_ahead),
        sources=cast.source_keys(scenario),
        policy=policy,
        waves=wave_settings(scenario),
    )


def wave_settings(scenario: Scenario) -> WaveSettings:
    """The blast radius of a steered scenario."""
    given = scenario.steering
    return (
        WaveSettings() if given is None else WaveSettings(max_customers=given.max_customers, max_seats=given.max_seats)
    )
