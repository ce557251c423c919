"""The operator who steers (simulation room): gives the orders of a scenario, and remembers what must hold since then.

Each order is a command of its own beside whatever runs, as ``tenantfold pause`` typed into a second window. What must
hold afterwards is kept here in our own words, never read from the ledger: the judge compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tenantfold.bootstrap import Program
from tenantfold.domain.model import CustomerId
from tenantfold.domain.waves import Held, LimitRule, Wave, WaveState
from tenantfold.errors import TenantfoldError
from tenantfold.flow import steering
from tenantfold.flow.waves import Approval
from tenantfold.simulation.commits import number_now, number_of_the_last_commit
from tenantfold.simulation.deaths import Death
from tenantfold.simulation.loop import virtual_loop
from tenantfold.simulation.stage import Stage
from tenantfold.simulation.steering_script import Order, Steering, When, Word, sentence
from tenantfold.simulation.window import Ending, Window, Work

WHO = Approval(by="The simulated operator", reason="the seed says so")
ANSWERED = Approval(by=WHO.by, reason=WHO.reason, rules=tuple(LimitRule))
REST = "the rest"  # the wave of everybody who is in none at the end

_HELD: Mapping[Word, Held] = {Word.PAUSE: Held.PAUSED, Word.ABORT: Held.ABORTED, Word.STOP: Held.STOPPED}
_STATES: Mapping[Word, frozenset[WaveState]] = {
    Word.START: frozenset({WaveState.RUNNING, WaveState.FINISHED}),
    Word.SCHEDULE: frozenset({WaveState.SCHEDULED, WaveState.RUNNING, WaveState.FINISHED}),
    Word.PAUSE_WAVE: frozenset({WaveState.DRAFT, WaveState.PAUSED}),
    Word.ABORT_WAVE: frozenset({WaveState.ABORTED}),
    Word.STOP_WAVE: frozenset({WaveState.ABORTED}),
}
"""Where a wave may stand when an order about it was carried out by a process that died of it."""


@dataclass(slots=True)
class WaveNote:
    """What we know of a wave. Scheduled ones may begin from ``starts_at`` on: then a run decides.

    ``in_doubt``: somebody died over an order about it, so nobody knows which of its members may begin.
    """

    members: set[int] = field(default_factory=set)
    state: WaveState = WaveState.DRAFT
    starts_at: datetime | None = None
    is_answered: bool = False  # somebody answers for its size
    weighed_at: datetime | None = None  # when its size was compared with what is allowed, as far as we know
    in_doubt: bool = False


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
        self.window = Window(stage, 0, note)
        self.ever_stopped: set[int] = set()
        self._stage = stage
        self.ids = ids
        self._holds: dict[int | None, Word] = {}
        self._maybe_held: set[int | None] = set()  # somebody died while taking it back
        self._unfinished: list[Order] = []  # somebody died of them; they are given once more
        self._not_resumed: set[str] = set()  # waves: somebody died while letting them go on
        self._given: set[int] = set()  # orders, by their place in the script
        self._is_over = False
        self._boundaries = self._visits = 0

    # --- when --------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Wait for the time of every order that has one."""
        for order in self.script.orders:
            if order.when is When.CLOCK:
                self.window.later(self._by_the_clock(order))

    def end(self) -> None:
        """Wait for nothing any more: what was to be taken back later is taken back now, by ``let_go``."""
        self._is_over = True
        self.window.stop_waiting()

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
        for order in tuple(self._unfinished):
            await self.window.beside(self._once_more(order))
        await self.window.beside(self._see_through("resume everything", self._let_go))

    async def _by_the_clock(self, order: Order) -> None:
        await self._stage.wait_until(self._stage.world.started_at + timedelta(seconds=order.moment))
        await self.window.beside(self._give(order))

    async def _due(self, when: When, moment: float) -> None:
        for place, order in enumerate(self.script.orders):
            if order.when is when and order.moment <= moment and place not in self._given and not self._is_over:
                self._given.add(place)
                await self.window.beside(self._give(order))

    # --- what --------------------------------------------------------------------------------------------------------

    async def _see_through(self, said: str, work: Work, death: Death | None = None) -> bool:
        """Whether a command lived to its end, whatever that was."""

        async def command(program: Program) -> None:
            await program.follow_server_time()
            await work(program)

        return await self.window.command(said, command, death) is not Ending.KILLED

    async def _give(self, order: Order, *, again: bool = False) -> None:
        death = None if again else order.death
        if not await self._see_through(sentence(order), lambda program: self._try(program, order, again=again), death):
            self._unfinished.append(order)
            self.window.later(self._once_more_later(order))
        elif order.lasts is not None and not self._is_over:
            self.window.later(self._take_back_later(order, order.lasts, order.death))

    async def _once_more_later(self, order: Order) -> None:
        await self._stage.wait_until(self._stage.now() + timedelta(seconds=_down(order)))
        await self.window.beside(self._once_more(order))

    async def _once_more(self, order: Order) -> None:
        if order in self._unfinished:
            self._unfinished.remove(order)
            await self._give(order, again=True)

    async def _take_back_later(self, order: Order, seconds: float, death: Death | None) -> None:
        await self._stage.wait_until(self._stage.now() + timedelta(seconds=seconds))
        await self.window.beside(self._give_back(order, death))

    async def _give_back(self, order: Order, death: Death | None) -> None:
        said = f"take back: {sentence(order)}"
        if not await self._see_through(said, lambda program: self._take_back(program, order), death):
            self._not_resumed.add(order.wave)
            self.window.later(self._take_back_later(order, _down(order), None))

    async def _try(self, program: Program, order: Order, *, again: bool) -> None:
        """Carry an order out; while somebody may die of it, what it is about is in doubt."""
        is_new = order.wave not in self.waves
        if order.wave and (again or order.death is not None):
            self._doubt(order)
        try:
            await self._carry_out(program, order, again=again)
        except TenantfoldError:
            if is_new and self.waves.pop(order.wave, None) is not None:
                self._mark(number_now())  # there is no such wave: it closes nothing for anybody
            self._doubt_no_more(order)
            raise
        self._doubt_no_more(order)

    def _doubt(self, order: Order) -> None:
        note = self.waves.setdefault(order.wave, WaveNote())
        note.in_doubt = True
        if order.word in {Word.NEW, Word.GROW}:
            self._join(note, order.numbers)
        self._mark(number_now())

    def _doubt_no_more(self, order: Order) -> None:
        note = self.waves.get(order.wave)
        is_left = order.wave in self._not_resumed or any(one.wave == order.wave for one in self._unfinished)
        if note is not None and note.in_doubt and not is_left:
            note.in_doubt = False
            self._mark(number_now())

    async def _carry_out(self, program: Program, order: Order, *, again: bool) -> None:
        if order.word.holds:
            for number in order.numbers or (None,):
                await self._hold(program, number, order.word)
        elif order.word is Word.RETRY:
            await steering.retry(program.store, program.store, program.clock)
        elif order.word in {Word.NEW, Word.GROW, Word.LEAVE}:
            await self._fill(program, order, again=again)
        else:
            await self._move(program, order, again=again)

    async def _hold(self, program: Program, number: int | None, word: Word) -> None:
        whom = None if number is None else self.ids[number]
        await steering.hold(program.store, program.clock, whom, _HELD[word], WHO)
        self._holds[number] = word
        self._mark()

    async def _fill(self, program: Program, order: Order, *, again: bool) -> None:
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
            if not again or await program.store.wave(order.wave) is None:
                await desk.create(order.wave, ids, WHO.by)
            self._join(self.waves.setdefault(order.wave, WaveNote()), order.numbers)
        self._mark()

    def _join(self, note: WaveNote, numbers: Iterable[int]) -> None:
        """Nobody is in two waves: who is in another that is not over stays there."""
        taken = {one for wave in self.waves.values() if not wave.state.is_final for one in wave.members}
        note.members |= set(numbers) - taken

    async def _move(self, program: Program, order: Order, *, again: bool) -> None:
        """Bring a wave into another state, unless it is there because somebody died over this order."""
        there = await program.store.wave(order.wave) if again else None
        wave = there if there is not None and there.state in _STATES[order.word] else await self._moved(program, order)
        self._learn(wave)
        if order.word is Word.STOP_WAVE:
            await self._stopped_with_it(program, order.wave)
        self._mark()

    async def _moved(self, program: Program, order: Order) -> Wave:
        desk, approval = program.wave_desk(), ANSWERED if order.overrides else WHO
        match order.word:
            case Word.START:
                return await desk.start(order.wave, approval)
            case Word.SCHEDULE:
                starts_at = program.clock.now() + timedelta(seconds=order.starts_in)
                return await desk.schedule(order.wave, starts_at, approval)
            case Word.PAUSE_WAVE:
                return await desk.pause(order.wave, WHO)
            case _:
                wave, _ = await desk.abort(order.wave, WHO, at_once=order.word is Word.STOP_WAVE)
        return wave

    async def _stopped_with_it(self, program: Program, wave: str) -> None:
        for number in sorted(self.waves[wave].members):
            hold = await program.store.hold_of(self.ids[number])
            if hold is not None and hold.kind is Held.STOPPED:
                self._holds[number] = Word.STOP

    def _learn(self, wave: Wave) -> None:
        note = self.waves[wave.name]
        note.state, note.starts_at = wave.state, wave.starts_at
        note.is_answered = bool(wave.overrides)
        note.weighed_at = wave.started_at or self._stage.now()

    # --- taking back -------------------------------------------------------------------------------------------------

    async def _take_back(self, program: Program, order: Order) -> None:
        if order.word.holds:
            for number in order.numbers or (None,):
                await self._lift(program, number, may_die=order.death is not None)
        elif order.word is Word.PAUSE_WAVE:
            await self._resume(program, order)
        elif order.word is Word.STOP_WAVE:
            for number in sorted(self.waves[order.wave].members):
                await self._lift(program, number, may_die=order.death is not None)

    async def _resume(self, program: Program, order: Order) -> None:
        """Let a paused wave go on; after a death it may do so already."""
        there = await program.store.wave(order.wave) if order.death is not None else None
        self._not_resumed.discard(order.wave)
        if order.death is not None:
            self._doubt(order)
        try:
            is_done = there is not None and there.state is WaveState.RUNNING
            self._learn(there if is_done and there else await program.wave_desk().resume(order.wave, WHO))
        except TenantfoldError:
            self._doubt_no_more(order)
            raise
        self._doubt_no_more(order)
        self._mark()

    async def _lift(self, program: Program, number: int | None, *, may_die: bool = False) -> None:
        if number in self.script.stays:
            return
        if may_die:
            self._maybe_held.add(number)
            self._holds.pop(number, None)
            self._mark(number_now())
        whom = None if number is None else self.ids[number]
        await steering.lift(program.store, program.clock, whom, WHO)
        self._holds.pop(number, None)
        self._maybe_held.discard(number)
        self._mark()

    async def _let_go(self, program: Program) -> None:
        for number in [*self._holds, *(self._maybe_held - self._holds.keys())]:
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

    def _mark(self, number: int = 0) -> None:
        """Note what holds from the last commit of this command on, or from this number on."""
        mark = Mark(
            number=number or number_of_the_last_commit() or number_now(),  # what was not there is no commit
            at=virtual_loop().seconds(),
            closed={number: until for number in self.ids for until in self._closed(number)},
            stopped=frozenset(one for one in self.ids if Word.STOP in self._said_of(one)),
            waves={
                number: name
                for name, note in self.waves.items()
                if not note.state.is_final and not note.in_doubt
                for number in note.members
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
        if mine and (mine[0].state is WaveState.RUNNING or mine[0].in_doubt):
            return ()
        return (mine[0].starts_at,) if mine and mine[0].state is WaveState.SCHEDULED else (None,)


def _down(order: Order) -> float:
    """How long nobody notices that an order died."""
    return order.death.down_seconds if order.death is not None else 0.0
