"""What a seed of the mixed kind stands for (simulation room): every kind of subscription, people, weeks of time.

Beside the faults and kills of ``scenario`` there are mishaps: lines of a transfer fail for hours or days, somebody in a
portal rejects or cancels a request, another one was open before, support errs, people are slow with what only they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from random import Random
from typing import Literal

from partner_center_emulator.seed.portfolios import Portfolio
from tenantfold.simulation import gdap_script, scenario, steering_script, webhook_script
from tenantfold.simulation.gdap_script import GdapScript
from tenantfold.simulation.scenario import DAY, FIRST_DAY, HOUR, CustomerScript, Odd, Scenario
from tenantfold.simulation.webhook_script import WebhookScript

HORIZON = timedelta(days=120)  # nothing that is planned takes longer
_BOUNDARIES = 300  # the first of them: as many as the days of trouble usually have
_FORMER_DAYS = 30.0  # how long a request stays open


class Mishap(StrEnum):
    """What goes wrong beside the calls."""

    STUMBLES = "lines of its transfers fail at first"
    STUMBLES_LONG = "lines of its transfers fail for days, until Microsoft gives up"
    REJECTED = "somebody at the source rejects its first transfer"
    CANCELED = "somebody at the target cancels its first transfer"
    OPEN_BEFORE = "somebody requested a transfer before and forgot it"


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedScript(CustomerScript):
    """One customer of a mixed world: its portfolio, and what goes wrong for it beside the calls."""

    portfolio: Portfolio
    mishap: Mishap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """How the people are. Hours: how long somebody takes for a task, support in the middle for a request.

    ``support_errs`` is the share of its steps that support gets wrong; ``opens_requests``: the API may open them;
    ``unblocks``: somebody removes what Microsoft names when it refuses to transfer it, or nobody ever does.
    """

    task_hours: float = 5.0
    support_hours: float = 40.0
    support_errs: float = 0.0
    opens_requests: bool = False
    unblocks: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedScenario(Scenario):
    """The whole story of a mixed seed. ``cloud`` is where this consolidation happens."""

    cloud: Literal["commercial", "us_government"] = "commercial"
    people: People = People()
    partial_customers: str = "all_or_nothing"
    buys_azure_plan: bool = True
    cleans_azure_default: bool = True
    transfer_seconds: float = 300.0
    gdap: GdapScript | None = None
    webhooks: WebhookScript | None = None

    @property
    def over_at(self) -> datetime:
        """When everything that time alone brings must have come."""
        return self.starts_at + HORIZON


def draw(seed: int) -> MixedScenario:
    """The mixed scenario of a seed; always the same."""
    rng = Random(f"mixed scenario/{seed}")
    base = scenario.draw(seed)
    cloud: Literal["commercial", "us_government"] = "us_government" if rng.random() < 0.08 else "commercial"  # noqa: PLR2004 - a share
    starts_at = _start(rng)
    customers = _customers(seed, cloud)
    numbers = tuple(one.number for one in customers)
    return MixedScenario(
        seed=seed,
        starts_at=starts_at,
        customers=customers,
        faults=base.faults,
        kills=base.kills,
        laptop_ahead=base.laptop_ahead,
        visits=_visits(rng),
        stop_starting_at=base.stop_starting_at,
        late_case=base.late_case,
        options=base.options,
        paces=base.paces,
        cloud=cloud,
        people=People(
            task_hours=rng.choice((0.5, 6.0, 30.0, 100.0)),
            support_hours=rng.choice((4.0, 40.0, 120.0)),
            support_errs=rng.choice((0.0, 0.0, 0.5)),
            opens_requests=rng.random() < 0.3,  # noqa: PLR2004 - a share
            unblocks=rng.random() < 0.6,  # noqa: PLR2004 - a share
        ),
        partial_customers=rng.choice(("all_or_nothing", "allowed")),
        buys_azure_plan=rng.random() < 0.8,  # noqa: PLR2004 - a share
        cleans_azure_default=rng.random() < 0.5,  # noqa: PLR2004 - half and half
        transfer_seconds=rng.choice((60.0, 300.0, 900.0, 5_000.0)),
        steering=steering_script.draw(seed, numbers, _BOUNDARIES),
        # the address at which customers approve is known in the commercial cloud only
        gdap=gdap_script.draw(seed, numbers, _BOUNDARIES) if cloud == "commercial" else None,
        webhooks=webhook_script.draw(seed, numbers),
    )


def _start(rng: Random) -> datetime:
    """Some day from March to the end of June: before and after the end of the free days of grace (commerce 3.7)."""
    day = FIRST_DAY + timedelta(days=rng.randrange(110))
    clock = rng.choice((time(8), time(13, 5), time(20, 50), time(23, 28), time(0, 2)))
    return datetime.combine(day, clock, UTC) + timedelta(seconds=rng.randrange(90))


def _visits(rng: Random) -> tuple[float, ...]:
    """When the operator sits down while things go wrong: at once, that day, and on some days of the first week."""
    found = [0.0]
    if rng.random() < 0.6:  # noqa: PLR2004 - a share of all scenarios
        found.append(rng.uniform(0.2, 6) * HOUR)
    found += [rng.uniform(0.6, 7) * DAY for _ in range(rng.choice((1, 2, 3)))]
    return tuple(sorted(found))


_PORTFOLIOS = tuple(Portfolio)
_GOVERNMENT = (Portfolio.LEGACY, Portfolio.LEGACY_SUSPENDED, Portfolio.MODERN, Portfolio.BOTH_GENERATIONS)
_SOURCES = ("se", "se", "no", "dk", "fi")
_MISHAPS = (
    None, None, None, None, Mishap.STUMBLES, Mishap.STUMBLES_LONG, Mishap.REJECTED, Mishap.CANCELED, Mishap.OPEN_BEFORE,
)  # fmt: skip
_TRANSFERRED = frozenset(
    {
        Portfolio.MODERN,
        Portfolio.MODERN_ADD_ON,
        Portfolio.PROMOTION,
        Portfolio.OPEN_WINDOW,
        Portfolio.SEAT_POOL,
        Portfolio.AZURE,
        Portfolio.RESERVATIONS,
        Portfolio.RESERVATION_OFF,
        Portfolio.MARKETPLACE,
        Portfolio.BOTH_GENERATIONS,
        Portfolio.EVERYTHING,
        Portfolio.ACCEPTS_LATE,
        Portfolio.TWO_SOURCES,
    }
)


def _customers(seed: int, cloud: str) -> tuple[MixedScript, ...]:
    rng = Random(f"mixed customers/{seed}")
    found = []
    for number in range(rng.randint(5, 12)):
        portfolio = rng.choice(_GOVERNMENT if cloud == "us_government" else _PORTFOLIOS)
        may_fail = portfolio in _TRANSFERRED and cloud == "commercial"
        found.append(
            MixedScript(
                number=number,
                odd=_odd(rng, portfolio),
                source="us" if cloud == "us_government" else rng.choice(_SOURCES),
                moves_at=rng.choice((rng.uniform(60, 1_200), rng.uniform(1, 30) * HOUR)),
                portfolio=portfolio,
                mishap=rng.choice(_MISHAPS) if may_fail else None,
            )
        )
    return tuple(found)


def _odd(rng: Random, portfolio: Portfolio) -> Odd:
    if portfolio is Portfolio.ACCEPTS_LATE:
        return Odd.ACCEPTS_LATE
    if portfolio is Portfolio.NEVER_ACCEPTS:
        return Odd.NEVER_ACCEPTS
    if portfolio in {Portfolio.LEGACY, Portfolio.BOTH_GENERATIONS, Portfolio.MODERN}:
        return rng.choice((Odd.PLAIN, Odd.PLAIN, Odd.PLAIN, Odd.PLAIN, Odd.SEAT_CHANGE, Odd.NO_CONTACT))
    return Odd.PLAIN
