"""How the wire shows a transfer (wire room, commerce 4.1, 4.2)."""

from __future__ import annotations

from partner_center_emulator.state.transfers import Transfer, TransferLine
from partner_center_emulator.transfers.legacy import faults
from partner_center_emulator.wire import Json, attributes, self_link, wire_time, without_nulls

INCOMING, OUTGOING = 1, 2


def wire_transfer(transfer: Transfer, viewer_id: str) -> Json:
    """Return a TransferEntity; the target of a new-commerce transfer sees its lines when it is over, not before."""
    is_target = viewer_id == transfer.target_tenant_id
    hidden = not transfer.is_legacy and is_target and transfer.completed_at is None
    legacy_only = {"partnertenantid": transfer.target_tenant_id} if transfer.is_legacy else {}
    return without_nulls(
        {
            "id": transfer.id,
            "status": transfer.status,
            "transferType": None if transfer.is_legacy else transfer.transfer_type,
            "createdTime": wire_time(transfer.created_at),
            "lastModifiedTime": wire_time(transfer.modified_at),
            "completedTime": wire_time(transfer.completed_at) if transfer.completed_at else None,
            "expirationTime": wire_time(transfer.expires_at) if transfer.expires_at else None,
            "customerTenantId": transfer.customer_id,
            **legacy_only,
            **({} if transfer.is_legacy else _modern_members(transfer, is_target=is_target)),
            "sourcePartnerName": transfer.source_name,
            "sourcePartnerTenantId": transfer.source_tenant_id,
            "targetPartnerName": transfer.target_name,
            "targetPartnerTenantId": transfer.target_tenant_id,
            "lastModifiedUser": transfer.last_modified_user,
            "lineItems": [] if hidden else [_wire_line(transfer, line) for line in transfer.lines],
            "links": self_link(f"/customers/{transfer.customer_id}/transfers/{transfer.id}"),
            "attributes": attributes("TransferEntity"),
        }
    )


def wire_result(transfer: Transfer, orders: list[Json]) -> Json:
    """Return the TransferSubmitResult of an accepted legacy transfer."""
    errors = [
        {
            "transferGroupId": str(line.id),
            "lineItems": [_wire_line(transfer, line)],
            "code": fault.code,
            "description": fault.description,
            "attributes": attributes("TransferError"),
        }
        for line, fault in faults(transfer)
    ]
    return {"orders": orders, "transferErrors": errors, "attributes": attributes("TransferSubmitResult")}


def _modern_members(transfer: Transfer, *, is_target: bool) -> Json:
    return {
        "customerEmailId": transfer.customer_email,
        "customerName": transfer.customer_name,
        "partnerTenantId": transfer.target_tenant_id,
        "targetPartnerEmailId": transfer.target_email or None,
        "targetProductTypes": transfer.product_types,
        "partnerOnRecord": transfer.partner_on_record,
        "transferDirection": INCOMING if is_target else OUTGOING,
        "ignoreEligibilityCheck": False,
    }


def _wire_line(transfer: Transfer, line: TransferLine) -> Json:
    upper = transfer.is_legacy
    fault = line.fault
    return without_nulls(
        {
            "id": line.id,
            "subscriptionId": line.subject_id.upper() if upper else line.subject_id,
            "entitlementId": _entitlement(transfer, line),
            "offerId": line.offer_id,
            "billingCycle": line.billing_cycle,
            "friendlyName": line.friendly_name,
            "quantity": line.quantity,
            "partnerIdOnRecord": line.partner_id_on_record or "",
            "transferGroupId": str(line.id),
            "sourceSubscriptionId": line.subject_id.upper() if upper else line.subject_id,
            "targetSubscriptionId": line.new_subscription_id,
            "orderId": line.order_id,
            "status": line.status or None,
            "transferError": {"code": fault.code, "description": fault.description} if fault else None,
            "addonItems": [_wire_line(transfer, add_on) for add_on in line.add_on_lines],
        }
    )


def _entitlement(transfer: Transfer, line: TransferLine) -> str | None:
    if line.entitlement_id:
        return line.entitlement_id
    # the published answer to an acceptance gives licenses their own id as entitlement
    return line.subject_id.upper() if transfer.is_legacy and line.status else None
