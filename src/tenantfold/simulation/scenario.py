"""What a seed stands for (simulation room): customers, faults, kills, clocks. Explicit, so that it can be shrunk.

``draw`` turns a number into a ``Scenario``; everything that happens afterwards depends on the scenario alone. Each part
is drawn from a generator of its own, so that a scenario with a part taken out leaves the other parts as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from random import Random

from tenantfold.simulation import steering_script
from tenantfold.simulation.deaths import Death, Moment
from tenantfold.simulation.steering_script import Steering

FIRST_DAY = date(2026, 3, 2)
SOURCES = ("se", "no", "dk")
HOUR, DAY = 3_600.0, 86_400.0


class Odd(StrEnum):
    """What is odd about a customer."""

    PLAIN = "plain"
    NEVER_ACCEPTS = "never accepts"
    ACCEPTS_LATE = "accepts late"
    OFFER_GONE = "holds an offer that is gone and has no mapping"
    OFFER_MAPPED = "holds an offer that is gone and mapped"
    AT_TARGET = "is at the target already with a part"
    TWO_SOURCES = "is at two source tenants"
    UNKNOWN_STATUS = "has a subscription in a status nobody knows"
    SEAT_CHANGE = "gets more seats in the portal meanwhile"
    TARGET_CHANGE = "gets more seats at the target meanwhile"
    COMES_BACK = "is reactivated at the source by somebody"
    NO_CONTACT = "has no contact for the agreement"


class Command(StrEnum):
    """What the operator starts."""

    PREPARE = "inventory, plan and approve"
    INVITE = "invite"
    RUN = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerScript:
    """One customer: ``number`` keys its own generator; ``moves_at`` is when the oddity happens (seconds)."""

    number: int
    odd: Odd
    source: str
    moves_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultScript:
    """One fault of the emulator's plan; ``members`` are those of its ``Fault``."""

    members: Mapping[str, object]

    @property
    def kind(self) -> str:
        """What goes wrong."""
        return str(self.members["kind"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill(Death):
    """SIGKILL for the next process of this command."""

    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The whole story of a seed before it happens. Times in seconds count from the start."""

    seed: int
    starts_at: datetime
    customers: tuple[CustomerScript, ...]
    faults: tuple[FaultScript, ...] = ()
    kills: tuple[Kill, ...] = ()
    laptop_ahead: float = 0.0
    visits: tuple[float, ...] = (0.0,)
    stop_starting_at: time = time(21, 0)
    late_case: str = "finish"
    options: Mapping[str, object] = field(default_factory=dict)
    paces: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    steering: Steering | None = None

    @property
    def ends_at(self) -> datetime:
        """When faults are over and nobody is killed any more: the morning after the last visit."""
        last = self.starts_at + timedelta(seconds=max(self.visits, default=0.0))
        return datetime.combine(last.date() + timedelta(days=1), time(9), UTC)


def draw(seed: int) -> Scenario:
    """The scenario of a seed; always the same."""
    rng = Random(f"scenario/{seed}")
    starts_at = _start(rng)
    customers = _customers(seed)
    return Scenario(
        seed=seed,
        starts_at=starts_at,
        customers=customers,
        faults=_faults(seed),
        kills=_kills(seed),
        laptop_ahead=rng.choice((0.0, 0.0, 40.0, -7 * HOUR, 3 * DAY, -2 * DAY)) + rng.uniform(-5, 5),
        visits=_visits(rng, starts_at),
        stop_starting_at=rng.choice((time(21), time(21), time(22, 30), time(23, 45))),
        late_case=rng.choice(("finish", "withdraw")),
        options=_options(rng),
        paces=_paces(rng),
        steering=steering_script.draw(seed, tuple(one.number for one in customers)),
    )


def _start(rng: Random) -> datetime:
    day = FIRST_DAY + timedelta(days=rng.randrange(60))
    clock = rng.choice((time(8), time(13, 5), time(20, 50), time(21, 1), time(23, 28), time(23, 56), time(0, 2)))
    return datetime.combine(day, clock, UTC) + timedelta(seconds=rng.randrange(90))


def _visits(rng: Random, starts_at: datetime) -> tuple[float, ...]:
    """When the operator sits down: at once, perhaps again that day, then on up to two other days."""
    found = [0.0]
    if rng.random() < 0.6:  # noqa: PLR2004 - a share of all scenarios
        found.append(rng.uniform(0.2, 6) * HOUR)
    midnight = datetime.combine(starts_at.date() + timedelta(days=1), time(0), UTC)
    to_midnight = (midnight - starts_at).total_seconds()
    for day in range(rng.choice((0, 1, 1, 2))):
        clock = rng.choice((9 * HOUR, 9 * HOUR, 20.9 * HOUR, 23.4 * HOUR, 0.05 * HOUR))
        found.append(to_midnight + day * DAY + clock + rng.uniform(0, 600))
    return tuple(sorted(found))


_ODDS = (
    (Odd.PLAIN, 46), (Odd.NEVER_ACCEPTS, 4), (Odd.ACCEPTS_LATE, 8), (Odd.OFFER_GONE, 4), (Odd.OFFER_MAPPED, 6),
    (Odd.AT_TARGET, 8), (Odd.TWO_SOURCES, 8), (Odd.UNKNOWN_STATUS, 3), (Odd.SEAT_CHANGE, 8), (Odd.TARGET_CHANGE, 3),
    (Odd.COMES_BACK, 3), (Odd.NO_CONTACT, 4),
)  # fmt: skip


def _customers(seed: int) -> tuple[CustomerScript, ...]:
    rng = Random(f"customers/{seed}")
    sources = SOURCES[: rng.randint(1, 3)]
    odds, weights = [odd for odd, _ in _ODDS], [weight for _, weight in _ODDS]
    return tuple(
        CustomerScript(
            number=number,
            odd=rng.choices(odds, weights)[0],
            source=rng.choice(sources),
            moves_at=rng.choice((rng.uniform(0, 90), rng.uniform(60, 1200), rng.uniform(1, 30) * HOUR)),
        )
        for number in range(rng.choice((2, 2, 3, 3, 4, 6)))
    )


def _options(rng: Random) -> dict[str, object]:
    limit = rng.choice((500, 500, 60, 25))
    delay = rng.choice((0.0, 0.0, 45.0, 1800.0))
    return {
        "throttle_limit": limit,
        "relationship_delay_seconds": delay,
        "order_list_lag_seconds": rng.choice((0.0, 0.0, 120.0)),
    }


def _paces(rng: Random) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    if rng.random() < 0.25:  # noqa: PLR2004 - a share of all scenarios
        # by time only: the program waits for the subscription and never reads the order again
        found["order.subscription_id"] = {
            "advance": "after_seconds",
            "seconds": rng.choice((2.0, 40.0, 400.0, 2_000.0)),
        }
    if rng.random() < 0.25:  # noqa: PLR2004 - see above
        found["subscription.status"] = _pace(rng)
    return found


def _pace(rng: Random) -> dict[str, object]:
    if rng.random() < 0.5:  # noqa: PLR2004 - half and half
        return {"advance": "after_reads", "reads": rng.randint(1, 4)}
    return {"advance": "after_seconds", "seconds": rng.choice((2.0, 40.0, 400.0, 2_000.0))}


# --- faults ----------------------------------------------------------------------------------------------------------

_WRITES = ["POST", "PATCH", "PUT"]
_STATUSES = (500, 502, 503, 504)
_KINDS = (
    "lost_answer", "lost_answer", "reset", "reset", "server_error", "throttle_storm", "stale_list", "stale_list",
    "failed_line", "truncated_json", "truncated_body", "token_expires", "unknown_value", "latency", "slow_body",
    "repeated_page", "skipped_page",
)  # fmt: skip


def _faults(seed: int) -> tuple[FaultScript, ...]:
    rng = Random(f"faults/{seed}")
    count = rng.choice((0, 1, 1, 2, 2, 3, 4))
    return tuple(FaultScript(members={"name": f"{number}", **_fault(rng)}) for number in range(count))


def _fault(rng: Random) -> dict[str, object]:
    """One fault: what, how often, and for how many calls at most."""
    kind = rng.choice(_KINDS)
    found: dict[str, object] = {"kind": kind, "skip": rng.choice((0, 0, 1, 2, 5, 20)), "count": rng.randint(1, 6)}
    if kind in {"lost_answer", "reset", "server_error", "truncated_json", "truncated_body"}:
        found["methods"] = rng.choice((_WRITES, _WRITES, []))
        found["probability"] = rng.choice((1.0, 0.5, 0.2))
    found |= _measures(rng, kind)
    return found


def _measures(rng: Random, kind: str) -> dict[str, object]:
    """What a fault of this kind needs beside its count."""
    wait = rng.choice((2.0, 30.0, 90.0, 200.0))
    measures: dict[str, dict[str, object]] = {
        "reset": {"effect": rng.choice(("before", "after"))},
        "server_error": {"effect": rng.choice(("before", "after")), "status": rng.choice(_STATUSES)},
        "throttle_storm": {
            "seconds": rng.choice((5.0, 30.0, 120.0)),
            "probability": 0.1,
            "count": rng.randint(1, 3),
        },
        "stale_list": {"seconds": rng.choice((20.0, 200.0, 700.0)), "probability": rng.choice((1.0, 0.4))},
        "failed_line": {"line": rng.choice((0, 0, 1)), "count": 1, "skip": rng.randint(0, 2)},
        "token_expires": {"probability": 0.05, "count": rng.randint(1, 3)},
        "unknown_value": {
            "value": "never_seen_before",
            "probability": 0.1,
            "member": rng.choice(("status", "billingcycle")),
        },
        "latency": {"seconds": wait, "distribution": "exponential", "probability": 0.1, "passing": "real"},
        "slow_body": {"seconds": wait, "probability": 0.1, "passing": "real"},
    }
    return measures.get(kind, {})


# --- kills -----------------------------------------------------------------------------------------------------------


def _kills(seed: int) -> tuple[Kill, ...]:
    rng = Random(f"kills/{seed}")
    count = rng.choice((0, 1, 1, 2, 2, 3, 4, 6))
    return tuple(_kill(rng) for _ in range(count))


def _kill(rng: Random) -> Kill:
    command = rng.choices((Command.RUN, Command.PREPARE, Command.INVITE), (88, 8, 4))[0]
    moment = Moment.BOUNDARY if command is Command.RUN and rng.random() < 0.6 else Moment.TURN  # noqa: PLR2004 - a share
    most = 40 if moment is Moment.BOUNDARY else 1_500
    down = rng.choice((rng.uniform(0.5, 20), rng.uniform(30, 900), rng.uniform(900, 7_200), rng.uniform(4, 20) * HOUR))
    return Kill(command=command, moment=moment, number=rng.randint(1, most), down_seconds=down)
