"""A workbook of 500,000 subscriptions: the writer alone, and from the ledger as `tenantfold export` writes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from benchmarks.made_book import SUBSCRIPTIONS
from benchmarks.made_snapshots import ledger, write_source
from benchmarks.measure import Bench, CpuTime, Figure, Outcome, peak_memory_mb
from tenantfold.collecting import collect_seldom
from tenantfold.reports.tables import TABLES, table_rows
from tenantfold.reports.workbook import write_table
from tenantfold.store import Store
from tenantfold.store.rows import Plain

FULL_SIZE = 500_000
CPU_BUDGET = 10.0
MEMORY_BUDGET = 100.0
TABLE = TABLES["subscriptions"]


def prepare(rows: int, folder: Path) -> None:
    """Write a snapshot with so many subscriptions."""
    asyncio.run(_prepare(rows // SUBSCRIPTIONS, folder))


async def _prepare(customers: int, folder: Path) -> None:
    async with Store.open(ledger(folder)) as store:
        await store.migrate()
        await write_source(store, customers)


def run(rows: int, folder: Path) -> Outcome:
    """Write both workbooks."""
    collect_seldom()  # as the command line does at its start
    return asyncio.run(_run(rows // SUBSCRIPTIONS * SUBSCRIPTIONS, folder))


async def _run(rows: int, folder: Path) -> Outcome:
    async with Store.open(ledger(folder)) as store:
        file = folder / "subscriptions.xlsx"
        with CpuTime() as whole:
            written = await write_table(TABLE, table_rows(store, TABLE), file)
        assert written == rows, "every subscription has a row"
        memory = peak_memory_mb()
        with CpuTime() as reading:
            sample = [row async for row in _few(store, rows)]
    with CpuTime() as alone:
        await write_table(TABLE, _again(sample, rows), folder / "again.xlsx")
    budget = round(CPU_BUDGET * rows / FULL_SIZE, 3)
    return Outcome(
        figures=(
            Figure(what="CPU, from the ledger to the file", unit="s", measured=round(whole.seconds, 2), budget=budget),
            Figure(what="CPU of the writer alone", unit="s", measured=round(alone.seconds, 2)),
            Figure(what="CPU of reading the ledger alone", unit="s", measured=round(reading.seconds, 2)),
            Figure(what="peak memory", unit="MB", measured=round(memory), budget=MEMORY_BUDGET),
            Figure(what="file", unit="MB", measured=round(file.stat().st_size / 1_000_000, 1)),
        ),
        facts={"columns": len(TABLE.columns), "cells": rows * len(TABLE.columns)},
    )


async def _few(store: Store, rows: int) -> AsyncIterator[tuple[Plain, ...]]:
    """Read everything, keep one row of a thousand."""
    number = 0
    async for row in table_rows(store, TABLE):
        if number % 1_000 == 0:
            yield row
        number += 1
    assert number == rows, "the second reading is as long as the first"


async def _again(sample: list[tuple[Plain, ...]], rows: int) -> AsyncIterator[tuple[Plain, ...]]:
    for number in range(rows):
        yield sample[number % len(sample)]


BENCH = Bench(
    name="workbook",
    what="a workbook of 500,000 subscriptions",
    unit="rows",
    full_size=FULL_SIZE,
    prepare=prepare,
    run=run,
)
