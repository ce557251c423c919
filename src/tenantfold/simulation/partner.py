"""A whole mixed partner in both clouds, without trouble (simulation room): two consolidations in one world.

Nothing moves between the clouds (R-213), so each has its own ledger, its own target and its own operator; the world,
its clock and its truth ledger are one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Literal

from partner_center_emulator.seed.mixed import draw_portfolios
from partner_center_emulator.seed.portfolios import Portfolio
from tenantfold.simulation import mixed_cast, mixed_judge
from tenantfold.simulation.hearing import Verdict
from tenantfold.simulation.mixed import MixedSimulation, options_of
from tenantfold.simulation.mixed_scenario import MixedScenario, MixedScript, People
from tenantfold.simulation.scenario import Odd
from tenantfold.simulation.stage import Stage

Cloud = Literal["commercial", "us_government"]
CLOUDS: tuple[Cloud, ...] = ("commercial", "us_government")
BEGINS = datetime(2026, 3, 2, 8, tzinfo=UTC)
_ODDS = {Portfolio.ACCEPTS_LATE: Odd.ACCEPTS_LATE, Portfolio.NEVER_ACCEPTS: Odd.NEVER_ACCEPTS}


def scenarios(seed: int, customers: int) -> tuple[MixedScenario, MixedScenario]:
    """The two consolidations of a partner with so many customers: the commercial one, and the government's."""
    drawn = enumerate(draw_portfolios(Random(f"partner/{seed}"), customers))
    scripts = [
        MixedScript(number=number, odd=_ODDS.get(portfolio, Odd.PLAIN), source=source, portfolio=portfolio)
        for number, (portfolio, source) in drawn
    ]
    commercial = MixedScenario(
        seed=seed,
        starts_at=BEGINS,
        customers=tuple(one for one in scripts if one.source != "us"),
        people=People(task_hours=6.0, support_hours=40.0),
        partial_customers="allowed",
    )
    mine = tuple(one for one in scripts if one.source == "us")
    return commercial, replace(commercial, customers=mine, cloud="us_government")


async def play(seed: int, customers: int, folder: Path) -> tuple[MixedSimulation, ...]:
    """Play both consolidations to their ends, one after the other; each has a folder of its own in ``folder``."""
    ended: list[MixedSimulation] = []
    both = scenarios(seed, customers)
    world = mixed_cast.build_all(both[0], [script for one in both for script in one.customers])
    for scenario in both:
        place = folder / scenario.cloud
        place.mkdir()
        beside = ended[0].stage if ended else None
        begins = replace(scenario, starts_at=beside.now()) if beside else scenario
        simulation = MixedSimulation(begins, place, Stage(world, place, options_of(begins), beside))
        await simulation.play()
        ended.append(simulation)
    return tuple(ended)


async def verdicts(seed: int, customers: int, folder: Path) -> tuple[Verdict, ...]:
    """Play both and judge each."""
    return tuple([await mixed_judge.judge(one) for one in await play(seed, customers, folder)])
