"""Recovery after SIGKILL: how long until every call that was under way has been looked up.

A run is killed while at least 64 calls are in flight (the emulator holds them back, and answers nobody). The next run
looks each of them up. Counted from its start as a process to the last outcome, less the settling time: within that no
program may say that a call had no effect. Seconds on the clock, because Python's start and the machine are part of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.living_partner import Partner, living_partner, patiently
from benchmarks.measure import Bench, Figure, Outcome
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
    "in_flight": str(IN_FLIGHT),
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
    figures = [
        Figure(
            what="from the start to the last call looked up, less settling",
            unit="s",
            measured=round(max(0.0, seconds - SETTLING), 2),
            budget=BUDGET_SECONDS,
        ),
        Figure(what="calls in doubt", unit="calls", measured=sum(map(len, in_doubt.values()))),
    ]
    figures += [
        Figure(what=name, unit="subscriptions", measured=totals[name], budget=0)
        for name in ("twins", "gaps", "unequal")
    ]
    return Outcome(figures=tuple(figures), facts={"customers moved": totals["moved"], "settling seconds": SETTLING})


def _kill(partner: Partner, to_move: int) -> Mapping[CustomerId, frozenset[str]]:
    """Kill a run in the middle; the keys of the calls without outcome, by customer."""
    first = partner.start("run", "--json")
    partner.until_moved(max(1, to_move // 10))
    held = [{"kind": "latency", "route": one, "seconds": 30.0, "passing": "real"} for one in WRITES]
    partner.world.post("faults", {"faults": held})
    for _ in patiently():
        if sum(one["fired"] for one in partner.world.get("faults")["faults"]) >= min(IN_FLIGHT, to_move // 2):
            break
    first.kill()
    first.communicate()
    partner.world.post("faults", {"faults": []})
    return asyncio.run(_open(partner, None))


async def _open(partner: Partner, only: Mapping[CustomerId, frozenset[str]] | None) -> dict[CustomerId, frozenset[str]]:
    """The keys of open calls by customer: of everybody, or of these calls."""
    found: dict[CustomerId, frozenset[str]] = {}
    async with Store.open(f"sqlite:///{partner.folder / 'tenantfold.db'}") as store:
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
