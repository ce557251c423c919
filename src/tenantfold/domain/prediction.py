"""What a rehearsal predicts, as values: how long, how many calls, who stays behind and why; and how reality compares.

Times are aware UTC. A prediction is stored whole; whoever reads it back may know more members than it has.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """Something the inventory does not say and the twin world had to make up, and for how many it did."""

    text: str
    count: int = 0  # 0: it is said of the whole world


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """How many customers were in each phase at one time, and how many calls had been made."""

    at: datetime
    phases: Mapping[str, int]
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What happened on one UTC day."""

    on: date
    customers_moved: int
    subscriptions_suspended: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCalls:
    """Calls of one tenant to one route of the API."""

    tenant: str
    route: str
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketLoad:
    """How hard one tenant's rate limit of one resource was used.

    ``per_minute`` are the calls of the minutes in which there were any, as (minutes since the start, calls);
    ``full_minutes`` those that used up at least four fifths of what we allow ourselves (``limit``, calls a minute).
    """

    tenant: str
    resource: str
    limit: float
    published_limit: int
    calls: int
    busiest: int
    full_minutes: int
    per_minute: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmoved:
    """A customer that the rehearsal could not move, why, and who must act."""

    customer_id: str
    company_name: str
    phase: str
    code: str
    reason: str
    owner: str
    next_action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What the emulator's truth ledger found: it judges, not our own reports."""

    twins: int = 0
    gaps: int = 0
    gap_seconds: float = 0.0
    overlap_seat_days: int = 0
    preexisting_overlap_seat_days: int = 0
    unequal: int = 0
    violations: int = 0
    throttled: int = 0
    failed_calls: int = 0

    @property
    def is_clean(self) -> bool:
        """No twin, no gap, parity, and nobody billed twice by us."""
        return not (self.twins or self.gaps or self.unequal or self.overlap_seat_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Under which conditions a rehearsal ran: the same ones give the same prediction."""

    acceptance: str
    latency_seconds: float
    seed: int
    faults: str = ""  # name of the fault file
    is_draft: bool = False  # the plan was not approved


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What one rehearsal found. ``begins_at`` to ``ends_at`` (the last suspension; None: there was none) is the move.

    ``over_at`` is when nothing was left to wait for. ``moved_at`` are the times at which customers were moved, oldest
    first. ``unmoved`` lists at most ``LISTED`` customers, ``unmoved_left_out`` how many more there are.
    """

    plan_id: int
    plan_checksum: str
    conditions: Conditions
    begins_at: datetime
    over_at: datetime
    ends_at: datetime | None
    begun_at: datetime | None  # the first write; None: there was none
    to_move: int
    phases: Mapping[str, int]
    moved_at: tuple[datetime, ...]
    timeline: tuple[Moment, ...]
    days: tuple[Day, ...]
    calls: tuple[RouteCalls, ...]
    buckets: tuple[BucketLoad, ...]
    truth: Truth
    late_cases: int
    unmoved: tuple[Unmoved, ...] = ()
    unmoved_left_out: int = 0
    unexplained: int = 0
    is_complete: bool = True  # False: stopped, or nothing more moved before the rehearsal gave up
    assumptions: tuple[Assumption, ...] = ()

    @property
    def total_calls(self) -> int:
        """Calls to Partner Center and Graph, sign-in left out."""
        return sum(one.calls for one in self.calls)

    @property
    def is_good(self) -> bool:
        """0 twins, 0 gaps, parity, no double billing, no late case, and everybody moved or explained."""
        return self.is_complete and self.truth.is_clean and not self.unexplained and not self.late_cases

    @property
    def bottleneck(self) -> BucketLoad | None:
        """The rate limit that was used up for the longest time; None when none ever was."""
        full = [one for one in self.buckets if one.full_minutes]
        return max(full, key=lambda one: (one.full_minutes, one.calls), default=None)

    def moved_by(self, when: datetime) -> int:
        """How many customers are moved at a time, as predicted."""
        return bisect_right(self.moved_at, when)

    def calls_by(self, when: datetime) -> int:
        """How many calls were made until a time, as predicted (to the minute)."""
        moment = self._moment(when)
        return moment.calls if moment is not None else 0

    def troubled_by(self, when: datetime) -> int:
        """How many customers stand still for a reason at a time, as predicted (to the minute)."""
        moment = self._moment(when)
        return sum(count for phase, count in moment.phases.items() if phase in TROUBLED) if moment is not None else 0

    def _moment(self, when: datetime) -> Moment | None:
        position = bisect_right([one.at for one in self.timeline], when)
        return self.timeline[position - 1] if position else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Reality beside the newest prediction for the plan, at one time."""

    rehearsed_at: datetime
    at: datetime
    moved: int
    moved_predicted: int
    calls: int
    calls_predicted: int
    late: int  # cutovers found late by now
    late_predicted: int  # in the whole move
    failed: int  # customers that stand still for a reason by now: failed, drifted, stranded, stale
    failed_predicted: int
    unmoved: int  # customers not moved by now
    unmoved_predicted: int  # in the end
    ends_at: datetime | None
    delay_seconds: float  # how much later than in the rehearsal the move began; the predicted times are moved by it

    @property
    def customers_behind(self) -> int:
        """How many fewer customers are moved than predicted; negative: ahead."""
        return self.moved_predicted - self.moved


TROUBLED = frozenset({"stale", "drifted", "stranded", "failed"})
"""Phases of customers that stand still until somebody, or a lookup, settles their reason."""

LISTED = 1_000
"""How many customers that were not moved a stored prediction names."""
