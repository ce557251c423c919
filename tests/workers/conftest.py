"""Tests of the workers: a PostgreSQL ledger with customers that are due, and workers inside the test's own process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from procrastinate import App

from tenantfold.clock import ManualClock, SystemClock
from tenantfold.dispatch.feeder import Feeder
from tenantfold.dispatch.jobs import queue_connector
from tenantfold.dispatch.queue import QueueDispatcher, QueueOptions
from tenantfold.dispatch.upkeep import Upkeep
from tenantfold.domain.model import CustomerId
from tenantfold.domain.states import Phase
from tenantfold.store import Store
from tenantfold.store.queue import conninfo
from tenantfold.store.workers import WorkerBook
from tests.databases import fresh_postgres
from tests.store.samples import NOW, TENANTS, customer_id, plan_customer, saved_plan, step_of

LOST_AFTER = 30.0


@pytest.fixture
async def ledger(postgres_url: str, postgres_template: str) -> AsyncIterator[Store]:
    """A ledger in PostgreSQL that knows its tenants."""
    for url in fresh_postgres(postgres_url, postgres_template):
        async with Store.open(url) as store:
            for tenant in TENANTS:
                await store.save_tenant(tenant)
            yield store


@pytest.fixture
async def jobs(ledger: Store) -> AsyncIterator[App]:
    """The job queue of the ledger, as a library user sees it."""
    async with App(connector=queue_connector(conninfo(ledger.database), connections=2)).open_async() as app:
        yield app


async def due_customers(store: Store, count: int) -> None:
    """An approved plan of so many customers, all of them due."""
    plan = await saved_plan(store, *(plan_customer(number) for number in range(count)))
    await store.approve_plan(plan.id, "Eva", NOW)
    await store.mark_accepted([customer_id(number) for number in range(count)], NOW)


def feeder(store: Store, backlog: int = 100) -> Feeder:
    """A feeder whose clock stands at NOW."""
    return Feeder(store.database, ManualClock(NOW), backlog)


def upkeep(store: Store, **fields: object) -> Upkeep:
    """The tasks beside driving, over an approved plan, with nobody new to be found."""

    async def yes() -> bool:
        return True

    async def nobody() -> int:
        return 0

    given: dict[str, object] = {
        "database": store.database,
        "feeder": feeder(store),
        "workers": WorkerBook(store.database),
        "lost_after_seconds": LOST_AFTER,
        "may_feed": yes,
        "poll": nobody,
    }
    return Upkeep(**given | fields)  # type: ignore[arg-type]  # fields of the upkeep


@dataclass
class Ledgered:
    """Work that moves a customer by one step in the ledger, or does what the test says. Implements ``Work``."""

    store: Store
    drives: Counter[str] = field(default_factory=Counter)
    stopped: bool = False
    before: Callable[[CustomerId], Awaitable[None]] | None = None
    at_once: int = 0
    most_at_once: int = 0

    async def due(self, limit: int) -> Sequence[CustomerId]:
        """As the ledger says."""
        return await self.store.due_customers(NOW, limit)

    async def drive(self, customer_id: CustomerId) -> None:
        """Move the customer; nobody is due after that."""
        self.drives[customer_id] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.before is not None:
                await self.before(customer_id)
            number = int(customer_id.removeprefix("c-"))
            await self.store.record_step(await step_of(self.store, number, Phase.MOVED, due_at=None), NOW)
        finally:
            self.at_once -= 1

    def next_at(self) -> datetime | None:
        """Nobody waits."""
        return None

    def stopping(self) -> bool:
        """As the test says."""
        return self.stopped


def worker(store: Store, work: Ledgered, name: str = "w1", **fields: object) -> asyncio.Task[None]:
    """A worker of the fleet that serves the queue until ``work.stopped``."""
    book = WorkerBook(store.database)
    options = QueueOptions(concurrency=4, heartbeat_seconds=0.5, lost_after_seconds=LOST_AFTER)
    dispatcher = QueueDispatcher(
        conninfo(store.database),
        SystemClock(),
        options,
        upkeep(store, **fields),
        lambda queue_id: book.name_in_queue(name, queue_id),
    )
    return asyncio.create_task(dispatcher.dispatch(work))


async def until(holds: Callable[[], Awaitable[bool]], *, also: asyncio.Task[None] | None = None) -> None:
    """Wait for something that workers bring about; a worker that ends before fails the test with its reason."""
    clock = SystemClock()
    for _ in range(600):
        if also is not None and also.done():
            also.result()
        if await holds():
            return
        await clock.sleep(0.1)
    pytest.fail("It did not happen within a minute.")
