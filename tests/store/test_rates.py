"""The shared rate buckets, on both databases."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tenantfold.domain.model import TenantId
from tenantfold.domain.rates import PUBLISHED, Limit, Reservation, fresh, measured_per_minute
from tenantfold.partnercenter import RateBook
from tenantfold.store import Store

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SE, NO = TenantId("se"), TenantId("no")

WORKER = """
import asyncio, sys
from datetime import datetime, timedelta
from tenantfold.store import Store

async def work(url, noon):
    async with Store.open(url) as store:
        book = store.rate_book()
        for step in range(30):
            found = await book.reserve("se", "order", 99, noon + timedelta(seconds=step / 5), urgent=False, left=0)
            for slot in found.slots:
                sys.stdout.write(slot.isoformat() + "\\n")

asyncio.run(work(sys.argv[1], datetime.fromisoformat(sys.argv[2])))
"""


async def take(book: RateBook, wanted: int = 1000, seconds: float = 0.0, *, tenant: TenantId = SE) -> Reservation:
    """Reserve order calls in the normal lane."""
    now = NOON + timedelta(seconds=seconds)
    return await book.reserve(tenant, "order", wanted, now, urgent=False, left=0)


async def test_a_bucket_is_the_same_for_all_who_open_the_ledger(url: str, empty_store: Store):
    """What one worker took, another does not get."""
    async with Store.open(url) as other:
        first = await take(empty_store.rate_book())
        second = await take(other.rate_book())
    assert first.granted == 50
    assert second.granted > 0
    assert min(second.slots) > max(first.slots)


async def test_keeps_every_field_of_a_bucket(empty_store: Store):
    """What is read back is what the arithmetic said."""
    book = empty_store.rate_book(Limit(100))
    await take(book, 3)
    until = await book.throttled(SE, "order", 30, NOON, NOON + timedelta(seconds=1))
    known = await empty_store.rates()
    assert until == NOON + timedelta(seconds=31)
    expected = fresh(Limit(100), NOON)
    assert known == {
        (SE, "order"): replace(
            expected,
            per_minute=98 * 0.75,
            tokens=0.0,
            filled_at=until,
            changed_at=NOON + timedelta(seconds=1),
            not_before=until,
            rested_at=NOON + timedelta(seconds=1),
            granted=3,
            throttled=1,
        )
    }


async def test_a_429_to_one_worker_stops_them_all(url: str, empty_store: Store):
    """The limit is the partner tenant's, not the worker's; other tenants go on."""
    await empty_store.rate_book().throttled(SE, "order", 30, NOON, NOON)
    async with Store.open(url) as other:
        book = other.rate_book()
        assert (await take(book, seconds=20)).granted == 0
        assert (await take(book, seconds=20, tenant=NO)).granted == 50
        later = await take(book, seconds=31)
    assert later.granted > 0
    assert min(later.slots) > NOON + timedelta(seconds=30)


async def test_workers_that_reserve_at_once_never_share_a_slot(url: str, empty_store: Store):
    """Forty reservations at the same moment, through two pools of connections."""
    async with Store.open(url) as other:
        books = [empty_store.rate_book(), other.rate_book()]
        found = await asyncio.gather(*(take(books[number % 2], 3) for number in range(40)))
    slots = [slot for reservation in found for slot in reservation.slots]
    at_once = [slot for slot in slots if slot == NOON]
    assert len(at_once) == 50
    assert len(set(slots)) == len(slots) - 49
    assert (await empty_store.rates())[SE, "order"].granted == len(slots)


async def test_processes_that_reserve_at_once_keep_the_limit_together(url: str, empty_store: Store):
    """Two processes on one ledger get what one would have got, and no slot twice."""
    command = [sys.executable, "-c", WORKER, url, NOON.isoformat()]
    workers = [
        await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)
    ]
    answers = await asyncio.gather(*(worker.communicate() for worker in workers))
    assert [worker.returncode for worker in workers] == [0, 0], answers
    slots = [datetime.fromisoformat(line) for out, _ in answers for line in out.decode().split()]
    late = [slot for slot in slots if slot > NOON]
    assert len(slots) == (await empty_store.rates())[SE, "order"].granted
    assert len(set(late)) == len(late)
    assert len(slots) <= 50 + 9 * PUBLISHED.pace / 60


async def test_measures_what_the_workers_say_has_left(empty_store: Store):
    """Reserved is not called: only what left counts for the estimate people see."""
    book = empty_store.rate_book()
    for second in range(240):
        now = NOON + timedelta(seconds=second)
        await book.reserve(SE, "order", 1, now, urgent=False, left=4)
    rate = (await empty_store.rates())[SE, "order"]
    assert 220 < measured_per_minute(rate, NOON + timedelta(seconds=240)) < 250


async def test_a_resource_without_a_published_limit_has_one_once_it_was_throttled(empty_store: Store):
    """Microsoft may throttle every call to its host (core reference 4)."""
    book = empty_store.rate_book()
    assert book.is_limited(SE, "order")
    assert not book.is_limited(SE, "/v1/customers")
    await book.throttled(SE, "/v1/customers", 10, NOON, NOON)
    assert book.is_limited(SE, "/v1/customers")
    assert not book.is_limited(NO, "/v1/customers")


async def test_knows_nothing_of_a_new_ledger(empty_store: Store):
    """Nobody was called yet."""
    assert await empty_store.rates() == {}
