"""How fast Microsoft may be called (domain room): one bucket per partner tenant and resource, learned from 429.

Published: 500 calls a minute each for the customer, order and subscription resources, in a window that slides, and
rejected calls count, too (core reference 4). So calls are spaced: a reservation hands out *slots*, moments at which one
call may leave, a few seconds ahead. After a rest a tenth of the limit n may leave at once, and then the pace is lower
for a minute. In any 60 seconds there are no more slots than were saved up when they began and came in since; and slots
are used up to ``LATE_SECONDS`` late. Whoever reserves them, calls in 60 seconds are therefore at most

    without a rest     0.006 n + 0.98 n * 60.25 / 60  <  0.991 n
    after one          0.1 n   + 0.88 n * 60.25 / 60  <  0.984 n      (and n for a small n)

What is left of the limit is for the network: a second in which nothing arrives, and then everything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tenantfold.domain.model import TenantId

PUBLISHED_PER_MINUTE = 500.0  # core reference 4
LIMITED_RESOURCES = frozenset({"customer", "order", "subscription"})  # those with a published limit

RateKey = tuple[TenantId, str]  # partner tenant and resource

WINDOW_SECONDS = 60.0
AHEAD_SECONDS = 3.0  # how far ahead slots are handed out
URGENT_SHARE = 0.15  # the last part of these seconds is kept for the urgent lane
CHUNK_SECONDS = 1.0  # the most one reservation takes, so that workers take turns
QUORUM_SECONDS = 0.4  # the least worth a reservation in the normal lane
LATE_SECONDS = 0.25  # a slot that nobody used within this time is gone

_PACE = 0.98
_BURST = 0.006
_PACE_AFTER_REST = 0.88
_BURST_AFTER_REST = 0.1
_LULL_SECONDS = 10.0  # a shorter one is no rest: the full pace goes on
_DECREASE = 0.75  # of the pace, once per storm of 429
_FLOOR = 0.1  # of the limit's pace: below it nothing is learned any more
_GROWTH = 0.06  # of the limit's pace, added per minute without 429
_LONGEST_PAUSE = timedelta(hours=1)
_FAR_AHEAD = timedelta(seconds=15)  # nobody reserves so far ahead: such a row was written by a clock that was wrong
_SMOOTHING_SECONDS = 60.0
_ROUNDING = 1e-6  # of a token


@dataclass(frozen=True, slots=True)
class Limit:
    """The most calls that may reach Microsoft in any 60 seconds, for one partner tenant and resource."""

    per_minute: float = PUBLISHED_PER_MINUTE

    @property
    def pace(self) -> float:
        """Calls per minute that keep to the limit together with ``burst``."""
        return self.per_minute * _PACE

    @property
    def burst(self) -> float:
        """How many calls may leave at once at the full pace."""
        return max(1.0, self.per_minute * _BURST)

    @property
    def burst_after_rest(self) -> float:
        """How many calls may leave at once after a rest."""
        return max(1.0, self.per_minute * _BURST_AFTER_REST)

    @property
    def floor(self) -> float:
        """The lowest pace that is ever learned, in calls per minute."""
        return self.pace * _FLOOR


PUBLISHED = Limit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One bucket. All slots before ``filled_at`` are handed out or gone; ``tokens`` is what was saved up until then.

    ``per_minute`` is the pace learned, ``not_before`` the end of the last ``Retry-After``, ``changed_at`` when the pace
    was last learned, ``rested_at`` when more than the burst was last saved up. ``granted`` and ``throttled`` count
    slots and storms since the beginning. ``measured_per_minute`` is how many calls really left, smoothed over a minute,
    as of ``measured_at``.
    """

    per_minute: float
    tokens: float
    filled_at: datetime
    changed_at: datetime
    measured_at: datetime
    rested_at: datetime
    not_before: datetime | None = None
    granted: int = 0
    throttled: int = 0
    measured_per_minute: float = 0.0


@dataclass(frozen=True, slots=True)
class Reservation:
    """Slots in the order of time; without any, ``retry_seconds`` says when asking again is worth it."""

    slots: tuple[datetime, ...] = ()
    retry_seconds: float = 0.0

    @property
    def granted(self) -> int:
        """How many calls may leave."""
        return len(self.slots)


def fresh(limit: Limit, now: datetime) -> Rate:
    """The bucket of a tenant and resource that nobody has called yet."""
    return Rate(
        per_minute=limit.pace,
        tokens=limit.burst_after_rest,
        filled_at=now,
        changed_at=now,
        measured_at=now,
        rested_at=now,
    )


def refill(rate: Rate, limit: Limit, now: datetime) -> Rate:
    """The bucket as it stands now, with what was saved up since. Times that cannot be are corrected."""
    not_before = rate.not_before
    if not_before is not None and not_before - now > _LONGEST_PAUSE:
        not_before = None
    rate = replace(rate, per_minute=min(rate.per_minute, limit.pace), not_before=not_before)
    if rate.filled_at - max(now, not_before or now) > _FAR_AHEAD:  # a clock was set back: nothing is known
        return replace(rate, tokens=0.0, filled_at=now, rested_at=now)
    passed = (now - rate.filled_at).total_seconds()
    if passed <= 0:
        return rate
    tokens = rate.tokens + passed * _per_second(rate)
    if _is_steady(rate):
        full = min(tokens, limit.burst)
        if (tokens - full) / _per_second(rate) < _LULL_SECONDS:
            return replace(rate, tokens=full, filled_at=now)
    # what a rest brings counts at the pace after it
    share = rate.per_minute / limit.pace
    gained = passed * rate.per_minute * _PACE_AFTER_REST / _PACE / 60
    tokens = min(rate.tokens + gained, max(limit.burst, limit.burst_after_rest * share))
    rested_at = now if tokens > limit.burst else rate.rested_at
    return replace(rate, tokens=tokens, filled_at=now, rested_at=rested_at)


