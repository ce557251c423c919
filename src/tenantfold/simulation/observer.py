"""Looks on while a rehearsal runs (simulation room): calls by minute, customers by phase, and what it all came to.

Calls are counted at the clients, as a real run counts them; what really happened is for the truth ledger to say.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime, timedelta

from partner_center_emulator import ledger
from tenantfold.bootstrap import Program
from tenantfold.clock import SystemClock
from tenantfold.domain.explanation import next_step, why
from tenantfold.domain.model import TenantId
from tenantfold.domain.plan import PlanRecord
from tenantfold.domain.prediction import (
    LISTED,
    BucketLoad,
    Conditions,
    Day,
    Moment,
    Prediction,
    RouteCalls,
    Truth,
    Unmoved,
)
from tenantfold.domain.records import CUTOVER_LATE, Standing
from tenantfold.domain.states import Owner, Phase
from tenantfold.domain.waves import HELD_BECAUSE, HELD_NEXT, Held
from tenantfold.flow.progress import Reporter
from tenantfold.partnercenter import wire_routes
from tenantfold.partnercenter.wire_routes import Route
from tenantfold.simulation.stage import Stage
from tenantfold.store.rehearsals import Rehearsals

MINUTE = 60.0
FULL_SHARE = 0.8  # of what we allow ourselves; after a rest the pace is lower for a minute (domain.rates)
_EVENTS = 10_000_000  # all of them
_MOVED = "cutover.customer.moved"
_RESOURCES: Mapping[str, str] = {
    route.name: route.resource for route in vars(wire_routes).values() if isinstance(route, Route)
}


class Observer:
    """Looks on during one rehearsal."""

    def __init__(self, stage: Stage, program: Program, report: Reporter) -> None:
        self.moved = 0
        self._stage = stage
        self._program = program
        self._report = report
        self._begins_at = stage.now()
        self._throttle_limit = stage.emulator.options.throttle_limit
        self._seen: dict[TenantId, Counter[str]] = {tenant: Counter() for tenant in program.centers}
        self._minutes: dict[tuple[TenantId, str], Counter[int]] = defaultdict(Counter)
        self._by_day: Counter[date] = Counter()
        self._calls = 0
        self._timeline: list[Moment] = []

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Take a look every virtual minute while the block runs."""
        await self.note()
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.note()

    async def _watch(self) -> None:
        clock = SystemClock()  # on a virtual loop the machine's sleep is virtual
        while True:
            await clock.sleep(MINUTE)
            await self.note()

    async def note(self) -> None:
        """Count the calls since the last look; where there were any, see how far the customers are."""
        if not self._count() and self._timeline:
            return
        phases = await self._program.store.phase_counts()
        moved = phases.get(Phase.MOVED, 0)
        if moved != self.moved:
            self.moved = moved
            self._report.update("customers moved", moved, None)
        named = {phase.value: count for phase, count in phases.items()}
        if self._timeline and self._timeline[-1].phases == named and len(self._timeline) > 1:
            previous = self._timeline[-2]
            if previous.phases == named and self._timeline[-1].at - previous.at < timedelta(hours=1):
                self._timeline.pop()
        self._timeline.append(Moment(at=self._stage.now(), phases=named, calls=self._calls))

    def _count(self) -> int:
        """Put new calls under the minute that ends now; returns how many there were."""
        now = self._stage.now()
        # a look at a full minute counts what came before it
        minute = max(0, int(((now - self._begins_at).total_seconds() - 1e-6) // MINUTE))
        found = 0
        for tenant, center in self._program.centers.items():
            new = center.calls - self._seen[tenant]
            for route, count in new.items():
                found += count
                resource = _RESOURCES.get(route, "")
                if resource:
                    self._minutes[tenant, resource][minute] += count
            self._seen[tenant] = Counter(center.calls)
        self._by_day[now.date()] += found
        self._calls += found
        return found

    async def prediction(
        self, plan: PlanRecord, conditions: Conditions, keys: Mapping[TenantId, str], *, is_complete: bool
    ) -> Prediction:
        """Everything that was found."""
        store = self._program.store
        events = await store.events(limit=_EVENTS, name=_MOVED)
        moved_at = sorted(one.at for one in events if one.at >= self._begins_at)
        late = {
            one.customer_id for one in await store.events(limit=_EVENTS, name=CUTOVER_LATE) if one.at >= self._begins_at
        }
        pairs = (await store.counterparts()).values()
        suspended = sorted(
            one.suspended_at for one in pairs if one.suspended_at is not None and one.suspended_at >= self._begins_at
        )
        unmoved, left_out, unexplained = await self._unmoved()
        return Prediction(
            plan_id=plan.id,
            plan_checksum=plan.checksum,
            conditions=conditions,
            begins_at=self._begins_at,
            over_at=self._stage.now(),
            ends_at=suspended[-1] if suspended else None,
            begun_at=await Rehearsals(store.database).begun_at(plan.id, self._begins_at),
            to_move=plan.to_move,
            phases={phase.value: count for phase, count in (await store.phase_counts()).items()},
            moved_at=tuple(moved_at),
            timeline=tuple(self._timeline),
            days=self._days(moved_at, suspended),
            calls=self._route_calls(keys),
            buckets=self._buckets(keys),
            truth=self._truth(),
            late_cases=len(late),
            unmoved=unmoved,
            unmoved_left_out=left_out,
            unexplained=unexplained,
            is_complete=is_complete,
        )

    def _days(self, moved_at: Sequence[datetime], suspended: Sequence[datetime]) -> tuple[Day, ...]:
        moved = Counter(one.date() for one in moved_at)
        stopped = Counter(one.date() for one in suspended)
        days = sorted(set(moved) | set(stopped) | {day for day, count in self._by_day.items() if count})
        return tuple(
            Day(on=day, customers_moved=moved[day], subscriptions_suspended=stopped[day], calls=self._by_day[day])
            for day in days
        )

    def _route_calls(self, keys: Mapping[TenantId, str]) -> tuple[RouteCalls, ...]:
        return tuple(
            RouteCalls(tenant=keys[tenant], route=route, calls=count)
            for tenant, routes in self._seen.items()
            for route, count in routes.most_common()
        )

    def _buckets(self, keys: Mapping[TenantId, str]) -> tuple[BucketLoad, ...]:
        limit = float(self._program.settings.limits.requests_per_minute)
        return tuple(
            BucketLoad(
                tenant=keys[tenant],
                resource=resource,
                limit=limit,
                published_limit=self._throttle_limit,
                calls=minutes.total(),
                busiest=max(minutes.values()),
                full_minutes=sum(count >= FULL_SHARE * limit for count in minutes.values()),
                per_minute=tuple(sorted(minutes.items())),
            )
            for (tenant, resource), minutes in sorted(
                self._minutes.items(), key=lambda one: (keys[one[0][0]], one[0][1])
            )
        )

    def _truth(self) -> Truth:
        report = ledger.report(self._stage.emulator)
        totals = report.totals
        return Truth(
            twins=totals.twins,
            gaps=totals.gaps,
            gap_seconds=totals.gap_seconds,
            overlap_seat_days=totals.overlap_seat_days,
            preexisting_overlap_seat_days=totals.preexisting_overlap_seat_days,
            unequal=totals.unequal,
            violations=totals.violations,
            throttled=totals.throttled,
            failed_calls=totals.errors,
        )

    async def _unmoved(self) -> tuple[tuple[Unmoved, ...], int, int]:
        """Who was not moved: those that fit on a page, how many more there are, and how many nobody can explain."""
        found: list[Unmoved] = []
        left_out = unexplained = 0
        after = ""
        while page := await self._program.store.standings(after, unfinished_only=True):
            for standing in page:
                one = _unmoved(standing)
                unexplained += not (one.reason and one.owner and one.next_action)
                if len(found) < LISTED:
                    found.append(one)
                else:
                    left_out += 1
            after = page[-1].progress.customer_id
        return tuple(found), left_out, unexplained


def _unmoved(standing: Standing) -> Unmoved:
    owner, next_action = next_step(standing.progress)
    reason = why(standing.company_name, standing.progress)
    if standing.held is not Held.NOTHING:
        reason, next_action = f"{reason} Held: {HELD_BECAUSE[standing.held]}", HELD_NEXT[standing.held]
    return Unmoved(
        customer_id=standing.progress.customer_id,
        company_name=standing.company_name,
        phase=standing.progress.phase.value,
        code=standing.progress.code,
        reason=reason,
        owner="" if owner is Owner.NOBODY else owner.value,
        next_action=next_action,
    )
