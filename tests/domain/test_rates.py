"""The rate governor's arithmetic: what it promises, in any order of events."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenantfold.domain.model import TenantId
from tenantfold.domain.rates import (
    AHEAD_SECONDS,
    LATE_SECONDS,
    PUBLISHED,
    Limit,
    Rate,
    fresh,
    learned,
    measured,
    measured_per_minute,
    pace_now,
    pause_seconds,
    refill,
    reserve,
    throttled,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SE, NO = TenantId("se"), TenantId("no")

unhurried = settings(deadline=None)  # other programs share the machine
limits = st.sampled_from([Limit(1), Limit(2), Limit(10), Limit(60), PUBLISHED, Limit(3000)])
pauses = st.floats(0, 40, allow_nan=False)
steps = st.lists(st.tuples(pauses, st.integers(0, 40), st.booleans(), st.floats(0, LATE_SECONDS)), max_size=60)


def after(seconds: float, since: datetime = NOON) -> datetime:
    """So many seconds after noon."""
    return since + timedelta(seconds=seconds)


def most_in_a_minute(times: Sequence[datetime]) -> int:
    """The most calls in any 60 seconds: the limit's own way to count."""
    ordered = sorted(times)
    most = start = 0
    for end, when in enumerate(ordered):
        while when - ordered[start] >= timedelta(seconds=60):
            start += 1
        most = max(most, end - start + 1)
    return most


def greedy(limit: Limit, seconds: float, *, every: float = 0.3) -> list[datetime]:
    """The slots one worker gets that always wants more."""
    rate, now, slots = fresh(limit, NOON), NOON, list[datetime]()
    while now < after(seconds):
        reservation, rate = reserve(rate, limit, 1000, now)
        slots += reservation.slots
        now = after(every, now)
    return slots


@unhurried
@given(limits, steps)
@example(PUBLISHED, [(0.0, 40, True, 0.0)] * 60)
def test_never_lets_more_calls_leave_in_a_minute_than_the_limit(
    limit: Limit, story: list[tuple[float, int, bool, float]]
):
    """Several workers reserve in any order, in both lanes, and use their slots in time or a little late."""
    rate, now = fresh(limit, NOON), NOON
    left: list[datetime] = []
    for pause, wanted, urgent, late in story:
        now = after(pause, now)
        reservation, rate = reserve(rate, limit, wanted, now, urgent=urgent)
        left += [after(late, slot) for slot in reservation.slots]
    assert most_in_a_minute(left) <= limit.per_minute


@unhurried
@given(limits, st.lists(st.tuples(st.floats(0, 1), st.integers(0, 100), st.booleans()), max_size=200))
def test_never_lets_more_calls_leave_in_a_minute_under_constant_pressure(
    limit: Limit, story: list[tuple[float, int, bool]]
):
    """Demand without end: the first half of a window's calls early, the second half late."""
    rate, now, slots = fresh(limit, NOON), NOON, list[datetime]()
    for pause, wanted, urgent in story:
        now = after(pause, now)
        reservation, rate = reserve(rate, limit, wanted, now, urgent=urgent)
        slots += reservation.slots
    middle = after((now - NOON).total_seconds() / 2)
    left = [after(LATE_SECONDS, slot) if slot < middle else slot for slot in slots]
    assert most_in_a_minute(left) <= limit.per_minute


@unhurried
@given(limits, steps, st.floats(0, 100))
def test_slots_come_in_the_order_of_time_and_not_too_far_ahead(
    limit: Limit, story: list[tuple[float, int, bool, float]], retry_after: float
):
    """No slot is in the past or twice, tokens are never negative, counters never fall, whatever happened before."""
    rate, now, last = fresh(limit, NOON), NOON, NOON
    for number, (pause, wanted, urgent, _) in enumerate(story):
        now = after(pause, now)
        if number % 7 == 6:
            rate = throttled(rate, limit, retry_after, now, now)
        reservation, following = reserve(rate, limit, wanted, now, urgent=urgent)
        assert list(reservation.slots) == sorted(reservation.slots)
        assert all(max(now, last) <= slot <= after(AHEAD_SECONDS + 1e-3, now) for slot in reservation.slots)
        assert reservation.granted <= wanted
        assert reservation.granted > 0 or wanted == 0 or reservation.retry_seconds > 0
        assert 0 <= following.tokens <= limit.burst_after_rest
        assert following.filled_at >= rate.filled_at
        assert limit.floor <= following.per_minute <= limit.pace
        assert following.granted == rate.granted + reservation.granted
        last = max((last, *reservation.slots))
        rate = following


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("limit", [PUBLISHED, Limit(60), Limit(3000)])
def test_uses_ninety_eight_percent_of_the_limit_however_many_workers_ask(limit: Limit, workers: int):
    """The makespan of a wave may be 1.05 of the lower bound: the pace takes two hundredths of that."""
    rate, now, count = fresh(limit, NOON), NOON, 0
    while now < after(300):
        for _ in range(workers):
            reservation, rate = reserve(rate, limit, 100, now)
            count += reservation.granted
        now = after(0.37, now)
    assert count >= limit.pace * 5


