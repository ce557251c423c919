"""The states of a customer and how they follow from facts. Reading order 2.

A customer's state is computed from its plan, journal and reads, never decided by hand (ADR 0005). The computed
phase is stored on the progress row only so that counters and "who is due" are one indexed query.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from tenantfold.domain.model import CustomerId, OrderId, SubscriptionId


class Phase(StrEnum):
    """How far a customer is. The order is the order of the job."""

    PLANNED = "planned"
    INVITED = "invited"
    ACCEPTED = "accepted"
    CUTTING_OVER = "cutting_over"
    VERIFIED = "verified"
    TRANSFERRING = "transferring"
    HANDED_OFF = "handed_off"
    RUNNING_OUT = "running_out"
    BY_HAND = "by_hand"
    MOVED = "moved"
    BLOCKED = "blocked"
    NOTHING_TO_MOVE = "nothing_to_move"
    STALE = "stale"
    DRIFTED = "drifted"
    STRANDED = "stranded"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen without a new plan."""
        return self in {Phase.MOVED, Phase.NOTHING_TO_MOVE}

    @property
    def has_begun(self) -> bool:
        """Whether a target stands (perhaps since before), Microsoft moves it, or its term ends: no hold keeps it."""
        return self in {
            Phase.CUTTING_OVER,
            Phase.VERIFIED,
            Phase.TRANSFERRING,
            Phase.HANDED_OFF,
            Phase.RUNNING_OUT,
            Phase.DRIFTED,
            Phase.STRANDED,
        }


class Owner(StrEnum):
    """Who must act next."""

    NOBODY = "nobody"
    TENANTFOLD = "tenantfold"
    OPERATIONS = "operations"
    APPROVER = "approver"
    CUSTOMER = "customer"
    MICROSOFT = "microsoft"


class Origin(StrEnum):
    """How a target subscription became the counterpart of a source subscription.

    ``merged``: what it held went into one the target has already (an Azure plan), so ``target_id`` is None.
    """

    CREATED = "created"
    ADOPTED = "adopted"
    TRANSFERRED = "transferred"
    MERGED = "merged"
    REBOUGHT = "rebought"
    BY_HAND = "by_hand"

    @property
    def is_cutover(self) -> bool:
        """Whether it stands beside a source that is suspended in the end: the route ``recreate``."""
        return self in {Origin.CREATED, Origin.ADOPTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterpart:
    """Which target subscription stands for which source subscription, and how far its cutover is.

    ``target_id`` is None while an order was answered without a subscription id (commerce reference 0.7). What moved
    another way than by ``recreate`` is done when it is verified: nothing is suspended.
    ``cutover_on`` is the UTC day the target subscription was created (or reactivated) by us (None when adopted).
    ``withdrawn_at``: a late cutover was taken back; the target is suspended until it is reactivated on another day.
    """

    source_id: SubscriptionId
    target_id: SubscriptionId | None
    order_id: OrderId
    origin: Origin
    cutover_on: date | None = None
    verified_at: datetime | None = None
    suspended_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be done for the source subscription."""
        return (self.suspended_at if self.origin.is_cutover else self.verified_at) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The row of one customer: phase, why it is there, who acts next, when it is due. ``version`` guards writes.

    ``deadline_at`` is the end of the UTC day of an open cutover, ``alarmed_at`` when it was found late.
    """

    customer_id: CustomerId
    phase: Phase
    code: str = ""
    detail: str = ""
    owner: Owner = Owner.TENANTFOLD
    next_action: str = ""
    accepted_at: datetime | None = None
    due_at: datetime | None = None
    deadline_at: datetime | None = None
    alarmed_at: datetime | None = None
    version: int = 0
