"""What a seed draws of delegated admin access (simulation room): who asks when, who approves, who dies, what is odd.

Drawn from a generator of its own, so that a seed that asks for it draws everything else as before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from tenantfold.simulation import deaths
from tenantfold.simulation.deaths import Death, told
from tenantfold.simulation.steering_script import When

SHARE = 0.4  # of all mixed seeds of the commercial cloud
_HOUR, _DAY = 3_600.0, 86_400.0


class Ask(StrEnum):
    """What the operator says, as the commands are called."""

    REQUEST = "gdap request"
    RENEW = "gdap request --renew"
    AGAIN = "gdap request --again"
    CHECK = "gdap check"
    ACCESS = "gdap check --access"

    @property
    def is_request(self) -> bool:
        """Whether it may create relationships."""
        return self in {Ask.REQUEST, Ask.RENEW, Ask.AGAIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapCommand:
    """One command; with a ``death`` it dies at its first try and is typed again."""

    ask: Ask
    when: When
    moment: float
    death: Death | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapScript:
    """All of it. ``approves`` and ``ends``: customer number -> seconds after its letter, or after it approved.

    Who is not in ``approves`` never does. ``by_hand`` are those with which a colleague has made a relationship before.
    ``step_seconds`` is how long Microsoft takes for each step.
    """

    commands: tuple[GdapCommand, ...] = ()
    approves: Mapping[int, float] = field(default_factory=dict)
    ends: Mapping[int, float] = field(default_factory=dict)
    by_hand: frozenset[int] = frozenset()
    groups: int = 2
    step_seconds: float = 0.0


def draw(seed: int, numbers: tuple[int, ...], most_boundaries: int) -> GdapScript | None:
    """How a seed with these customers asks for delegated admin access; None for most."""
    rng = Random(f"gdap/{seed}")
    if rng.random() >= SHARE:
        return None
    return GdapScript(
        commands=tuple(_commands(rng, most_boundaries)),
        approves={one: _delay(rng) for one in numbers if rng.random() < 0.75},  # noqa: PLR2004 - a share
        ends={one: _delay(rng) for one in numbers if rng.random() < 0.1},  # noqa: PLR2004 - a share
        by_hand=frozenset(one for one in numbers if rng.random() < 0.08),  # noqa: PLR2004 - a share
        groups=rng.choice((2, 2, 2, 1, 0)),
        step_seconds=rng.choice((0.0, 5.0, 120.0, 2_000.0)),
    )


def sentence(command: GdapCommand) -> str:
    """A command as it is told beforehand."""
    return f"To be typed: {command.ask.value}, at {command.moment:.0f} {command.when.value}{told(command.death)}."


def _commands(rng: Random, most_boundaries: int) -> Iterator[GdapCommand]:
    """The first request comes early; then everything in any order."""
    for index in range(rng.randint(2, 8)):
        ask = Ask.REQUEST if index == 0 else rng.choices(tuple(Ask), (4, 1, 1, 6, 2))[0]
        when, moment = _moment(rng, most_boundaries)
        death = deaths.draw(rng, 30, 600) if rng.random() < 0.5 else None  # noqa: PLR2004 - half and half
        yield GdapCommand(ask=ask, when=when, moment=moment, death=death)


def _moment(rng: Random, most_boundaries: int) -> tuple[When, float]:
    if rng.random() < 0.5:  # noqa: PLR2004 - half and half
        return When.BOUNDARY, float(rng.randint(1, most_boundaries))
    return When.CLOCK, rng.choice((rng.uniform(250, 1_200), rng.uniform(0.1, 30) * _HOUR, rng.uniform(1, 7) * _DAY))


def _delay(rng: Random) -> float:
    return rng.choice((rng.uniform(1, 900), rng.uniform(0.3, 30) * _HOUR, rng.uniform(1, 20) * _DAY))
