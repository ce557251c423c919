"""Intents and outcomes: the two journal rows of every write to Microsoft (DESIGN 7, invariant 6).

The key of an intent is derived, never random: the same wish has the same key on every machine and after every
crash, and the request id Microsoft sees is derived from the key, so a resend is recognizable on both sides.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import NAMESPACE_OID, UUID, uuid5

from tenantfold.domain.model import (
    AgreementContact,
    CustomerId,
    OrderId,
    OrderLine,
    PlacedLine,
    SubscriptionId,
    TenantId,
)
from tenantfold.domain.requests import ServiceRequestWish, TransferWish


class OpKind(StrEnum):
    """The writes we make at Microsoft."""

    ATTEST_AGREEMENT = "attest_agreement"
    PLACE_ORDER = "place_order"
    BUY_ADD_ONS = "buy_add_ons"
    SUSPEND = "suspend"
    WITHDRAW = "withdraw"
    REACTIVATE = "reactivate"
    REQUEST_TRANSFER = "request_transfer"
    SUBMIT_TRANSFER = "submit_transfer"
    CANCEL_TRANSFER = "cancel_transfer"
    BUY_AZURE_PLAN = "buy_azure_plan"
    CANCEL_AZURE_DEFAULT = "cancel_azure_default"
    OPEN_SERVICE_REQUEST = "open_service_request"
    STOP_RENEWAL = "stop_renewal"
    BUY_AGAIN = "buy_again"

    @property
    def may_repeat(self) -> bool:
        """Whether the same wish may come true more than once: a cutover can be withdrawn on several days."""
        return self in _REPEATED

    @property
    def creates(self) -> bool:
        """Whether the same call made twice leaves two of what it makes."""
        return self in _CREATING

    @property
    def is_cutover(self) -> bool:
        """Whether it is a write of the route ``recreate``, which must end on its own UTC day (invariant 3)."""
        return self in _CUTOVER


_CUTOVER = frozenset(
    {
        OpKind.ATTEST_AGREEMENT,
        OpKind.PLACE_ORDER,
        OpKind.BUY_ADD_ONS,
        OpKind.SUSPEND,
        OpKind.WITHDRAW,
        OpKind.REACTIVATE,
    }
)
_REPEATED = frozenset(
    {
        OpKind.WITHDRAW,
        OpKind.REACTIVATE,
        OpKind.REQUEST_TRANSFER,
        OpKind.SUBMIT_TRANSFER,
        OpKind.CANCEL_TRANSFER,
        OpKind.OPEN_SERVICE_REQUEST,
        OpKind.STOP_RENEWAL,
    }
)
_CREATING = frozenset({OpKind.PLACE_ORDER, OpKind.BUY_ADD_ONS, OpKind.BUY_AZURE_PLAN, OpKind.BUY_AGAIN})


class OutcomeKind(StrEnum):
    """How a write ended: done by our call, found done when we looked, or refused without effect."""

    DONE = "done"
    ADOPTED = "adopted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A write we are about to make. Committed before the call leaves.

    ``subjects`` are the source subscriptions it is for; ``baseline`` the ids of the customer's target subscriptions
    seen just before, so that what the call creates can be told from what was there.
    ``generation`` counts earlier attempts that ended in FAILED (and, for what may repeat, those that came true).
    ``target_id`` is the target subscription to withdraw or reactivate.
    ``reference`` is the id of what is acted on: a transfer, an Azure plan. ``entries`` are the things it names beside
    ``subjects``: the items of a transfer, a default Azure subscription. ``transfer``, ``service_request``: what is
    asked for.
    ``sent_as``: an order that is sent again is an intent of its own; this is the key of the one it was first sent as.
    """

    key: str
    plan_id: int
    customer_id: CustomerId
    tenant_id: TenantId
    kind: OpKind
    at: datetime
    subjects: tuple[SubscriptionId, ...] = ()
    generation: int = 0
    baseline: tuple[SubscriptionId, ...] = ()
    billing_cycle: str = ""
    order_id: OrderId | None = None
    lines: tuple[OrderLine, ...] = ()
    contact: AgreementContact | None = None
    target_id: SubscriptionId | None = None
    sent_as: str = ""
    reference: str = ""
    entries: tuple[SubscriptionId, ...] = ()
    transfer: TransferWish | None = None
    service_request: ServiceRequestWish | None = None

    @property
    def request_id(self) -> UUID:
        """The MS-RequestId of the call and of every resend of it."""
        return uuid5(NAMESPACE_OID, self.sent_as or self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an intent ended. An intent without one is stranded. ``reference``: the id of what came of it."""

    intent_key: str
    kind: OutcomeKind
    at: datetime
    order_id: OrderId | None = None
    lines: tuple[PlacedLine, ...] = ()
    code: str = ""
    detail: str = ""
    reference: str = ""


def intent_key(
    consolidation: str, customer_id: CustomerId, kind: OpKind, subjects: tuple[SubscriptionId, ...], generation: int
) -> str:
    """Derive the key of a wish: same consolidation, customer, action, subjects and generation give the same key."""
    parts = "\x1f".join((consolidation, customer_id, kind.value, *sorted(subjects), str(generation)))
    return hashlib.sha256(parts.encode()).hexdigest()[:40]
