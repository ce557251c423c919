"""Virtual time: it jumps, nobody uses threads, and it stands still while the database works."""

from __future__ import annotations

import asyncio
import random
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tenantfold.clock import SystemClock
from tenantfold.errors import ConfigError
from tenantfold.simulation.loop import StuckError, ThreadUsedError, run, virtual_loop
from tenantfold.store import Store

WEEK = 7 * 86_400.0


def test_weeks_pass_at_once():
    """Who sleeps wakes at exactly the right virtual time, in the right order."""

    async def main() -> list[tuple[str, float]]:
        woken = []

        async def sleeper(name: str, seconds: float) -> None:
            await SystemClock().sleep(seconds)
            woken.append((name, virtual_loop().seconds()))

        await asyncio.gather(sleeper("late", 3 * WEEK), sleeper("early", WEEK))
        return woken

    assert run(main, 1) == [("early", WEEK), ("late", 3 * WEEK)]


def test_a_timeout_is_virtual_too():
    """What would take an hour ends after its minute."""

    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await SystemClock().sleep(3_600)
        return virtual_loop().seconds()

    assert run(main, 1) == 60.0


def test_who_waits_for_nothing_is_told():
    """A deadlock ends the run instead of hanging it."""

    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StuckError, match="Nothing is left to happen"):
        run(main, 1)


def test_a_thread_pool_is_refused():
    """``to_thread`` and executors would let virtual time run away."""

    async def main() -> None:
        await asyncio.to_thread(int)

    with pytest.raises(ThreadUsedError):
        run(main, 1)


def test_a_thread_that_still_runs_is_noticed():
    """A thread of somebody's own is found at the end."""
    stop = threading.Event()

    async def main() -> None:
        threading.Thread(target=stop.wait, daemon=True).start()

    with pytest.raises(ThreadUsedError, match="still runs"):
        run(main, 1)
    stop.set()


def test_chance_comes_from_the_seed_and_is_given_back():
    """Equal seeds draw equal numbers; the caller's generator goes on where it was."""

    async def main() -> float:
        return random.random()

    random.seed(5)
    before = random.getstate()
    assert run(main, 1) == run(main, 1) != run(main, 2)
    assert random.getstate() == before


def test_an_alarm_rings_at_its_turn():
    """The finest moment there is: a turn of the loop."""

    async def main() -> int:
        loop = virtual_loop()
        rung: list[int] = []
        loop.at_cycle(loop.cycles + 5, lambda: rung.append(loop.cycles))
        begun = loop.cycles
        for _ in range(10):
            await SystemClock().sleep(0)
        return rung[0] - begun

    assert run(main, 1) == 5


def test_time_stands_still_while_the_database_works_and_others_get_their_turn(tmp_path: Path):
    """No virtual second passes in a hundred units of work, and a neighbor runs between them."""

    async def main() -> tuple[float, int]:
        store = Store.open(f"sqlite:///{tmp_path / 'ledger.db'}", inline=True)
        await store.migrate()
        turns = 0

        async def neighbor() -> None:
            nonlocal turns
            while True:
                turns += 1
                await SystemClock().sleep(0)

        task = asyncio.create_task(neighbor())
        begun = virtual_loop().seconds()
        for number in range(50):
            await store.add_event("worked", datetime(2026, 3, 2, tzinfo=UTC), None, number=str(number))
            await store.events()
        passed = virtual_loop().seconds() - begun
        task.cancel()
        await store.close()
        return passed, turns

    passed, turns = run(main, 1)
    assert passed == 0.0
    assert turns >= 100


def test_an_inline_unit_that_fails_leaves_nothing(tmp_path: Path):
    """All of it or nothing, as with the other writers; the error is the caller's."""

    async def main() -> int:
        store = Store.open(f"sqlite:///{tmp_path / 'ledger.db'}", inline=True)
        await store.migrate()

        def fails(conn: Connection) -> None:
            conn.execute(text("INSERT INTO event (at, name, facts) VALUES ('2026-03-02', 'half', '{}')"))
            raise ValueError("in the middle")

        with pytest.raises(ValueError, match="in the middle"):
            await store.database.write(fails, durable=True)
        found = await store.events()
        await store.close()
        return len(found)

    assert run(main, 1) == 0


def test_only_sqlite_can_be_opened_inline():
    """PostgreSQL lives in another process: there is nothing inline about it."""
    with pytest.raises(ConfigError, match="SQLite"):
        Store.open("postgresql://somebody@localhost/ledger", inline=True)
