"""What a seed draws of steering (simulation room): holds, waves and retries, and when the operator says so.

Drawn from a generator of its own, so that a seed that is steered draws everything else as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from tenantfold.simulation import deaths
from tenantfold.simulation.deaths import Death

SHARE = 0.4  # of all seeds
_DEADLY = 0.3  # share of the orders that are killed at their first try
_MINUTE, _HOUR = 60.0, 3_600.0


class Word(StrEnum):
    """What the operator says, as the commands are called."""

    PAUSE = "pause"
    ABORT = "abort"
    STOP = "abort --now"
    RETRY = "retry-failed"
    NEW = "wave new"
    GROW = "wave add"
    LEAVE = "wave remove"
    START = "wave start"
    SCHEDULE = "wave schedule"
    PAUSE_WAVE = "wave pause"
    ABORT_WAVE = "wave abort"
    STOP_WAVE = "wave abort --now"

    @property
    def holds(self) -> bool:
        """Whether it holds one customer or everybody until that is lifted."""
        return self in {Word.PAUSE, Word.ABORT, Word.STOP}


class When(StrEnum):
    """How the number of an order's moment counts."""

    CLOCK = "seconds after the start"
    BOUNDARY = "journal boundaries of all runs"
    DESK = "visits of the operator, before the run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One command. ``numbers`` are customers, nobody named is everybody; ``lasts`` seconds until it is taken back.

    Without ``lasts`` it is taken back at the end of trouble. ``starts_in`` is how far ahead a wave is scheduled. With a
    ``death`` it dies at its first try, as does taking it back, and is given once more.
    """

    word: Word
    when: When
    moment: float
    numbers: tuple[int, ...] = ()
    wave: str = ""
    lasts: float | None = None
    starts_in: float = 0.0
    overrides: bool = False
    death: Death | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """All of it. ``stays`` are customers nobody lets go on; the limits are the blast radius, 0 for none."""

    orders: tuple[Order, ...] = ()
    stays: frozenset[int] = frozenset()
    max_customers: int = 0
    max_seats: int = 0
    wait_seconds: float = 0.0


def sentence(order: Order) -> str:
    """An order as it is told."""
    whom = ", ".join(f"Customer {number + 1}" for number in order.numbers)
    if order.word.holds or order.word is Word.RETRY:
        return f"{order.word.value} {whom or 'everybody'}"
    return f"{order.word.value} {order.wave}{f' with {whom}' if whom else ''}"


def draw(seed: int, numbers: tuple[int, ...], most_boundaries: int = 70) -> Steering | None:
    """How a seed with these customers is steered; None for most."""
    rng = Random(f"steering/{seed}")
    if rng.random() >= SHARE:
        return None
    orders = list(_holds(rng, numbers, most_boundaries))
    if rng.random() < 0.6:  # noqa: PLR2004 - a share
        orders += _waves(rng, numbers, most_boundaries)
    if rng.random() < 0.3:  # noqa: PLR2004 - a share
        orders.append(Order(word=Word.RETRY, when=When.CLOCK, moment=_some_time(rng)))
    return Steering(
        orders=_deadly(seed, orders),
        stays=frozenset(one for one in numbers if rng.random() < 0.04),  # noqa: PLR2004 - a share
        max_customers=rng.choice((0, 1, 2, 3)),
        max_seats=rng.choice((0, 0, 60)),
        wait_seconds=rng.choice((0.0, 0.0, 2 * _HOUR)),
    )


def _deadly(seed: int, orders: list[Order]) -> tuple[Order, ...]:
    """Some of them die; drawn by themselves, so that everything else is drawn as without deaths."""
    rng = Random(f"steering deaths/{seed}")
    return tuple(replace(order, death=deaths.draw(rng, 6, 40)) if rng.random() < _DEADLY else order for order in orders)


def _holds(rng: Random, numbers: tuple[int, ...], most_boundaries: int) -> Iterator[Order]:
    for _ in range(rng.choice((0, 1, 2, 3, 4))):
        is_for_all = rng.random() < 0.3  # noqa: PLR2004 - a share
        when, moment = _moment(rng, most_boundaries)
        yield Order(
            word=rng.choices((Word.PAUSE, Word.ABORT, Word.STOP), (3, 1, 4))[0],
            when=when,
            moment=moment,
            numbers=() if is_for_all else (rng.choice(numbers),),
            lasts=rng.choice((0.0, rng.uniform(1, 60), rng.uniform(1, 60) * _MINUTE, rng.uniform(1, 20) * _HOUR, None)),
        )


def _waves(rng: Random, numbers: tuple[int, ...], most_boundaries: int) -> Iterator[Order]:
    """One to three waves of most customers; whoever is left out joins later, or is in the rest at the end."""
    shuffled = list(numbers)
    rng.shuffle(shuffled)
    left_out = shuffled.pop() if len(shuffled) > 1 and rng.random() < 0.4 else None  # noqa: PLR2004 - a share
    count = rng.randint(1, min(3, len(shuffled)))
    for index in range(count):
        name, members = f"wave {index + 1}", tuple(shuffled[index::count])
        yield Order(word=Word.NEW, when=When.DESK, moment=0, wave=name, numbers=members)
        if index == 0 and left_out is not None:
            yield _change(rng, left_out, name)
        yield _start(rng, name)
        if rng.random() < 0.4:  # noqa: PLR2004 - a share
            when, moment = _moment(rng, most_boundaries)
            word = rng.choice((Word.PAUSE_WAVE, Word.PAUSE_WAVE, Word.ABORT_WAVE, Word.STOP_WAVE))
            yield Order(word=word, when=when, moment=moment, wave=name, lasts=rng.choice((0.0, _MINUTE, _HOUR, None)))


def _change(rng: Random, number: int, name: str) -> Order:
    """Somebody joins late, or leaves before its time."""
    word = rng.choice((Word.GROW, Word.GROW, Word.LEAVE))
    when, moment = rng.choice(((When.DESK, 0.0), (When.CLOCK, _some_time(rng))))
    return Order(word=word, when=when, moment=moment, wave=name, numbers=(number,))


def _start(rng: Random, name: str) -> Order:
    overrides = rng.random() < 0.5  # noqa: PLR2004 - half and half
    if rng.random() < 0.4:  # noqa: PLR2004 - a share
        starts_in = rng.choice((rng.uniform(1, 600), rng.uniform(1, 20) * _HOUR))
        return Order(word=Word.SCHEDULE, when=When.DESK, moment=0, wave=name, starts_in=starts_in, overrides=overrides)
    when, moment = rng.choice(((When.DESK, 0.0), (When.DESK, 0.0), (When.DESK, 1.0), (When.CLOCK, _some_time(rng))))
    return Order(word=Word.START, when=when, moment=moment, wave=name, overrides=overrides)


def _moment(rng: Random, most_boundaries: int) -> tuple[When, float]:
    if rng.random() < 0.7:  # noqa: PLR2004 - a share
        return When.BOUNDARY, float(rng.randint(1, most_boundaries))
    return When.CLOCK, _some_time(rng)


def _some_time(rng: Random) -> float:
    """A few minutes after the start, where most happens, or some time on two days."""
    return rng.choice((rng.uniform(250, 600), rng.uniform(250, 600), rng.uniform(0.1, 40) * _HOUR))
