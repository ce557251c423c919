"""The operator who steers (simulation room): gives the orders of a scenario, and remembers what must hold since then.

Each order is a command of its own beside whatever runs, as ``tenantfold pause`` typed into a second window. What must
hold afterwards is kept here in our own words, never read from the ledger: the judge compares.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tenantfold.bootstrap import Program
from tenantfold.domain.model import CustomerId
from tenantfold.domain.waves import Held, LimitRule, Wave, WaveState
from tenantfold.errors import TenantfoldError
from tenantfold.flow import steering
from tenantfold.flow.waves import Approval
from tenantfold.simulation.commits import NumberedDatabase, number_now, number_of_the_last_commit
from tenantfold.simulation.loop import virtual_loop
from tenantfold.simulation.stage import SimulatedStore, Stage
from tenantfold.simulation.steering_script import Order, Steering, When, Word, sentence

WHO = Approval(by="The simulated operator", reason="the seed says so")
ANSWERED = Approval(by=WHO.by, reason=WHO.reason, rules=tuple(LimitRule))
REST = "the rest"  # the wave of everybody who is in none at the end

_HELD: Mapping[Word, Held] = {Word.PAUSE: Held.PAUSED, Word.ABORT: Held.ABORTED, Word.STOP: Held.STOPPED}

Work = Callable[[Program], Awaitable[None]]


@dataclass(slots=True)
class WaveNote:
    """What we know of a wave. Scheduled ones may begin from ``starts_at`` on: then a run decides."""

    members: set[int] = field(default_factory=set)
    state: WaveState = WaveState.DRAFT
    starts_at: datetime | None = None
    is_answered: bool = False  # somebody answers for its size


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What holds from a commit on. ``closed`` may not begin (until then), ``stopped`` get no call at all.

    ``at`` is in loop seconds; ``waves`` is the running wave of each customer.
    """

    number: int
    at: float
    closed: Mapping[int, datetime | None]
    stopped: frozenset[int]
    waves: Mapping[int, str] = field(default_factory=dict)


