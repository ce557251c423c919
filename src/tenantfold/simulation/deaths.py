"""How a process dies in a simulation (simulation room): at a turn of the loop, or at a boundary of its journal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Moment(StrEnum):
    """How a death's number counts: loop turns, or journal boundaries."""

    TURN = "turn"
    BOUNDARY = "boundary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """SIGKILL ``number`` turns or boundaries after the start of a process; the next one starts ``down_seconds`` later.

    Beside the runs each unit that is committed has a boundary before and after it, as each write has on its way.
    """

    moment: Moment
    number: int
    down_seconds: float = 60.0


def draw(rng: Random, most_boundaries: int, most_turns: int) -> Death:
    """Some death of a command beside the runs: after its first moments, and for seconds to hours."""
    moment = rng.choice((Moment.BOUNDARY, Moment.TURN))
    most = most_boundaries if moment is Moment.BOUNDARY else most_turns
    down = rng.choice((rng.uniform(0.5, 20), rng.uniform(30, 900), rng.uniform(900, 14_400)))
    return Death(moment=moment, number=rng.randint(1, most), down_seconds=down)


def told(death: Death | None) -> str:
    """A death at the end of a sentence; empty for none."""
    if death is None:
        return ""
    what = "journal boundary" if death.moment is Moment.BOUNDARY else "turn of the loop"
    return f", killed at {what} {death.number} and started again after {death.down_seconds:.0f} s"