@unhurried
@given(limits, st.integers(1, 20))
def test_asking_again_when_told_to_is_never_in_vain(limit: Limit, wanted: int):
    """A worker that got nothing sleeps once, not in a loop."""
    rate = fresh(limit, NOON)
    reservation, rate = reserve(rate, limit, 1000, NOON)
    while reservation.granted:
        reservation, rate = reserve(rate, limit, 1000, NOON)
    refused, rate = reserve(rate, limit, wanted, NOON)
    again, _ = reserve(rate, limit, wanted, after(refused.retry_seconds + 1e-3))
    assert again.granted > 0


@unhurried
@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 100)), min_size=1, max_size=50))
def test_the_urgent_lane_always_finds_slots_at_once(story: list[tuple[float, int]]):
    """Normal calls of all workers together never take the last part of the time ahead."""
    rate, now = fresh(PUBLISHED, NOON), NOON
    for pause, wanted in story:
        now = after(pause, now)
        granted = 1
        while granted:
            reservation, rate = reserve(rate, PUBLISHED, wanted, now)
            granted = reservation.granted
        urgent, _ = reserve(rate, PUBLISHED, 2, now, urgent=True)
        assert urgent.granted == 2


def test_the_normal_lane_gets_nothing_while_urgent_calls_want_everything():
    """What must end today goes first, on whatever worker it is."""
    rate, now, normal = fresh(PUBLISHED, NOON), NOON, 0
    for _ in range(100):
        granted = 1
        while granted:
            urgent, rate = reserve(rate, PUBLISHED, 100, now, urgent=True)
            granted = urgent.granted
        reservation, rate = reserve(rate, PUBLISHED, 100, now)
        normal += reservation.granted
        now = after(0.2, now)
    assert normal == 0


def test_spaces_calls_evenly_after_the_burst():
    """A new bucket lets fifty go at once, pays for them during a minute, then goes on at 490 a minute."""
    slots = greedy(PUBLISHED, 300)
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(slots)]
    assert gaps[:49] == [0] * 49
    assert all(gap == pytest.approx(60 / 440, abs=2e-6) for gap in gaps[60:400])
    assert all(gap == pytest.approx(60 / 490, abs=2e-6) for gap in gaps[500:])
    assert sum(slot < after(60) for slot in slots) == pytest.approx(490, abs=1)


def test_an_idle_bucket_saves_up_no_more_than_a_tenth():
    """A quiet hour is no license for a thousand calls at once."""
    rested = refill(fresh(PUBLISHED, NOON), PUBLISHED, after(3600))
    assert rested.tokens == PUBLISHED.burst_after_rest == 50


def test_a_short_lull_does_not_slow_down_what_comes_after_it():
    """Between two customers nobody may want a slot for some seconds; the full pace stays."""
    rate, now = fresh(PUBLISHED, NOON), NOON
    for _ in range(400):
        _, rate = reserve(rate, PUBLISHED, 1000, now)
        now = after(0.3, now)
    lull = refill(rate, PUBLISHED, after(8, now))
    rest = refill(rate, PUBLISHED, after(60, now))
    assert (lull.tokens, lull.rested_at) == (PUBLISHED.burst, rate.rested_at)
    assert (rest.tokens, rest.rested_at) == (PUBLISHED.burst_after_rest, after(60, now))


def test_one_worker_cannot_take_what_others_wait_for():
    """A chunk is a second's worth, so that workers take turns."""
    rested, rate = reserve(fresh(PUBLISHED, NOON), PUBLISHED, 1000, NOON)
    reservation, rate = reserve(rate, PUBLISHED, 1000, NOON)
    assert (rested.granted, reservation.granted) == (50, 8)
    assert reserve(rate, PUBLISHED, 1000, NOON)[0].granted > 0


@unhurried
@given(st.floats(0, 7200), st.floats(0, 60))
def test_nothing_leaves_before_retry_after_has_passed(retry_after: float, asked_after: float):
    """What Microsoft asks for is a floor, and after it there is no burst."""
    paused = throttled(fresh(PUBLISHED, NOON), PUBLISHED, retry_after, NOON, NOON)
    assert paused.not_before == after(min(retry_after, 3600))
    reservation, _ = reserve(paused, PUBLISHED, 1000, after(asked_after), urgent=True)
    assert all(slot > paused.not_before for slot in reservation.slots if asked_after <= retry_after)


def test_the_429s_of_one_storm_slow_down_once():
    """Sixty calls were under way when the limit was reached: one lesson, not sixty."""
    rate = fresh(PUBLISHED, NOON)
    for number in range(60):
        rate = throttled(rate, PUBLISHED, 10, after(-1 + number / 60), after(number / 60))
    assert rate.per_minute == pytest.approx(490 * 0.75)
    assert rate.throttled == 1
    assert rate.not_before == after(10 + 59 / 60)


