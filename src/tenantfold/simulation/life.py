"""The life of one process (simulation room), and how it ends: of itself, or killed as by SIGKILL.

A dead process writes nothing and sends nothing: its ledger and its network refuse everything from the moment of the
kill, so that whatever its code does while it unwinds has no effect. Calls that left before are the emulator's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import httpx2

from tenantfold.domain.journal import Intent, OpKind
from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Step
from tenantfold.domain.states import Progress
from tenantfold.simulation.commits import NumberedDatabase, number_now, number_of_the_last_commit
from tenantfold.simulation.deaths import Death, Moment
from tenantfold.simulation.loop import virtual_loop
from tenantfold.simulation.stage import SimulatedStore

T = TypeVar("T")

MOST_TURNS = 40_000  # of the loop in one process; five thousand are usual
MOST_TURNS_EACH = 1_000  # for each customer of a big world; three hundred are usual
_READS = frozenset({"GET", "HEAD"})
_SENT_AGAIN = ".sent_again"  # how events end that say so


class KilledError(BaseException):
    """The process is dead: nothing it does has an effect any more. Not an Exception, so that nobody handles it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The ledger allowed a call: when that was asked for (loop seconds), and the number of the commit."""

    intent_key: str
    customer_id: CustomerId
    kind: OpKind | None  # None: an intent that was there is sent again
    asked_at: float
    number: int


@dataclass(slots=True)
class Life:
    """One process. ``boundaries`` are those passed so far; ``spins``: it was killed because it turned without end.

    ``decisions`` are the calls its ledger allowed, ``sent`` the writes that left: request id and number.
    ``beside`` happens at each boundary, while the process stands there. ``counts_units``: each unit that its ledger
    commits has a boundary before and after it.
    """

    kill: Death | None = None
    most_turns: int = MOST_TURNS
    boundaries: list[str] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    sent: list[tuple[str, int]] = field(default_factory=list)
    beside: Callable[[], Awaitable[None]] | None = None
    spins: bool = False
    counts_units: bool = False
    death: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self) -> None:
        """Set the alarms: of a kill that counts turns of the loop, and of a process that never ends."""
        loop = virtual_loop()
        loop.at_cycle(loop.cycles + self.most_turns, self._give_up)
        if self.kill is not None and self.kill.moment is Moment.TURN:
            loop.at_cycle(loop.cycles + self.kill.number, self.death.set)

    def end(self) -> None:
        """It is dead or has ended well: nothing it does has an effect any more, and no alarm rings."""
        self.death.set()
        virtual_loop().drop_alarms(self._give_up, self.death.set)

    def _give_up(self) -> None:
        self.spins = True
        self.death.set()

    def check(self) -> None:
        """Refuse to act for the dead: KilledError."""
        if self.death.is_set():
            raise KilledError

    async def boundary(self, name: str) -> None:
        """Pass a journal boundary, or die there."""
        self.check()
        self.boundaries.append(name)
        if self.beside is not None:
            await self.beside()
            self.check()
        kill = self.kill
        if kill is not None and kill.moment is Moment.BOUNDARY and kill.number == len(self.boundaries):
            self.death.set()
            await _never()


async def _never() -> NoReturn:
    """What a killed process waits for."""
    await asyncio.get_running_loop().create_future()
    raise KilledError


class MortalDatabase(NumberedDatabase):
    """A ledger file that the dead cannot touch."""

    life: Life

    async def read(self, work: Callable[[Any], T]) -> T:
        """Read while alive."""
        self.life.check()
        return await super().read(work)

    async def write(self, work: Callable[[Any], T], *, durable: bool) -> T:
        """Write while alive: asked again when the unit's turn has come."""

        def guarded(conn: Any) -> T:  # noqa: ANN401  # a connection; only the store knows its kind
            self.life.check()
            return work(conn)

        self.life.check()
        if self.life.counts_units:
            await self.life.boundary("before a unit is committed")
        value = await super().write(guarded, durable=durable)
        if self.life.counts_units:
            await self.life.boundary("after a unit was committed")
        return value


class MortalStore(SimulatedStore):
    """The ledger of a process that may be killed, with a boundary before and after every journal row."""

    life: Life

    @classmethod
    def of(cls, url: str, life: Life, kind: type[MortalDatabase] = MortalDatabase) -> MortalStore:
        """Open the ledger for one life."""
        database = kind.open(url, inline=True)
        assert isinstance(database, MortalDatabase)  # noqa: S101  # open() is a class method of it
        store = cls(database)
        database.life = store.life = life
        return store

    async def record_intent(self, intent: Intent, version: int) -> None:
        """As the ledger does, between two boundaries."""
        asked_at = virtual_loop().seconds()
        await self.life.boundary(f"before the intent to {intent.kind.value}")
        await super().record_intent(intent, version)
        number = number_of_the_last_commit()
        self.life.decisions.append(Decision(intent.key, intent.customer_id, intent.kind, asked_at, number))
        await self.life.boundary(f"after the intent to {intent.kind.value}")

    async def record_step(self, step: Step, now: datetime) -> Progress:
        """As the ledger does, between two boundaries."""
        what = "the outcome" if step.outcome is not None else "a step"
        await self.life.boundary(f"before {what} ({step.event or step.progress.phase.value})")
        progress = await super().record_step(step, now)
        if step.event.endswith(_SENT_AGAIN) and step.outcome is None:
            number, customer_id = number_of_the_last_commit(), progress.customer_id
            again = Decision(step.facts["intent"], customer_id, None, virtual_loop().seconds(), number)
            self.life.decisions.append(again)
        await self.life.boundary(f"after {what} ({step.event or step.progress.phase.value})")
        return progress


class MortalWire(httpx2.AsyncBaseTransport):
    """One process' way to the network."""

    def __init__(self, network: httpx2.AsyncBaseTransport, life: Life) -> None:
        self._network = network
        self._life = life

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send while alive."""
        self._life.check()
        request_id = request.headers.get("MS-RequestId", "")
        if request.method not in _READS and request_id:
            self._life.sent.append((request_id, number_now()))
        return await self._network.handle_async_request(request)
