"""The clocks: what they follow, and that time is monotone."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tenantfold.clock import ManualClock, ServerClock, SystemClock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Machine:
    """A machine's two timers, moved by hand."""

    def __init__(self, now: datetime = NOON) -> None:
        self.wall = now
        self.seconds = 100.0

    def system(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def pass_time(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def machine() -> Machine:
    """Two timers at noon."""
    return Machine()


@pytest.fixture
def clock(machine: Machine) -> ServerClock:
    """A server clock on that machine."""
    return ServerClock(system=machine.system, monotonic=machine.monotonic)


def date_header(moment: datetime) -> str:
    """The moment as HTTP writes it: whole seconds."""
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


def test_follows_the_machine_until_a_server_was_heard(machine: Machine, clock: ServerClock):
    """Without an answer there is only the machine's clock."""
    machine.pass_time(5)
    assert clock.now() == NOON + timedelta(seconds=5)
    assert not clock.has_server_time
    assert clock.offset_seconds == 0.0


def test_takes_over_the_time_of_the_first_answer_even_backward(machine: Machine, clock: ServerClock):
    """A laptop that is months ahead must not keep its own time (and an emulator starts wherever it likes)."""
    clock.now()
    clock.observe(date_header(NOON - timedelta(days=200)), 0.0)
    assert clock.has_server_time
    assert abs(clock.now() - (NOON - timedelta(days=200))) <= timedelta(seconds=1)
    assert clock.offset_seconds == pytest.approx(-200 * 86400, abs=1)


def test_keeps_its_own_count_while_the_header_agrees_within_a_second_and_a_half(machine: Machine, clock: ServerClock):
    """Date counts whole seconds: jumping with every header would make time stutter."""
    clock.observe(date_header(NOON), 0.0)
    for tenth in range(1, 60):
        machine.pass_time(0.1)
        before = clock.now()
        clock.observe(date_header(NOON + timedelta(seconds=0.1 * tenth)), 0.0)
        assert clock.now() == before


def test_follows_a_server_that_jumps_ahead(machine: Machine, clock: ServerClock):
    """An emulator whose clock is advanced by a day takes us along."""
    clock.observe(date_header(NOON), 0.0)
    clock.observe(date_header(NOON + timedelta(days=1)), 0.0)
    assert abs(clock.now() - (NOON + timedelta(days=1))) <= timedelta(seconds=1)


def test_waits_out_a_small_step_back_instead_of_running_backward(machine: Machine, clock: ServerClock):
    """Nobody who compares two readings may see a negative duration because of jitter."""
    clock.observe(date_header(NOON), 0.0)
    machine.pass_time(10)
    seen = clock.now()
    clock.observe(date_header(NOON + timedelta(seconds=5)), 0.0)
    assert clock.now() == seen
    machine.pass_time(2)
    assert clock.now() == seen
    machine.pass_time(10)
    assert clock.now() > seen


def test_follows_a_server_clock_that_was_set_back(clock: ServerClock):
    """One wrong answer from the future must not freeze our day until the future arrives."""
    clock.observe(date_header(NOON + timedelta(days=1)), 0.0)
    clock.now()
    clock.observe(date_header(NOON), 0.0)
    assert abs(clock.now() - NOON) <= timedelta(seconds=1)


def test_does_not_mistake_a_slow_answer_for_a_slow_clock(machine: Machine, clock: ServerClock):
    """An answer that took ten seconds carries a Date that is ten seconds old, and that is fine."""
    clock.observe(date_header(NOON), 0.0)
    machine.pass_time(10)
    before = clock.now()
    clock.observe(date_header(NOON), 10.0)
    assert clock.now() == before


def test_ignores_the_machine_being_set_to_another_time(machine: Machine, clock: ServerClock):
    """Only the monotonic timer counts between answers."""
    clock.observe(date_header(NOON), 0.0)
    before = clock.now()
    machine.wall += timedelta(days=3)
    machine.seconds += 1
    assert clock.now() - before == timedelta(seconds=1)
    assert clock.offset_seconds == pytest.approx(-3 * 86400, abs=2)


def test_a_night_the_laptop_slept_through_has_passed(monkeypatch: pytest.MonkeyPatch):
    """Linux stops the monotonic timer in a suspend: the timer that goes on is read where there is one."""
    seconds = {"boot": 100.0}
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 7, raising=False)
    monkeypatch.setattr(time, "clock_gettime", lambda clock_id: seconds["boot"] if clock_id == 7 else 0.0)
    clock = ServerClock(system=lambda: NOON)
    clock.observe(date_header(NOON))
    seconds["boot"] += 8 * 3600
    assert abs(clock.now() - (NOON + timedelta(hours=8))) <= timedelta(seconds=1)


def test_a_machine_without_that_timer_counts_with_its_usual_one(monkeypatch: pytest.MonkeyPatch):
    """Not every system has it."""
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    monkeypatch.setattr(time, "monotonic", iter([5.0, 65.0]).__next__)
    clock = ServerClock(system=lambda: NOON)
    assert clock.now() == NOON + timedelta(minutes=1)


@pytest.mark.parametrize("value", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_ignores_a_date_that_is_none(clock: ServerClock, value: str):
    """A header nobody can read teaches nothing."""
    clock.observe(value, 0.0)
    assert not clock.has_server_time


async def test_sleepers_that_begin_together_wake_together_on_a_manual_clock():
    """Two waits of a minute side by side take one minute, as on a real clock."""
    moved: list[float] = []
    clock = ManualClock(NOON, on_move=moved.append)
    await asyncio.gather(clock.sleep(60), clock.sleep(60), clock.sleep(30))
    assert clock.now() == NOON + timedelta(seconds=60)
    assert sum(moved) == 60
    assert clock.slept == [60, 60, 30]


def test_a_manual_clock_refuses_to_run_backward():
    """Tests that move time the wrong way are mistakes."""
    with pytest.raises(ValueError, match="forward"):
        ManualClock(NOON).move(-1)


async def test_the_real_clocks_tell_aware_time_and_let_time_pass():
    """Both real clocks give UTC and come back from a sleep, also from a negative one."""
    for clock in (SystemClock(), ServerClock()):
        before = clock.now()
        await clock.sleep(-1)
        assert before.utcoffset() == timedelta(0)
        assert clock.now() >= before
