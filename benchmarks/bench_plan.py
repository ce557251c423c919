"""Planning 100,000 customers with 500,000 subscriptions: the core and the checksum, without the store."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

from benchmarks.made_book import SOURCE, TARGET, context, entries
from benchmarks.measure import Bench, CpuTime, Figure, Outcome, peak_memory_mb
from tenantfold.collecting import collect_seldom
from tenantfold.domain.plan import ChecksumBuilder, Disposition, PlanHeader
from tenantfold.domain.planner import build_customer
from tenantfold.store import codec

FULL_SIZE = 100_000
CPU_BUDGET = 20.0
MEMORY_BUDGET = 500.0
BATCH = 500  # customers invented at a time, outside of the measured time


def run(customers: int, folder: Path) -> Outcome:
    """Plan so many customers as a stream and compute the plan's checksum."""
    del folder
    collect_seldom()  # as the command line does at its start
    facts: Counter[str] = Counter()
    known = context()
    header = PlanHeader(
        consolidation="bench", target_id=TARGET, snapshots=((SOURCE, 1),), mapping_digest="", selection_digest=""
    )
    checksum = ChecksumBuilder(codec.to_json(header))
    stream = entries(customers)
    planning, adding = CpuTime(), CpuTime()
    while batch := list(islice(stream, BATCH)):
        with planning:
            planned = [build_customer(entry, known) for entry in batch]
        with adding:
            for one in planned:
                checksum.add(codec.to_json(one))
        facts["customers to move"] += sum(one.disposition is Disposition.MOVE for one in planned)
        facts["subscriptions"] += sum(len(one.items) for one in planned)
    assert facts["customers to move"] == customers, "every customer of this book can move"
    total = round(planning.seconds + adding.seconds, 2)
    return Outcome(
        figures=(
            Figure(what="CPU", unit="s", measured=total, budget=round(CPU_BUDGET * customers / FULL_SIZE, 3)),
            Figure(what="of that, texts and checksum", unit="s", measured=round(adding.seconds, 2)),
            Figure(what="peak memory", unit="MB", measured=round(peak_memory_mb()), budget=MEMORY_BUDGET),
        ),
        facts=dict(facts),
    )


BENCH = Bench(
    name="plan",
    what="plan 100,000 customers with 500,000 subscriptions, with texts and checksum, without the store",
    unit="customers",
    full_size=FULL_SIZE,
    run=run,
)
