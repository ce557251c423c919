"""What the terms of subscriptions do by themselves (time room): deletion after 90 days, renewal at term end.

Commerce 3.3, legacy column: a suspended subscription is deleted after 90 days or at its term end, whichever is first;
an active one renews for twelve months. Term ends are kept per day, so half a million subscriptions cost a few hundred
timers. The calendar is that of both generations; what a new-commerce term does at its end is in ``terms.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.subscriptions import terms
from partner_center_emulator.subscriptions.changes import change
from partner_center_emulator.subscriptions.months import add_months, midnight_after
from partner_center_emulator.world import Subscription, World

SUSPENDED_DAYS = 90

__all__ = ["SUSPENDED_DAYS", "TermCalendar", "arm", "arm_charge", "enter_term", "rearm"]


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
        emulator.clock.at(midnight_after(day), f"terms that end on {day}", _ends(emulator, day))
    for subscription in emulator.world.subscriptions.values():
        if subscription.status == "suspended":
            arm(emulator, subscription)
    for subscription_id in emulator.world.commerce.terms:
        terms.arm_state(emulator, emulator.world.subscriptions[subscription_id])
        arm_charge(emulator, emulator.world.subscriptions[subscription_id])


def arm(emulator: Emulator, subscription: Subscription) -> None:
    """Put the deletion of a suspended legacy subscription on the clock; does nothing in other states."""
    if subscription.status != "suspended" or subscription.id in emulator.world.commerce.terms:
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
        emulator.clock.at(midnight_after(day), f"terms that end on {day}", _ends(emulator, day))
    if subscription.id not in by_day[day][-1:]:
        by_day[day].append(subscription.id)


def _ends(emulator: Emulator, day: date) -> Callable[[], None]:
    def end_terms() -> None:
        for subscription_id in emulator.derived(TermCalendar).by_day.pop(day, ()):
            subscription = emulator.world.subscriptions[subscription_id]
            if subscription.commitment_end == day:
                _end_term(emulator, subscription)

    return end_terms


def arm_charge(emulator: Emulator, subscription: Subscription) -> None:
    """Put a change of the billing plan of a new-commerce subscription on the clock, for its next charge date."""
    found = emulator.world.commerce.terms[subscription.id]
    wish, due = found.next_charge, found.next_charge_at
    if wish is None or due is None:
        return

    def apply() -> None:
        if terms.change_plan(emulator, subscription, wish):
            enter_term(emulator, subscription)

    emulator.clock.at(due, f"next charge: {subscription.id}", apply)


def _end_term(emulator: Emulator, subscription: Subscription) -> None:
    if subscription.moved_to:
        return  # its term goes on at another partner tenant
    if subscription.id in emulator.world.commerce.terms:
        if terms.end_term(emulator, subscription):
            enter_term(emulator, subscription)
    elif subscription.status == "suspended":
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
