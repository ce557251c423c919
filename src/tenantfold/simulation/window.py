"""Another window of the operator (simulation room): commands typed beside whatever runs, one at a time.

Each is a process of its own on the same ledger file: it may be killed while the run goes on, and the run while it does.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from tenantfold.bootstrap import Program
from tenantfold.errors import TenantfoldError
from tenantfold.simulation.deaths import Death
from tenantfold.simulation.life import KilledError, Life, MortalStore, MortalWire
from tenantfold.simulation.loop import OWNER
from tenantfold.simulation.network import Network
from tenantfold.simulation.stage import Stage

T = TypeVar("T")
Work = Callable[[Program], Awaitable[None]]
StoreOf = Callable[[str, Life], MortalStore]
NOT_ENDED = "A task of a killed process cannot be ended."
_ROUNDS = 100


class Ending(StrEnum):
    """How a command ended."""

    WELL = "well"
    FAILED = "failed"  # in an error of ours, or in one that is none of ours: then it is in ``broken``
    KILLED = "killed"


class Window:
    """Commands by the operator, each seen through to its end; ``place`` tells the windows of a stage apart.

    ``network`` carries its calls; it is of its own where the ways of others must stay as they are. ``broken`` are
    things that must never happen to a program, as sentences.
    """

    def __init__(self, stage: Stage, place: int, note: Callable[[str], None], network: Network | None = None) -> None:
        self.broken: list[str] = []
        self.kills: list[datetime] = []
        self.commands = 0
        self._stage = stage
        self._url = stage.beside_url(place)
        self._note = note
        self._own = network
        self._under_way: set[asyncio.Task[Any]] = set()
        self._waiting: set[asyncio.Task[Any]] = set()
        self._one_at_a_time = asyncio.Lock()
        self.store_of: StoreOf = MortalStore.of

    # --- when --------------------------------------------------------------------------------------------------------

    def later(self, work: Coroutine[Any, Any, object]) -> None:
        """Begin what waits for its time."""
        self._start(self._waiting, work)

    def at_once(self, command: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
        """Begin what nobody has to wait for."""
        return self._start(self._under_way, command)

    async def beside(self, command: Coroutine[Any, Any, object]) -> None:
        """See a command through: whoever waits for it may die meanwhile."""
        await asyncio.shield(self.at_once(command))

    def stop_waiting(self) -> None:
        """Nothing that waits for its time begins any more."""
        for task in self._waiting:
            task.cancel()

    async def quiet(self) -> None:
        """Wait until no command is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _start(self, kept: set[asyncio.Task[Any]], work: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
        task = self._owned(self, work)
        kept.add(task)
        task.add_done_callback(kept.discard)
        return task

    def _owned(self, owner: object, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        context = Context()
        context.run(OWNER.set, owner)
        return self._stage.loop.create_task(work, context=context)

    # --- one command -------------------------------------------------------------------------------------------------

    async def command(self, said: str, work: Work, death: Death | None = None, *, is_told: bool = True) -> Ending:
        """One command from start to end, as the command line does it, or to its death."""
        async with self._one_at_a_time:
            self.commands += 1
            if is_told:
                self._note(f"The operator starts: {said}.")
            life = Life(kill=death, counts_units=death is not None)
            if self._own is not None:
                self._own.on_write = life.boundary
            if death is None:
                return await self._ended(said, self._live(work, life))
            return await self._mortal(said, work, life)

    async def _live(self, work: Work, life: Life) -> None:
        store = self.store_of(self._url, life)
        wire = MortalWire(self._own or self._stage.network, life)
        async with self._stage.program_beside(store, wire) as program:
            await work(program)

    async def _ended(self, said: str, process: Awaitable[None]) -> Ending:
        try:
            await process
        except TenantfoldError as error:
            self._note(f"{said} ends with: {type(error).__name__}: {error.message}")
            return Ending.FAILED
        except KilledError:
            return Ending.KILLED
        except Exception as error:  # noqa: BLE001 - it is told by the judge
            told = "".join(traceback.format_exception(error)[-3:])
            self.broken.append(f"{said} ended in a {type(error).__name__} that is none of ours: {told}")
            return Ending.FAILED
        return Ending.WELL

    async def _mortal(self, said: str, work: Work, life: Life) -> Ending:
        life.begin()
        task = self._owned(life, self._live(work, life))
        killer = self._owned(self, self._until_death(life))
        await asyncio.wait({task, killer}, return_when=asyncio.FIRST_COMPLETED)
        is_dead, spins = life.death.is_set(), life.spins
        life.end()
        await asyncio.wait({killer})
        if not is_dead:
            return await self._ended(said, task)
        await self._bury(life)
        last = life.boundaries[-1] if life.boundaries else "nothing was written"
        if spins:
            self.broken.append(f"{said} spins; last: {last}.")
        self.kills.append(self._stage.now())
        self._note(f"{said} is killed; the last thing it did: {last}.")
        return Ending.KILLED

    async def _until_death(self, life: Life) -> None:
        await life.death.wait()

    async def _bury(self, life: Life) -> None:
        loop = self._stage.loop
        if not await all_ended(lambda: {one for one in asyncio.all_tasks() if loop.owner_of(one) is life}):
            self.broken.append(NOT_ENDED)


async def all_ended(living: Callable[[], set[asyncio.Task[Any]]]) -> bool:
    """Cancel the tasks of the dead until none lives; False when one cannot be ended."""
    for _ in range(_ROUNDS):
        left = living()
        if not left:
            return True
        for task in left:
            task.cancel()
        done, _ = await asyncio.wait(left, timeout=1.0)
        for task in done:
            if not task.cancelled():
                task.exception()  # the dead may say what they like
    return False
