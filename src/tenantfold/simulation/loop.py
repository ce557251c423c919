"""Virtual time (simulation room): an event loop that never waits. When nobody can run, time jumps to the next timer.

There is no outside: no sockets, no threads, no signals. So a program that runs here does the same thing every time it
is started with the same seed, and weeks pass in as long as the work of those weeks takes.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import threading
from collections.abc import Callable, Coroutine, Generator, Mapping
from concurrent.futures import Executor
from contextvars import Context, ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple, Unpack
from weakref import WeakKeyDictionary

from looptime import LoopTimeEventLoop

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

OWNER: ContextVar[object | None] = ContextVar("owner", default=None)
"""Whose task this is: a process beside the one that runs, or the world; None for the process that runs."""


class StuckError(RuntimeError):
    """Everybody waits for something that nobody will ever do."""


class ThreadUsedError(RuntimeError):
    """Somebody wanted a thread: virtual time would run away while it works, and no seed would tell the same story."""


class _Nothing(selectors.BaseSelector):
    """A selector for a loop without an outside: nothing is ever ready, and nobody waits."""

    def __init__(self) -> None:
        self._keys: dict[FileDescriptorLike, selectors.SelectorKey] = {}

    def register(
        self,
        fileobj: FileDescriptorLike,
        events: int,
        data: Any = None,  # noqa: ANN401  # the library's own
    ) -> selectors.SelectorKey:
        """Keep the loop's own wake-up socket, which nobody uses here."""
        key = selectors.SelectorKey(fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        """Forget it again."""
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Nothing. StuckError when somebody would wait for ever."""
        if timeout is None:
            raise StuckError("Nothing is left to happen, and still somebody waits.")
        return []

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        """What is registered."""
        return self._keys


class VirtualLoop(LoopTimeEventLoop, asyncio.SelectorEventLoop):
    """asyncio on virtual time. ``cycles`` counts turns of the loop: the finest grain of "a moment" there is."""

    def __init__(self) -> None:
        super().__init__(selector=_Nothing(), start=0.0, noop_cycles=0)
        self.cycles = 0
        self._home = threading.get_ident()
        self._alarms: dict[int, list[Callable[[], object]]] = {}
        self._owners: WeakKeyDictionary[asyncio.Task[Any], object] = WeakKeyDictionary()

    def seconds(self) -> float:
        """Virtual seconds since the loop was made."""
        return self.time()

    def at_cycle(self, number: int, action: Callable[[], object]) -> None:
        """Call ``action`` before the turn of this number."""
        self._alarms.setdefault(number, []).append(action)

    def drop_alarms(self, *actions: Callable[[], object]) -> None:
        """Forget these actions of ``at_cycle``; they are told apart by being equal."""
        for number, ringing in list(self._alarms.items()):
            left = [one for one in ringing if one not in actions]
            if left:
                self._alarms[number] = left
            else:
                del self._alarms[number]

    def owner_of(self, task: asyncio.Task[Any]) -> object | None:
        """Who was ``OWNER`` where a task was made."""
        return self._owners.get(task)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """As always; the task belongs to whoever makes it."""
        task = super().create_task(coro, name=name, context=context)
        owner = OWNER.get() if context is None else context.get(OWNER)
        if owner is not None:
            self._owners[task] = owner
        return task

    def _run_once(self) -> None:
        self.cycles += 1
        for action in self._alarms.pop(self.cycles, ()) if self._alarms else ():
            action()
        super()._run_once()  # type: ignore[misc]  # asyncio's own, which its stubs leave out

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Refused with ThreadUsedError."""
        del executor, args
        raise ThreadUsedError(f"{func} was to run in a thread.")

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As always, but only from this loop's own thread; ThreadUsedError from any other."""
        if threading.get_ident() != self._home:
            raise ThreadUsedError(f"{callback} came from another thread.")
        return self.call_soon(callback, *args, context=context)


def virtual_loop() -> VirtualLoop:
    """The loop that runs now. TypeError outside of ``run``."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise TypeError("This only works on virtual time: start it with simulation.loop.run.")
    return loop


def run(main: Callable[[], Coroutine[Any, Any, T]], seed: int) -> T:
    """Run ``main()`` on virtual time, with ``random`` seeded; what it raises comes through.

    StuckError when nobody can go on, ThreadUsedError when a thread was started.
    """
    threads = threading.active_count()
    state = random.getstate()
    random.seed(seed)
    loop = VirtualLoop()
    try:
        value = loop.run_until_complete(main())
        if threading.active_count() > threads:
            raise ThreadUsedError("A thread was started on virtual time and still runs.")
        return value
    finally:
        _close(loop)
        random.setstate(state)


def _close(loop: VirtualLoop) -> None:
    """End what is left over, so that nobody complains of tasks that were never finished."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
