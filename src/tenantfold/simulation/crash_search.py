"""The crash search (simulation room): plays seeds, judges them, and shrinks what fails to its shortest story.

Random kills come with the scenario. ``every_boundary`` instead kills one seed's run at each of its journal boundaries
in turn: after n boundaries in simulation n, so that none is left out.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TypeVar

import structlog

from tenantfold.domain.model import CustomerId
from tenantfold.simulation import mixed_judge, story
from tenantfold.simulation.deaths import Moment
from tenantfold.simulation.hearing import Verdict
from tenantfold.simulation.judge import judge
from tenantfold.simulation.loop import run
from tenantfold.simulation.mixed import MixedSimulation
from tenantfold.simulation.mixed_scenario import MixedScenario
from tenantfold.simulation.scenario import Command, Kill, Scenario
from tenantfold.simulation.stage import SimulatedStore, fast_folder
from tenantfold.simulation.world import Simulation

T = TypeVar("T")

_ALL = 1_000_000  # events
MOST_PLAYS = 120  # of one seed while it is shrunk


def play(scenario: Scenario) -> Verdict:
    """Play a scenario and judge it. Whatever it raises is a fault of ours or of the simulation."""
    return _played(scenario, judged)


async def judged(simulation: Simulation) -> Verdict:
    """The verdict of the judge who knows this kind of simulation."""
    return await (mixed_judge.judge(simulation) if isinstance(simulation, MixedSimulation) else judge(simulation))


def tell(scenario: Scenario) -> tuple[str, ...]:
    """Play a scenario and tell its story."""
    return _played(scenario, _story)


def journal(scenario: Scenario) -> bytes:
    """Everything the ledger knows in the end: the same scenario leaves the same bytes, on every machine."""
    return _played(scenario, _journal)


async def _journal(simulation: Simulation) -> bytes:
    async with SimulatedStore.open(simulation.stage.settings.database_url, inline=True) as store:
        cases = [await store.case(CustomerId(customer_id)) for customer_id in simulation.stage.world.customers]
        return repr((cases, await store.events(limit=_ALL))).encode()


def _played(scenario: Scenario, result: Callable[[Simulation], Awaitable[T]]) -> T:
    """Play a scenario in an empty folder, and what ``result`` makes of its end."""
    place = folder()
    for left in place.iterdir():
        left.unlink() if left.is_file() else shutil.rmtree(left)

    async def main() -> T:
        simulation = (
            MixedSimulation(scenario, place) if isinstance(scenario, MixedScenario) else Simulation(scenario, place)
        )
        await simulation.play()
        return await result(simulation)

    try:
        return run(main, scenario.seed)
    finally:
        structlog.reset_defaults()


async def _story(simulation: Simulation) -> tuple[str, ...]:
    return await story.tell(simulation, await judged(simulation))


@cache
def folder() -> Path:
    """This process' folder: always the same, so that connections and compiled statements are used again."""
    made = fast_folder()
    # also where a process of a pool ends, which runs no ordinary exit handlers
    Finalize(None, shutil.rmtree, args=(made,), kwargs={"ignore_errors": True}, exitpriority=1)
    return made


# --- every boundary --------------------------------------------------------------------------------------------------


def every_boundary(scenario: Scenario, down_seconds: float = 60.0) -> Iterator[Scenario]:
    """The scenario once for each of its journal boundaries, killed there and nowhere else."""
    whole = play(replace(scenario, kills=()))
    for number in range(1, whole.boundaries + 1):
        kill = Kill(command=Command.RUN, moment=Moment.BOUNDARY, number=number, down_seconds=down_seconds)
        yield replace(scenario, kills=(kill,))


# --- shrinking -------------------------------------------------------------------------------------------------------


def shrink(scenario: Scenario, kinds: frozenset[str]) -> Scenario:
    """The smallest scenario that still has a fault of one of these kinds: parts are taken out one at a time."""
    plays = 0
    smaller = True
    while smaller:
        smaller = False
        for candidate in _without_something(scenario):
            plays += 1
            if plays > MOST_PLAYS:
                return scenario
            if play(candidate).kinds & kinds:
                scenario, smaller = candidate, True
                break
    return scenario


def _without_something(scenario: Scenario) -> Iterator[Scenario]:
    """Each scenario with one part less, the biggest parts first."""
    for index in range(len(scenario.customers) if len(scenario.customers) > 1 else 0):
        yield _without_customer(scenario, index)
    for index in range(len(scenario.faults)):
        yield replace(scenario, faults=_without(scenario.faults, index))
    for index in range(len(scenario.kills)):
        yield replace(scenario, kills=_without(scenario.kills, index))
    for index in range(1, len(scenario.visits)):
        yield replace(scenario, visits=_without(scenario.visits, index))
    for name in scenario.paces:
        yield replace(scenario, paces={key: value for key, value in scenario.paces.items() if key != name})
    if scenario.steering is not None:
        yield replace(scenario, steering=None)
        for index in range(len(scenario.steering.orders)):
            orders = _without(scenario.steering.orders, index)
            yield replace(scenario, steering=replace(scenario.steering, orders=orders))
        if any(one.death for one in scenario.steering.orders):
            alive = tuple(replace(one, death=None) for one in scenario.steering.orders)
            yield replace(scenario, steering=replace(scenario.steering, orders=alive))
    if isinstance(scenario, MixedScenario):
        yield from _without_windows(scenario)
    if scenario.laptop_ahead:
        yield replace(scenario, laptop_ahead=0.0)
    plain = {name: value for name, value in scenario.options.items() if not value}
    if len(plain) < len(scenario.options):
        yield replace(scenario, options=plain)


def _without_customer(scenario: Scenario, index: int) -> Scenario:
    """The scenario without a customer, and without what is said of it alone."""
    gone = scenario.customers[index].number
    left = replace(scenario, customers=_without(scenario.customers, index))
    if left.steering is not None:
        orders = tuple(
            replace(one, numbers=tuple(number for number in one.numbers if number != gone))
            for one in left.steering.orders
            if one.numbers != (gone,)
        )
        left = replace(left, steering=replace(left.steering, orders=orders, stays=left.steering.stays - {gone}))
    if isinstance(left, MixedScenario) and left.webhooks is not None:
        lies = tuple(one for one in left.webhooks.lies if one.number != gone)
        left = replace(left, webhooks=replace(left.webhooks, lies=lies))
    if isinstance(left, MixedScenario) and left.gdap is not None:
        left = replace(left, gdap=replace(left.gdap, by_hand=left.gdap.by_hand - {gone}))
    return left


def _without_windows(scenario: MixedScenario) -> Iterator[MixedScenario]:
    """Each scenario with less beside the runs."""
    if scenario.webhooks is not None:
        yield replace(scenario, webhooks=None)
        for index in range(len(scenario.webhooks.lies)):
            lies = _without(scenario.webhooks.lies, index)
            yield replace(scenario, webhooks=replace(scenario.webhooks, lies=lies))
    given = scenario.gdap
    if given is not None:
        yield replace(scenario, gdap=None)
        for index in range(len(given.commands)):
            yield replace(scenario, gdap=replace(given, commands=_without(given.commands, index)))
        for index, one in enumerate(given.commands):
            if one.death is not None:
                alive = (*given.commands[:index], replace(one, death=None), *given.commands[index + 1 :])
                yield replace(scenario, gdap=replace(given, commands=alive))


def _without(parts: tuple[T, ...], index: int) -> tuple[T, ...]:
    return parts[:index] + parts[index + 1 :]
