"""Recovery after SIGKILL: how long until every call that was under way has been looked up.

A run is killed while at least 64 calls have an intent and no outcome (the emulator holds half of them back before they
take effect, half after, and answers nobody). The next run looks each of them up. Counted from its start as a process to
the last outcome; the budget has the settling time in it, because within that no program may say that a call had no
effect. Seconds on the clock, because Python's start and the machine are part of it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from benchmarks.living_partner import Partner, living_partner, patiently
from benchmarks.measure import Bench, Figure, Outcome
from tenantfold.domain.journal import Intent
from tenantfold.domain.model import CustomerId
from tenantfold.store import Store

IN_FLIGHT = 64
SETTLING = 10.0  # the shortest the settings take
BUDGET_SECONDS = 10.0
WRITES = (
    "POST /v1/customers/{customer}/agreements",
    "POST /v1/customers/{customer}/orders",
    "PATCH /v1/customers/{customer}/orders/{order}",
    "PATCH /v1/customers/{customer}/subscriptions/{subscription}",
)
SETTINGS = {
    "settling_seconds": f"{SETTLING:.0f}",
    "retry_seconds": "2",
    "in_flight": str(IN_FLIGHT + 36),  # reads take places, too
    "requests_per_minute": "10000",
}


def run(customers: int, folder: Path) -> Outcome:
    """Move a tenth of them, kill, look up, move the rest."""
    with living_partner(folder, customers) as partner:
        to_move = partner.begin(SETTINGS)
        in_doubt = _kill(partner, to_move)
        began = time.perf_counter()
        again = partner.start("run", "--json")
        _until_looked_up(partner, in_doubt)
        seconds = time.perf_counter() - began
        partner.until_moved(to_move)
        again.communicate()
        totals = partner.totals()
        ends = asyncio.run(_ends(partner, in_doubt))
    figures = [
        Figure(
            what="from the start of the next run to the last call looked up, settling included",
            unit="s",
            measured=round(seconds, 2),
            budget=BUDGET_SECONDS + SETTLING,
        ),
        Figure(
            what="calls in doubt", unit="calls", measured=sum(map(len, in_doubt.values())), budget=64, at_least=True
        ),
    ]
    figures += [Figure(what=f"of these {name}", unit="calls", measured=count) for name, count in sorted(ends.items())]
    figures += [
        Figure(what=name, unit="subscriptions", measured=totals[name], budget=0)
        for name in ("twins", "gaps", "unequal")
    ]
    return Outcome(figures=tuple(figures), facts={"customers moved": totals["moved"], "settling seconds": SETTLING})


def _kill(partner: Partner, to_move: int) -> Mapping[CustomerId, frozenset[str]]:
    """Kill a run in the middle; the keys of the calls without outcome, by customer."""
    first = partner.start("run", "--json")
    partner.until_moved(max(1, to_move // 10))
    held = [
        {"kind": kind, "route": one, "seconds": 60.0, "passing": "real", "probability": share}
        for one in WRITES
        for kind, share in (("latency", 0.5), ("slow_body", 1.0))
    ]
    partner.world.post("faults", {"faults": held})
    for _ in patiently():
        if len(asyncio.run(_all_open(partner))) >= min(IN_FLIGHT, to_move // 2):
            break
    first.kill()
    first.communicate()
    partner.world.post("faults", {"faults": []})
    return asyncio.run(_open(partner, None))


async def _all_open(partner: Partner) -> Sequence[Intent]:
    async with _ledger(partner) as store:
        return await store.open_intents()


async def _ends(partner: Partner, in_doubt: Mapping[CustomerId, frozenset[str]]) -> Mapping[str, int]:
    """How the calls in doubt ended: found by looking, sent again, or else."""
    ends: Counter[str] = Counter()
    async with _ledger(partner) as store:
        for customer_id, keys in in_doubt.items():
            case = await store.case(customer_id)
            settled = {intent.key: outcome for intent, outcome in case.settled} if case else {}
            for key in keys:
                outcome = settled.get(key)
                ends["open" if outcome is None else outcome.code or outcome.kind.value] += 1
    return ends


def _ledger(partner: Partner) -> AbstractAsyncContextManager[Store]:
    return Store.open(f"sqlite:///{partner.folder / 'tenantfold.db'}")


async def _open(partner: Partner, only: Mapping[CustomerId, frozenset[str]] | None) -> dict[CustomerId, frozenset[str]]:
    """The keys of open calls by customer: of everybody, or of these calls."""
    found: dict[CustomerId, frozenset[str]] = {}
    async with _ledger(partner) as store:
        plan = await store.newest_plan()
        if plan is None:
            return found
        customers = only or [one.customer_id async for one in store.plan_customers(plan.id)]
        for customer_id in customers:
            case = await store.case(customer_id)
            keys = frozenset(one.key for one in case.open_intents) if case else frozenset()
            keys = keys & only[customer_id] if only else keys
            if keys:
                found[customer_id] = keys
    return found


def _until_looked_up(partner: Partner, in_doubt: Mapping[CustomerId, frozenset[str]]) -> None:
    for _ in patiently():
        if not in_doubt or not asyncio.run(_open(partner, in_doubt)):
            return


BENCH = Bench(
    name="recovery",
    what="a run is killed with SIGKILL while 64 calls are in flight, and the next one looks them up",
    unit="customers",
    full_size=200,
    run=run,
)