class Helm:
    """Gives the orders of ``script`` for customers ``ids`` (number -> id); ``note`` tells the story."""

    def __init__(
        self, stage: Stage, script: Steering, ids: Mapping[int, CustomerId], note: Callable[[str], None]
    ) -> None:
        self.script = script
        self.marks: list[Mark] = []
        self.waves: dict[str, WaveNote] = {}
        self.broken: list[str] = []
        self.ever_stopped: set[int] = set()
        self._stage = stage
        self.ids = ids
        self._note = note
        self._holds: dict[int | None, Word] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()
        self._given: set[int] = set()  # orders, by their place in the script
        self._is_over = False
        self._one_at_a_time = asyncio.Lock()  # one window
        self._boundaries = self._visits = 0

    # --- when --------------------------------------------------------------------------------------------------------

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """What is none of any other process' business: commands under way, and those that wait for their time."""
        return frozenset(self._under_way | self._waiting)

    def begin(self) -> None:
        """Wait for the time of every order that has one."""
        for order in self.script.orders:
            if order.when is When.CLOCK:
                self._start(self._waiting, self._by_the_clock(order))

    def end(self) -> None:
        """Wait for nothing any more: what was to be taken back later is taken back now, by ``let_go``."""
        self._is_over = True
        for task in self._waiting:
            task.cancel()

    async def at_boundary(self) -> None:
        """A run passes a journal boundary, and stands there until whatever is ordered now is done."""
        self._boundaries += 1
        await self._due(When.BOUNDARY, self._boundaries)

    async def at_the_desk(self) -> None:
        """The operator sits in front of a plan, before the run."""
        await self._due(When.DESK, self._visits)
        self._visits += 1

    async def let_go(self) -> None:
        """Take back what holds anybody, but for those that stay; all waves begin, and one of everybody else."""
        await self._beside(self._command("resume everything", self._let_go))

    async def quiet(self) -> None:
        """Wait until no command is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def _by_the_clock(self, order: Order) -> None:
        await self._stage.wait_until(self._stage.world.started_at + timedelta(seconds=order.moment))
        await self._beside(self._give(order))

    async def _due(self, when: When, moment: float) -> None:
        for place, order in enumerate(self.script.orders):
            if order.when is when and order.moment <= moment and place not in self._given and not self._is_over:
                self._given.add(place)
                await self._beside(self._give(order))

    async def _beside(self, command: Coroutine[Any, Any, None]) -> None:
        """Carry a command out in a process of its own: whoever waits for it may die meanwhile."""
        await asyncio.shield(self._start(self._under_way, command))

    def _start(self, kept: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, context=Context())
        kept.add(task)
        task.add_done_callback(kept.discard)
        return task

    # --- what --------------------------------------------------------------------------------------------------------

    async def _give(self, order: Order) -> None:
        await self._command(sentence(order), lambda program: self._carry_out(program, order))
        if order.lasts is not None:
            self._start(self._waiting, self._take_back_later(order))

    async def _take_back_later(self, order: Order) -> None:
        await self._stage.wait_until(self._stage.now() + timedelta(seconds=order.lasts or 0.0))
        said = f"take back: {sentence(order)}"
        await self._beside(self._command(said, lambda program: self._take_back(program, order)))

    async def _command(self, said: str, work: Work) -> None:
        """One command from start to end, as the command line does it."""
        self._note(f"The operator starts: {said}.")
        store = SimulatedStore(NumberedDatabase.open(self._stage.beside_url, inline=True))
        try:
            async with self._one_at_a_time, self._stage.program_beside(store) as program:
                await program.follow_server_time()
                await work(program)
        except TenantfoldError as error:
            self._note(f"{said} ends with: {type(error).__name__}: {error.message}")
        except Exception as error:  # noqa: BLE001 - it is told by the judge
            told = "".join(traceback.format_exception(error)[-3:])
            self.broken.append(f"{said} ended in a {type(error).__name__} that is none of ours: {told}")

    async def _carry_out(self, program: Program, order: Order) -> None:
        if order.word.holds:
            for number in order.numbers or (None,):
                await self._hold(program, number, order.word)
        elif order.word is Word.RETRY:
            await steering.retry(program.store, program.store, program.clock)
        elif order.word in {Word.NEW, Word.GROW, Word.LEAVE}:
            await self._fill(program, order)
        else:
            await self._move(program, order)

    async def _hold(self, program: Program, number: int | None, word: Word) -> None:
        whom = None if number is None else self.ids[number]
        await steering.hold(program.store, program.clock, whom, _HELD[word], WHO)
        self._holds[number] = word
        self._mark()

    async def _fill(self, program: Program, order: Order) -> None:
        """Make a wave, or let customers join or leave one."""
        desk, ids = program.wave_desk(), [self.ids[number] for number in order.numbers]
        if order.word is Word.LEAVE:
            await desk.remove(order.wave, ids)
            self.waves[order.wave].members -= set(order.numbers)
        elif order.word is Word.GROW:
            await desk.add(order.wave, ids, WHO.by)
            note = self.waves[order.wave]
            note.is_answered = False
            self._join(note, order.numbers)
        else:
            await desk.create(order.wave, ids, WHO.by)
            self._join(self.waves.setdefault(order.wave, WaveNote()), order.numbers)
        self._mark()

    def _join(self, note: WaveNote, numbers: Iterable[int]) -> None:
        """Nobody is in two waves: who is in another that is not over stays there."""
        taken = {one for wave in self.waves.values() if not wave.state.is_final for one in wave.members}
        note.members |= set(numbers) - taken

    async def _move(self, program: Program, order: Order) -> None:
        """Bring a wave into another state."""
        desk, approval = program.wave_desk(), ANSWERED if order.overrides else WHO
        match order.word:
            case Word.START:
                wave = await desk.start(order.wave, approval)
            case Word.SCHEDULE:
                starts_at = program.clock.now() + timedelta(seconds=order.starts_in)
                wave = await desk.schedule(order.wave, starts_at, approval)
            case Word.PAUSE_WAVE:
                wave = await desk.pause(order.wave, WHO)
            case _:
                wave, _ = await desk.abort(order.wave, WHO, at_once=order.word is Word.STOP_WAVE)
        self._learn(wave)
        if order.word is Word.STOP_WAVE:
            await self._stopped_with_it(program, order.wave)
        self._mark()

    async def _stopped_with_it(self, program: Program, wave: str) -> None:
        for number in sorted(self.waves[wave].members):
            hold = await program.store.hold_of(self.ids[number])
            if hold is not None and hold.kind is Held.STOPPED:
                self._holds[number] = Word.STOP

    def _learn(self, wave: Wave) -> None:
        note = self.waves[wave.name]
        note.state, note.starts_at = wave.state, wave.starts_at
        note.is_answered = bool(wave.overrides)

    # --- taking back -------------------------------------------------------------------------------------------------

    async def _take_back(self, program: Program, order: Order) -> None:
        if order.word.holds:
            for number in order.numbers or (None,):
                await self._lift(program, number)
        elif order.word is Word.PAUSE_WAVE:
            self._learn(await program.wave_desk().resume(order.wave, WHO))
            self._mark()
        elif order.word is Word.STOP_WAVE:
            for number in sorted(self.waves[order.wave].members):
                await self._lift(program, number)

    async def _lift(self, program: Program, number: int | None) -> None:
        if number in self.script.stays:
            return
        whom = None if number is None else self.ids[number]
        await steering.lift(program.store, program.clock, whom, WHO)
        self._holds.pop(number, None)
        self._mark()

    async def _let_go(self, program: Program) -> None:
        for number in list(self._holds):
            await self._lift(program, number)
        desk, waves = program.wave_desk(), await program.store.waves()
        for wave in waves:
            if wave.state is WaveState.PAUSED:
                self._learn(await desk.resume(wave.name, WHO))
            elif wave.state in {WaveState.DRAFT, WaveState.SCHEDULED}:
                self._learn(await desk.start(wave.name, ANSWERED))
        self._mark()
        left = await program.store.wave_candidates() if waves else ()
        if left:
            name = f"{REST} {len(waves)}"
            await desk.create(name, left, WHO.by)
            note = self.waves.setdefault(name, WaveNote())
            self._join(note, (number for number, one in self.ids.items() if one in left))
            self._learn(await desk.start(name, ANSWERED))
            self._mark()

    # --- what holds since then ---------------------------------------------------------------------------------------

    def _mark(self) -> None:
        """Note what holds from the last commit of this command on."""
        mark = Mark(
            number=number_of_the_last_commit() or number_now(),  # what was not there is no commit
            at=virtual_loop().seconds(),
            closed={number: until for number in self.ids for until in self._closed(number)},
            stopped=frozenset(one for one in self.ids if Word.STOP in self._said_of(one)),
            waves={
                number: name for name, note in self.waves.items() if not note.state.is_final for number in note.members
            },
        )
        self.ever_stopped |= mark.stopped
        self.marks.append(mark)

    def _said_of(self, number: int) -> frozenset[Word | None]:
        return frozenset({self._holds.get(number), self._holds.get(None)} - {None})

    def _closed(self, number: int) -> tuple[datetime | None, ...]:
        """Until when a customer may not begin; empty when it may."""
        if self._said_of(number):
            return (None,)
        if not self.waves:
            return ()
        mine = [one for one in self.waves.values() if number in one.members and not one.state.is_final]
        if mine and mine[0].state is WaveState.RUNNING:
            return ()
        return (mine[0].starts_at,) if mine and mine[0].state is WaveState.SCHEDULED else (None,)