def test_a_429_after_the_pause_is_a_new_lesson():
    """Another program may be using up the limit."""
    once = throttled(fresh(PUBLISHED, NOON), PUBLISHED, 10, NOON, NOON)
    twice = throttled(once, PUBLISHED, 10, after(10.1), after(10.3))
    assert twice.throttled == 2
    assert twice.per_minute == pytest.approx(490 * 0.75 * 0.75, rel=1e-3)


@unhurried
@given(limits, st.integers(1, 100))
def test_never_learns_to_stand_still(limit: Limit, storms: int):
    """However often we are turned away, some pace remains, so that things get better again."""
    rate, now = fresh(limit, NOON), NOON
    for _ in range(storms):
        rate = throttled(rate, limit, 1, now, now)
        now = after(1.5, now)
    assert rate.per_minute >= limit.floor > 0


@unhurried
@given(limits, st.integers(1, 12), st.floats(0, 2000))
def test_recovers_slowly_and_never_beyond_the_limit(limit: Limit, storms: int, minutes: float):
    """The pace grows with time, to the limit's pace and no further."""
    rate, now = fresh(limit, NOON), NOON
    for _ in range(storms):
        rate = throttled(rate, limit, 0, now, now)
        now = after(1, now)
    later = learned(rate, limit, after(60 * minutes, now))
    assert rate.per_minute <= later.per_minute <= limit.pace
    assert later.per_minute <= rate.per_minute + limit.pace * 0.06 * (minutes + 1)
    if minutes > 18:
        assert later.per_minute == limit.pace


def test_the_pace_does_not_grow_during_a_pause():
    """A pause is no proof that the limit is kept."""
    paused = throttled(fresh(PUBLISHED, NOON), PUBLISHED, 600, NOON, NOON)
    assert learned(paused, PUBLISHED, after(599)).per_minute == paused.per_minute
    assert learned(paused, PUBLISHED, after(660)).per_minute == pytest.approx(paused.per_minute + 490 * 0.06)


def test_a_lower_setting_holds_at_once():
    """The row was learned under a higher limit."""
    _, rate = reserve(fresh(PUBLISHED, NOON), Limit(100), 5, after(60))
    assert rate.per_minute == 98


def test_a_row_from_a_clock_that_was_wrong_stalls_nobody():
    """A worker whose clock was a day ahead has written the row; then it learned the server's time."""
    tomorrow = after(86_400)
    rate = throttled(fresh(PUBLISHED, tomorrow), PUBLISHED, 60, tomorrow, tomorrow)
    reservation, rate = reserve(rate, PUBLISHED, 5, NOON)
    assert reservation.granted > 0
    assert learned(rate, PUBLISHED, after(600)).per_minute > rate.per_minute


@unhurried
@given(st.integers(1, 40))
def test_measures_what_really_left(per_second: int):
    """After some minutes the smoothed rate is the rate; after some quiet ones it is nearly nothing."""
    rate, now = fresh(PUBLISHED, NOON), NOON
    for _ in range(600):
        now = after(1, now)
        rate = measured(rate, per_second, now)
    assert measured_per_minute(rate, now) == pytest.approx(per_second * 60, rel=0.02)
    assert measured_per_minute(rate, after(600, now)) < 1


def test_a_pace_grows_again_while_nobody_calls():
    """A storm at night does not refuse the wave of the next morning."""
    slow = replace(fresh(PUBLISHED, NOON), per_minute=50.0)
    assert pace_now(slow, PUBLISHED, NOON).per_minute == 50
    assert pace_now(slow, PUBLISHED, after(12 * 3_600)).per_minute == PUBLISHED.pace


def test_a_pause_ends_with_its_retry_after():
    """Nothing leaves before it has passed."""
    paused = replace(fresh(PUBLISHED, NOON), per_minute=100.0, not_before=after(30))
    assert (pause_seconds(paused, NOON), pause_seconds(paused, after(40))) == (30, 0)


@unhurried
@given(limits, st.integers(0, 2000))
def test_the_expected_time_is_the_time_it_takes(limit: Limit, calls: int):
    """The estimate is neither hopeful nor careful by more than the burst and a moment."""
    rate: Rate = fresh(limit, NOON)
    expected = calls * 60 / rate.per_minute  # as ``domain.admission`` counts
    if not 0 < calls <= 3 * limit.per_minute:
        assert (expected == 0) == (calls == 0)
        return
    now, last, granted = NOON, NOON, 0
    while granted < calls:
        reservation, rate = reserve(rate, limit, calls - granted, now)
        granted += reservation.granted
        last = max((last, *reservation.slots))
        now = after(max(0.3, reservation.retry_seconds), now)
    early = math.ceil(limit.burst_after_rest) * 60 / limit.pace
    assert expected - early - 1 <= (last - NOON).total_seconds() <= expected + 1
