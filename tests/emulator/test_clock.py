"""The emulator's clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from partner_center_emulator.clock import Clock, wall_now
from tests.emulator.small_world import START


class Seconds:
    """A source of real seconds that a test moves by hand."""

    def __init__(self) -> None:
        self.value = 100.0

    def __call__(self) -> float:
        return self.value


def after(seconds: float) -> datetime:
    """Return the start plus ``seconds``."""
    return START + timedelta(seconds=seconds)


def test_runs_at_its_speed_and_stands_when_frozen():
    """Real seconds count times the speed, and not at all while frozen."""
    seconds = Seconds()
    clock = Clock(START, speed=60, monotonic=seconds)
    seconds.value += 2
    assert clock.now() == after(120)
    clock.freeze()
    seconds.value += 100
    assert (clock.now(), clock.frozen) == (after(120), True)
    clock.freeze(frozen=False)
    clock.set_speed(1)
    seconds.value += 3
    assert clock.now() == after(123)


def test_runs_what_is_due_in_order_and_at_its_own_time():
    """Callbacks see exactly their due time; equal times keep the order in which they came."""
    clock = Clock(START, frozen=True)
    seen: list[tuple[str, datetime]] = []

    def note(name: str) -> None:
        seen.append((name, clock.now()))

    for name, seconds in (("c", 30.0), ("a", 10.0), ("b", 10.0), ("later", 31.0)):
        clock.at(after(seconds), name, partial(note, name))
    clock.advance(30)
    assert seen == [("a", after(10)), ("b", after(10)), ("c", after(30))]
    assert (clock.now(), clock.next_due()) == (after(30), after(31))


def test_a_callback_may_ask_for_another_one_within_the_same_move():
    """What a callback schedules inside the move runs in it as well, a past time at once."""
    clock = Clock(START, frozen=True)
    seen: list[datetime] = []

    def first() -> None:
        clock.at(after(5), "past", lambda: seen.append(clock.now()))
        clock.at(after(15), "soon", lambda: seen.append(clock.now()))

    clock.at(after(10), "first", first)
    clock.advance(20)
    assert seen == [after(10), after(15)]


def test_a_running_clock_runs_what_is_due_when_asked():
    """Nothing runs in the background: run_due does it."""
    seconds = Seconds()
    clock = Clock(START, monotonic=seconds)
    seen: list[datetime] = []
    clock.at(after(1), "soon", lambda: seen.append(clock.now()))
    clock.run_due()
    assert seen == []
    seconds.value += 5
    clock.run_due()
    assert seen == [after(1)]
    assert clock.now() == after(5)


def test_refuses_to_go_back_or_to_stand_by_speed():
    """Negative moves and a speed of zero are errors."""
    clock = Clock(START, frozen=True)
    with pytest.raises(ValueError, match="only moves forward"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="only moves forward"):
        clock.advance_to(after(-1))
    with pytest.raises(ValueError, match="positive"):
        clock.set_speed(0)


def test_restarts_without_anything_due():
    """A restart forgets the callbacks and begins at the given time."""
    clock = Clock(START, frozen=True)
    clock.at(after(1), "gone", lambda: pytest.fail("ran although the world was replaced"))
    clock.restart(after(100))
    clock.advance(100)
    assert (clock.now(), clock.state().due) == (after(200), 0)


def test_the_wall_clock_is_aware():
    """The ledger's second time column is aware UTC."""
    assert wall_now().utcoffset() == timedelta(0)
