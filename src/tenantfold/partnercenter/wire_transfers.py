"""Transfers on the wire (partnercenter room, wire). Commerce reference 4.1; the accept body is inferred there."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Raw

from tenantfold.domain.model import CustomerId, OrderId, SubscriptionId, TenantId
from tenantfold.domain.requests import Transfer, TransferId, TransferLine, TransferState, TransferWish
from tenantfold.partnercenter.wire import Wire, decode, encode, lower_guid, lower_id, parse_time

NEW_COMMERCE = 5  # both 3 and 5 are accepted for new commerce and Azure; 5 is the newer text
_STATES = {
    "pending": TransferState.PENDING,
    "active": TransferState.PENDING,
    "inprogress": TransferState.IN_PROGRESS,
    "complete": TransferState.COMPLETE,
    "completed": TransferState.COMPLETE,
    "partiallycomplete": TransferState.PARTIAL,
    "failed": TransferState.FAILED,
    "reject": TransferState.REJECTED,
    "rejected": TransferState.REJECTED,
    "cancel": TransferState.CANCELED,
    "canceled": TransferState.CANCELED,
    "cancelled": TransferState.CANCELED,
    "deleted": TransferState.CANCELED,
    "expired": TransferState.EXPIRED,
}


class TransferFault(Wire):
    """Why a line did not move."""

    code: str | int | None = None
    description: str | None = None


class TransferLineItem(Wire):
    """One line of a transfer as it is answered."""

    subscription_id: str | None = None
    source_subscription_id: str | None = None
    target_subscription_id: str | None = None
    order_id: str | None = None
    status: str | None = None
    transfer_error: TransferFault | None = None


class TransferEntity(Wire):
    """A transfer as one of its sides sees it."""

    id: str
    status: str | int | None = None
    created_time: str | None = None
    last_modified_time: str | None = None
    completed_time: str | None = None
    expiration_time: str | None = None
    source_partner_tenant_id: str | None = None
    target_partner_tenant_id: str | None = None
    partner_tenant_id: str | None = None
    target_product_types: list[str] | None = None
    partner_on_record: str | None = None
    line_items: list[TransferLineItem] | None = None


class NewTransfer(Wire, omit_defaults=True):
    """The body of a request; the target is the caller."""

    transfer_type: int
    source_partner_tenant_id: str
    source_partner_name: str
    customer_email_id: str
    customer_name: str
    target_partner_tenant_id: str
    target_product_types: list[str]
    partner_on_record: str = ""


class ChosenLine(Wire):
    """One item the source gives."""

    subscription_id: str


class TransferChange(Wire, omit_defaults=True):
    """The body of a submission or a cancellation."""

    id: str
    status: str
    source_partner_tenant_id: str
    target_partner_tenant_id: str
    line_items: list[ChosenLine] | None = None


def read_transfer(document: bytes | Raw, customer_id: CustomerId) -> Transfer:
    """A transfer; a status word nobody knows is kept and taken as still under way (invariant 9)."""
    item = decode(document, TransferEntity)
    status = str(item.status or "")
    return Transfer(
        id=TransferId(lower_id(item.id)),
        customer_id=customer_id,
        source_id=TenantId(lower_id(item.source_partner_tenant_id)),
        target_id=TenantId(lower_id(item.target_partner_tenant_id or item.partner_tenant_id)),
        status=status,
        state=_STATES.get(status.replace("_", "").replace(" ", "").lower(), TransferState.UNKNOWN),
        created_at=parse_time(item.created_time),
        expires_at=parse_time(item.expiration_time),
        completed_at=parse_time(item.completed_time),
        changed_at=parse_time(item.last_modified_time),
        product_types=tuple(item.target_product_types or ()),
        partner_on_record=item.partner_on_record or "",
        lines=tuple(_line(line) for line in item.line_items or ()),
    )


def _line(item: TransferLineItem) -> TransferLine:
    fault = item.transfer_error
    return TransferLine(
        id=SubscriptionId(lower_id(item.source_subscription_id or item.subscription_id)),
        status=item.status or "",
        target_id=SubscriptionId(lower_id(item.target_subscription_id)) if item.target_subscription_id else None,
        order_id=OrderId(lower_guid(item.order_id)) if item.order_id else None,
        error=f"{fault.code or ''} {fault.description or ''}".strip() if fault else "",
    )


def request_body(wish: TransferWish, target_id: TenantId) -> bytes:
    """What the target asks for; no lines: the source chooses them."""
    return encode(
        NewTransfer(
            transfer_type=NEW_COMMERCE,
            source_partner_tenant_id=wish.source_id,
            source_partner_name=wish.source_name,
            customer_email_id=wish.customer_email,
            customer_name=wish.customer_name,
            target_partner_tenant_id=target_id,
            target_product_types=[one.value for one in wish.product_types],
            partner_on_record=wish.partner_on_record,
        )
    )


def submission_body(transfer: Transfer, items: Sequence[SubscriptionId]) -> bytes:
    """Accept with these items: the same ids, the next status, the lines."""
    return _change(transfer, "InProgress", [ChosenLine(subscription_id=one) for one in items])


def cancellation_body(transfer: Transfer) -> bytes:
    """Take a pending request back."""
    return _change(transfer, "Cancel", None)


def _change(transfer: Transfer, status: str, lines: list[ChosenLine] | None) -> bytes:
    return encode(
        TransferChange(
            id=transfer.id,
            status=status,
            source_partner_tenant_id=transfer.source_id,
            target_partner_tenant_id=transfer.target_id,
            line_items=lines,
        )
    )
