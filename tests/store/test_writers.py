import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select

from tenantfold.errors import ConfigError, ConflictError, StoreError
from tenantfold.store import Store, tables
from tenantfold.store.database import WRITE_THREADS, Database
from tenantfold.store.writers import GroupWriter
from tests.store.samples import NOW


def note(name: str) -> Callable[[Connection], None]:
    """A unit that writes one event."""
    return lambda conn: conn.execute(insert(tables.event).values(at=NOW, name=name, facts="{}")).close()


def names(conn: Connection) -> list[str]:
    """The names of all events, oldest first."""
    return list(conn.execute(select(tables.event.c.name).order_by(tables.event.c.seq)).scalars())


def group_writer(store: Store) -> GroupWriter:
    """The writer of a SQLite ledger, which counts its commits."""
    writer = store.database.writer
    assert isinstance(writer, GroupWriter)
    return writer


class Gate:
    """A unit that holds the writer until it is opened, so that others queue up behind it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, conn: Connection) -> None:
        self.reached.set()
        assert self.opened.wait(10)


async def test_concurrent_writes_share_commits_and_all_of_them_last(store: Store, dialect: str):
    """A hundred writes at once are all there afterwards; on SQLite they need two commits, not a hundred."""
    gate = Gate()
    held = asyncio.create_task(store.database.write(gate, durable=True))
    await asyncio.to_thread(gate.reached.wait, 10)
    before = group_writer(store).commits if dialect == "sqlite" else 0
    writes = [asyncio.create_task(store.database.write(note(str(one)), durable=True)) for one in range(100)]
    await asyncio.sleep(0)  # let every task hand its unit over
    gate.opened.set()
    await asyncio.gather(held, *writes)
    assert sorted(await store.database.read(names), key=int) == [str(one) for one in range(100)]
    if dialect == "sqlite":
        assert group_writer(store).commits - before == 2


async def test_a_caller_hears_of_its_write_only_after_the_commit(tmp_path: Path, url: str, dialect: str):
    """When a write returns, another program sees it: here a connection of its own."""
    async with Store.open(url) as store, Store.open(url) as other:
        await store.database.write(note("seen"), durable=True)
        assert await other.database.read(names) == ["seen"]


async def test_a_unit_that_fails_takes_no_neighbor_with_it(store: Store):
    """In one group the failing unit alone is undone, with all of its statements, and its caller alone hears of it."""
    gate = Gate()
    held = asyncio.create_task(store.database.write(gate, durable=False))
    await asyncio.to_thread(gate.reached.wait, 10)

    def bad(conn: Connection) -> None:
        note("half of the bad one")(conn)
        raise ConflictError("It moved.")

    tasks = [asyncio.create_task(store.database.write(unit, durable=False)) for unit in (note("a"), bad, note("b"))]
    await asyncio.sleep(0)
    gate.opened.set()
    results = await asyncio.gather(held, *tasks, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), type(None), ConflictError, type(None)]
    assert sorted(await store.database.read(names)) == ["a", "b"]


async def test_a_refused_statement_undoes_its_unit_and_becomes_an_error_of_the_house(store: Store):
    """A broken rule of the database undoes what the unit did before, and arrives translated."""

    def bad(conn: Connection) -> None:
        note("before")(conn)
        conn.execute(insert(tables.event).values(at=NOW, name=None, facts="{}"))

    with pytest.raises(StoreError, match="refused a row"):
        await store.database.write(bad, durable=True)
    await store.database.write(note("after"), durable=True)
    assert await store.database.read(names) == ["after"]


async def test_a_write_given_up_before_it_began_never_happens(store: Store, dialect: str):
    """A caller that is cancelled while its unit still queues leaves nothing behind."""
    gates = [Gate() for _ in range(1 if dialect == "sqlite" else WRITE_THREADS)]
    held = [asyncio.create_task(store.database.write(gate, durable=False)) for gate in gates]
    for gate in gates:
        await asyncio.to_thread(gate.reached.wait, 10)
    given_up = asyncio.create_task(store.database.write(note("given up"), durable=False))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    for gate in gates:
        gate.opened.set()
    await asyncio.gather(*held)
    await store.database.write(note("next"), durable=False)
    assert await store.database.read(names) == ["next"]


async def test_durable_groups_reach_the_disk_and_others_may_wait(tmp_path: Path, sqlite_template: Path):
    """SQLite runs intents with synchronous=FULL (2) and inventory with NORMAL (1), switched between transactions."""
    async with Store.open(f"sqlite:///{tmp_path / 'a.db'}") as store:
        await store.migrate()

        def level(conn: Connection) -> int:
            return int(conn.exec_driver_sql("PRAGMA synchronous").scalar_one())

        seen = [await store.database.write(level, durable=durable) for durable in (True, False, True)]
        assert seen == [2, 1, 2]
        pragmas = ("journal_mode", "foreign_keys")
        read = await store.database.write(
            lambda conn: [conn.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in pragmas], durable=True
        )
        assert read == ["wal", 1]


async def test_a_durable_unit_on_postgresql_waits_for_the_disk(postgres_url: str, store: Store, dialect: str):
    """PostgreSQL commits durable units synchronously and lets the others be flushed a moment later."""
    if dialect == "postgresql":

        def level(conn: Connection) -> str:
            return str(conn.exec_driver_sql("SHOW synchronous_commit").scalar_one())

        seen = [await store.database.write(level, durable=durable) for durable in (True, False, True)]
        assert seen == ["on", "off", "on"]


async def test_readers_cannot_write(store: Store):
    """A reading function that tries to change something is refused by the database itself."""
    with pytest.raises(StoreError, match=r"(?i)read-?only|readonly"):
        await store.database.read(note("sly"))


async def test_a_read_sees_one_moment(store: Store):
    """Two statements of one read agree, whatever is committed between them."""
    await store.database.write(note("first"), durable=True)
    loop = asyncio.get_running_loop()

    def count_twice(conn: Connection) -> tuple[int, int]:
        count = select(func.count()).select_from(tables.event)
        before = conn.execute(count).scalar_one()
        asyncio.run_coroutine_threadsafe(store.database.write(note("second"), durable=True), loop).result(10)
        return before, conn.execute(count).scalar_one()

    assert await store.database.read(count_twice) == (1, 1)


async def test_a_deadlock_is_run_again(store: Store, dialect: str):
    """PostgreSQL breaks a deadlock by undoing one side; that side runs again and both ends are written."""
    if dialect == "sqlite":
        return  # one writer cannot wait for itself
    await asyncio.gather(*(store.database.write(_row(name), durable=True) for name in ("x", "y")))
    meeting = threading.Barrier(2)

    def locks(first: str, second: str) -> Callable[[Connection], None]:
        waits = [meeting.wait]  # only in the first run

        def unit(conn: Connection) -> None:
            _raise_pid(conn, first)
            if waits:
                waits.pop()(10)
            _raise_pid(conn, second)

        return unit

    await asyncio.gather(
        store.database.write(locks("x", "y"), durable=True), store.database.write(locks("y", "x"), durable=True)
    )
    pids = await store.database.read(lambda conn: list(conn.execute(select(tables.run_holder.c.pid)).scalars()))
    assert pids == [2, 2]


def _row(name: str) -> Callable[[Connection], None]:
    return lambda conn: conn.execute(insert(tables.run_holder).values(name=name, pid=0, host="h")).close()


def _raise_pid(conn: Connection, name: str) -> None:
    holder = tables.run_holder
    conn.execute(holder.update().where(holder.c.name == name).values(pid=holder.c.pid + 1))


async def test_when_the_commit_fails_every_caller_of_the_group_hears_it(tmp_path: Path):
    """Nobody is told that its write is kept when the one commit of all of them was refused."""

    def breaks_the_commit(conn: Connection) -> None:
        conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")  # checked at COMMIT only
        conn.execute(insert(tables.outcome).values(intent_key="nobody's", kind="done", at=NOW, value="{}"))

    await _all_fail(tmp_path, breaks_the_commit)


async def test_when_the_database_gives_the_transaction_up_every_caller_of_the_group_hears_it(tmp_path: Path):
    """A full disk makes SQLite undo the whole transaction, the units before included."""

    def loses_the_transaction(conn: Connection) -> None:
        conn.exec_driver_sql("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    await _all_fail(tmp_path, loses_the_transaction)


async def _all_fail(tmp_path: Path, culprit: Callable[[Connection], None]) -> None:
    async with Store.open(f"sqlite:///{tmp_path / 'a.db'}") as store:
        await store.migrate()
        gate = Gate()
        held = asyncio.create_task(store.database.write(gate, durable=False))
        await asyncio.to_thread(gate.reached.wait, 10)
        units = (note("before"), culprit, note("behind"))
        tasks = [asyncio.create_task(store.database.write(unit, durable=True)) for unit in units]
        await asyncio.sleep(0)
        gate.opened.set()
        _, *results = await asyncio.gather(held, *tasks, return_exceptions=True)
        assert [type(result) for result in results] == [StoreError] * 3
        await store.database.write(note("the writer lives"), durable=True)
        assert await store.database.read(names) == ["the writer lives"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://host/db", "SQLite or PostgreSQL"),
        ("no url at all", "cannot be read"),
    ],
)
def test_refuses_databases_that_could_not_keep_an_intent(url: str, said: str):
    """The URL is checked when it is opened, before anything connects."""
    with pytest.raises(ConfigError, match=said):
        Database.open(url)


async def test_a_password_is_in_no_message(tmp_path: Path):
    """Invariant 10: an unreachable server is named without its password."""
    async with Store.open("postgresql://user:hunter2@127.0.0.1:1/db") as store:
        with pytest.raises(StoreError) as caught:
            await store.tenants()
    assert "hunter2" not in f"{caught.value.message} {caught.value.facts}"
    assert "127.0.0.1" in caught.value.message


async def test_a_ledger_waits_for_another_program_that_writes(tmp_path: Path):
    """Two programs on one SQLite file take turns instead of failing at once."""
    path = tmp_path / "a.db"
    async with Store.open(f"sqlite:///{path}") as store:
        await store.migrate()
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        write = asyncio.create_task(store.database.write(note("late"), durable=True))
        await asyncio.sleep(0)
        other.execute("COMMIT")
        other.close()
        await write
        assert await store.database.read(names) == ["late"]
