"""Mixed scenarios in which nothing goes wrong but what a test wants, with something beside the runs."""

from __future__ import annotations

from dataclasses import replace

from partner_center_emulator.seed.portfolios import Portfolio
from tenantfold.simulation import partner
from tenantfold.simulation.mixed_scenario import MixedScenario, MixedScript, draw
from tenantfold.simulation.scenario import Odd


def quiet(*portfolios: Portfolio, **members: object) -> MixedScenario:
    """One customer of each portfolio, nothing wrong, one visit; ``members`` are of the scenario."""
    scripts = tuple(
        MixedScript(number=number, odd=Odd.PLAIN, source="se", portfolio=portfolio)
        for number, portfolio in enumerate(portfolios)
    )
    plain = replace(draw(3), customers=scripts, faults=(), kills=(), visits=(0.0,), paces={}, options={})
    plain = replace(plain, starts_at=partner.BEGINS, laptop_ahead=0.0, cloud="commercial", partial_customers="allowed")
    plain = replace(plain, steering=None, gdap=None, webhooks=None)
    return replace(plain, **members)  # type: ignore[arg-type]  # by name