def _is_steady(rate: Rate) -> bool:
    """Whether the last rest is a whole window ago, so that the full pace is safe."""
    return (rate.filled_at - rate.rested_at).total_seconds() >= WINDOW_SECONDS


def _per_second(rate: Rate) -> float:
    """How many tokens a second brings."""
    return rate.per_minute / 60 * (1.0 if _is_steady(rate) else _PACE_AFTER_REST / _PACE)


def learned(rate: Rate, limit: Limit, now: datetime) -> Rate:
    """The pace after a time without 429: it grows slowly back to the limit's, never during a pause."""
    since = max(rate.changed_at, rate.not_before or rate.changed_at)
    if since - now > _LONGEST_PAUSE:
        return replace(rate, changed_at=now)
    if now <= since or rate.per_minute >= limit.pace:
        return rate
    grown = rate.per_minute + _GROWTH * limit.pace * (now - since).total_seconds() / 60
    return replace(rate, per_minute=min(limit.pace, grown), changed_at=now)


def reserve(rate: Rate, limit: Limit, wanted: int, now: datetime, *, urgent: bool = False) -> tuple[Reservation, Rate]:
    """Hand out up to ``wanted`` slots, at most ``CHUNK_SECONDS`` of them and none further ahead than allowed.

    The normal lane stops short of the last part of the time ahead: calls of the urgent lane always find slots there,
    however many normal ones are waiting anywhere.
    """
    rate = pace_now(rate, limit, now)
    per_second = _per_second(rate)
    ahead = AHEAD_SECONDS if urgent else AHEAD_SECONDS * (1 - URGENT_SHARE)
    wanted = max(0, min(wanted, math.ceil(max(CHUNK_SECONDS * per_second, rate.tokens))))
    least = min(wanted, 1 if urgent else max(1, int(QUORUM_SECONDS * per_second)))
    # how long from filled_at until the next whole tokens are there, without and with an end
    room = ahead - (rate.filled_at - now).total_seconds()
    short = _seconds_until(least, rate.tokens, per_second) - room
    if wanted == 0 or short > 0:
        return Reservation(retry_seconds=max(short, 0.0)), rate
    slots: list[datetime] = []
    for count in range(1, wanted + 1):
        seconds = _seconds_until(count, rate.tokens, per_second)
        if seconds > room:
            break
        slots.append(rate.filled_at + timedelta(seconds=seconds))
    at_once = sum(slot == rate.filled_at for slot in slots)
    left = rate.tokens - len(slots) if at_once == len(slots) else 0.0
    filled = replace(rate, tokens=max(0.0, left), filled_at=slots[-1], granted=rate.granted + len(slots))
    return Reservation(slots=tuple(slots)), filled


def _seconds_until(count: int, tokens: float, per_second: float) -> float:
    """Seconds from ``filled_at`` until the ``count``-th token from now is whole."""
    missing = count - tokens
    return 0.0 if missing <= _ROUNDING else missing / per_second


def throttled(rate: Rate, limit: Limit, retry_after_seconds: float, left_at: datetime, now: datetime) -> Rate:
    """The bucket after a 429 to a call that left at ``left_at``: nothing leaves before ``Retry-After`` has passed.

    The pace goes down once per storm: a call that left before the pause was known or had passed tells nothing new.
    """
    rate = pace_now(rate, limit, now)
    until = now + min(timedelta(seconds=max(0.0, retry_after_seconds)), _LONGEST_PAUSE)
    not_before = max(rate.not_before or until, until)
    paused = replace(rate, not_before=not_before, filled_at=max(rate.filled_at, not_before), tokens=0.0)
    if rate.not_before is not None and left_at < rate.not_before:
        return paused
    slower = min(rate.per_minute, max(limit.floor, rate.per_minute * _DECREASE))
    return replace(paused, per_minute=slower, changed_at=now, throttled=rate.throttled + 1)


def measured(rate: Rate, calls: int, now: datetime) -> Rate:
    """The bucket after ``calls`` more really left: their rate is smoothed over about a minute."""
    current = measured_per_minute(rate, now) + calls * 60 / _SMOOTHING_SECONDS
    return replace(rate, measured_per_minute=current, measured_at=now)


def measured_per_minute(rate: Rate, now: datetime) -> float:
    """How many calls a minute really left lately."""
    passed = max(0.0, (now - rate.measured_at).total_seconds())
    return rate.measured_per_minute * math.exp(-passed / _SMOOTHING_SECONDS)


def pace_now(rate: Rate, limit: Limit, now: datetime) -> Rate:
    """The bucket with the pace that holds now: what was slow after a storm has grown again since it was last used."""
    return learned(refill(rate, limit, now), limit, now)


def pause_seconds(rate: Rate, now: datetime) -> float:
    """How long nothing may leave yet because of a ``Retry-After``; 0 without one."""
    return max(0.0, (rate.not_before - now).total_seconds()) if rate.not_before is not None else 0.0
