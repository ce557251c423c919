"""What the terms of legacy subscriptions do by themselves (time room): deletion after 90 days, renewal at term end.

Commerce 3.3, legacy column: a suspended subscription is deleted after 90 days or at its term end, whichever is first;
an active one renews for twelve months. Term ends are kept per day, so half a million subscriptions cost a few hundred
timers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.subscriptions.changes import change
from partner_center_emulator.world import Subscription, World

SUSPENDED_DAYS = 90


class TermCalendar:
    """Which subscriptions have a term that ends on which day; the day is the last one inside the term."""

    def __init__(self, world: World) -> None:
        self.by_day: dict[date, list[str]] = {}
        for subscription in world.subscriptions.values():
            if subscription.status != "deleted":
                self.by_day.setdefault(subscription.commitment_end, []).append(subscription.id)


def rearm(emulator: Emulator) -> None:
    """Put the timers of every subscription of the present world on the clock."""
    for day in emulator.derived(TermCalendar).by_day:
        emulator.clock.at(_midnight_after(day), f"terms that end on {day}", _ends(emulator, day))
    for subscription in emulator.world.subscriptions.values():
        if subscription.status == "suspended":
            arm(emulator, subscription)


def arm(emulator: Emulator, subscription: Subscription) -> None:
    """Put the deletion of a suspended subscription on the clock; does nothing in other states."""
    if subscription.status != "suspended":
        return
    since = subscription.suspended_at or emulator.world.started_at

    def delete_if_still_suspended() -> None:
        if subscription.status == "suspended" and (subscription.suspended_at or emulator.world.started_at) == since:
            change(emulator, subscription, "", status="deleted")

    due = since + timedelta(days=SUSPENDED_DAYS)
    emulator.clock.at(due, f"90 days suspended: {subscription.id}", delete_if_still_suspended)


def enter_term(emulator: Emulator, subscription: Subscription) -> None:
    """Note the term end of a new or renewed subscription; call it once for each term."""
    day = subscription.commitment_end
    by_day = emulator.derived(TermCalendar).by_day
    if day not in by_day:
        by_day[day] = []
        emulator.clock.at(_midnight_after(day), f"terms that end on {day}", _ends(emulator, day))
    if subscription.id not in by_day[day][-1:]:
        by_day[day].append(subscription.id)


def add_months(day: date, months: int) -> date:
    """Return ``day`` moved by ``months``; the last day of a month stays inside the month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")  # pragma: no cover - calendar arithmetic


def _midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC)


def _ends(emulator: Emulator, day: date) -> Callable[[], None]:
    def end_terms() -> None:
        for subscription_id in emulator.derived(TermCalendar).by_day.pop(day, ()):
            subscription = emulator.world.subscriptions[subscription_id]
            if subscription.commitment_end == day:
                _end_term(emulator, subscription)

    return end_terms


def _end_term(emulator: Emulator, subscription: Subscription) -> None:
    if subscription.status == "suspended":
        change(emulator, subscription, "", status="deleted")
    elif subscription.status == "active" and subscription.auto_renew:
        _renew(emulator, subscription)
    elif subscription.status == "active":
        # not published for legacy: we let it rest suspended, reason Expiration, until the 90 days are over
        change(emulator, subscription, "", status="suspended")
        arm(emulator, subscription)


def _renew(emulator: Emulator, subscription: Subscription) -> None:
    before = subscription.commitment_end
    subscription.commitment_end = add_months(before, 12)
    subscription.version += 1
    emulator.record(
        "subscription.renewed",
        tenant_id=subscription.tenant_id,
        customer_id=subscription.customer_id,
        subject_id=subscription.id,
        before={"commitment_end": before.isoformat()},
        after={"commitment_end": subscription.commitment_end.isoformat()},
    )
    enter_term(emulator, subscription)
