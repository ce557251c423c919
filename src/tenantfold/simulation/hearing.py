"""What a judge looks at and comes to (simulation room): the emulator's truth, the ledger's cases, the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from partner_center_emulator.ledger.report import judge as truth_of
from partner_center_emulator.ledger.shape import LedgerReport
from tenantfold.domain.journal import Intent
from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.records import Case
from tenantfold.simulation.scenario import CustomerScript
from tenantfold.simulation.stage import SimulatedStore
from tenantfold.simulation.world import Simulation


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What happened. ``faults`` are sentences, empty for a clean seed; each begins with its kind and a colon."""

    seed: int
    faults: tuple[str, ...]
    customers: int
    moved: int
    late: int  # overlaps that a kill, a fault or somebody in the portal explains
    kills: int
    faults_fired: int
    calls: int
    boundaries: int
    ended_at: datetime

    @property
    def kinds(self) -> frozenset[str]:
        """What kinds of faults were found."""
        return frozenset(fault.partition(":")[0] for fault in self.faults)


@dataclass(slots=True)
class Hearing:
    """Everything the judge looks at."""

    simulation: Simulation
    truth: LedgerReport
    cases: Mapping[CustomerId, Case]
    items: Mapping[tuple[int, CustomerId], tuple[PlanItem, ...]]
    late: int = 0
    faults: list[str] = field(default_factory=list)

    def say(self, kind: str, sentence: str) -> None:
        """Note a fault."""
        self.faults.append(f"{kind}: {sentence}")


def verdict_of(hearing: Hearing) -> Verdict:
    """What the hearing came to."""
    simulation = hearing.simulation
    return Verdict(
        seed=simulation.scenario.seed,
        faults=tuple(hearing.faults),
        customers=len(simulation.scenario.customers),
        moved=hearing.truth.totals.moved,
        late=hearing.late,
        kills=len(simulation.record.kills) + sum(len(one.kills) for one in simulation.windows),
        faults_fired=sum(simulation.record.fired.values()),
        calls=simulation.stage.network.requests,
        boundaries=len(simulation.record.boundaries),
        ended_at=simulation.stage.now(),
    )


async def hear(simulation: Simulation) -> Hearing:
    """Everything there is to look at; what a program did that none may do is said at once."""
    stage = simulation.stage
    cases: dict[CustomerId, Case] = {}
    items: dict[tuple[int, CustomerId], tuple[PlanItem, ...]] = {}
    async with SimulatedStore.open(stage.settings.database_url, inline=True) as store:
        for customer_id in map(CustomerId, stage.world.customers):
            case = await store.case(customer_id)
            if case is not None:
                cases[customer_id] = case
            for plan_id in simulation.record.approved:
                planned = await store.plan_customer(plan_id, customer_id)
                items[plan_id, customer_id] = planned.items if planned is not None else ()
    hearing = Hearing(simulation, truth_of(stage.world, stage.now(), detail=True), cases, items)
    for sentence in simulation.record.broken:
        hearing.say("broken", sentence)
    return hearing


def intents_of(case: Case) -> Iterator[Intent]:
    """Every intent of a customer, open ones first."""
    yield from case.open_intents
    yield from (intent for intent, _ in case.settled)


def name_in(hearing: Hearing, customer_id: str) -> str:
    """A customer's name."""
    return hearing.simulation.casting.name_of(script_in(hearing, customer_id))


def script_in(hearing: Hearing, customer_id: str) -> CustomerScript:
    """A customer's script."""
    name = hearing.simulation.stage.world.customers[customer_id].company_name
    return next(one for one in hearing.simulation.scenario.customers if hearing.simulation.casting.name_of(one) == name)
