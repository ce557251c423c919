"""What may still be undone (time room): cancellation windows, refunds and seats (commerce 3.5, R-138 to R-142).

Windows count from the instant of purchase or renewal, 168 hours for a license (R-140, S-3), and nothing about them is
stored: whether one is open is worked out from the clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from partner_center_emulator.errors import refusal
from partner_center_emulator.state.commerce import SeatBatch, SubscriptionTerms
from partner_center_emulator.world import Subscription

SEVEN_DAYS = timedelta(hours=168)
_DAY = timedelta(hours=24)


class Refund(msgspec.Struct, frozen=True):
    """One refund option: all of the price, or the unused days, until when."""

    kind: str  # Full or Partial
    until: datetime


def refunds(subscription: Subscription, terms: SubscriptionTerms) -> tuple[Refund, ...]:
    """Return the refund options of the running term, over ones included; the last one's end closes the window."""
    began = terms.term_started_at
    if subscription.is_trial or terms.is_extended:
        return ()
    if terms.product_type == "OnlineServicesNCE":
        return Refund("Full", began + _DAY), Refund("Partial", began + SEVEN_DAYS)
    if terms.product_type == "Software":
        return (Refund("Partial", began + SEVEN_DAYS),)
    if terms.product_type == "SaaS":
        return (Refund("Full", began + (_DAY if terms.term_duration == "P1M" else timedelta(days=14))),)
    return ()


def cancellable_until(subscription: Subscription, terms: SubscriptionTerms) -> datetime | None:
    """Return when the window of the running term closes or has closed; None where there is no window."""
    options = refunds(subscription, terms)
    return options[-1].until if options else None


def check_cancel(subscription: Subscription, terms: SubscriptionTerms, now: datetime) -> None:
    """Raise 400 with 900117 (days) or 900213 (hours) once the window is over.

    Trials, the Azure plan and what is in its Extended Service Term have none: they may be cancelled at any time.
    """
    until = cancellable_until(subscription, terms)
    if until is None or now < until:
        return
    span = until - terms.term_started_at
    raise refusal(900117, span.days) if span > _DAY else refusal(900213, round(span.total_seconds() / 3600))


def refund_share(subscription: Subscription, terms: SubscriptionTerms, now: datetime) -> str:
    """Return "Full", "Partial" or "None": what a cancellation now gives back."""
    for option in refunds(subscription, terms):
        if now < option.until:
            return option.kind
    return "None"


def open_batches(terms: SubscriptionTerms, now: datetime) -> list[SeatBatch]:
    """Return the batches of seats that may still be given back, oldest first."""
    return [batch for batch in terms.batches if now < batch.until and batch.quantity > 0]


def removable_seats(subscription: Subscription, terms: SubscriptionTerms, now: datetime) -> int:
    """Return how many seats may be removed now; only licenses can shrink (R-142), trials and extended ones cannot."""
    if terms.product_type != "OnlineServicesNCE" or subscription.is_trial or terms.is_extended:
        return 0
    return sum(batch.quantity for batch in open_batches(terms, now))


def check_fewer_seats(subscription: Subscription, terms: SubscriptionTerms, wanted: int, now: datetime) -> None:
    """Raise 400 with 800090 where seats can never be removed, 900257 if too many would be (commerce 3.4)."""
    if terms.product_type != "OnlineServicesNCE" or subscription.is_trial:
        raise refusal(800090, wanted)
    removable = removable_seats(subscription, terms, now)
    if subscription.quantity - wanted > removable:
        raise refusal(900257, SEVEN_DAYS.days, removable)


def add_batch(terms: SubscriptionTerms, quantity: int, now: datetime) -> None:
    """Note seats added at ``now``; batches whose window is over are forgotten."""
    terms.batches = [*open_batches(terms, now), SeatBatch(quantity=quantity, added_at=now, until=now + SEVEN_DAYS)]


def take_seats(terms: SubscriptionTerms, quantity: int, now: datetime) -> None:
    """Take seats away, the last added first."""
    left = quantity
    for batch in reversed(terms.batches):
        if now < batch.until:
            taken = min(left, batch.quantity)
            batch.quantity -= taken
            left -= taken
    terms.batches = open_batches(terms, now)
