"""Legacy self-serve transfers (model room, commerce reference 4.2, rules I): the source offers, the target accepts.

The lines are frozen when the request is made: a later change of seats is not carried over (R-160).
"""

from __future__ import annotations

import msgspec

from partner_center_emulator.agreements.models import is_confirmed
from partner_center_emulator.azure import models as azure
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.state.transfers import Fault, Transfer, TransferLine
from partner_center_emulator.transfers.carry import active_add_ons, carry
from partner_center_emulator.transfers.lines import is_busy, line_of, read_lines
from partner_center_emulator.transfers.modern import check_parties, record, tell_both
from partner_center_emulator.transfers.placing import is_new_commerce
from partner_center_emulator.wire import Json, text_field
from partner_center_emulator.world import Customer, PartnerTenant, Subscription


class Eligibility(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one subscription may be put into a legacy transfer; ``reason`` is empty if it may."""

    subscription_id: str
    reason: str = ""


def eligibilities(emulator: Emulator, tenant_id: str, customer_id: str) -> list[Eligibility]:
    """Return the verdict on every base subscription of a customer; add-ons follow their base (R-158, R-159)."""
    held = emulator.derived(CommerceIndex).subscriptions_of(tenant_id, customer_id)
    return [
        Eligibility(subscription_id=row.id, reason=_reason(emulator, row))
        for row in held
        if not row.moved_to and not row.parent_subscription_id
    ]


def create(emulator: Emulator, caller: PartnerTenant, customer: Customer, members: Json, user: str) -> Transfer:
    """Offer subscriptions of the calling source to a target, and return the request as Active.

    Raises 400 with 2000, 800078 or 900148, 403 with 900137, 900138 or 900159, 404 with 2072, 409 with 900104.
    """
    target = emulator.world.partner_tenants.get(text_field(members, "targetPartnerTenantId").lower())
    if target is None:
        raise refusal(2000, "The targetPartnerTenantId is not the id of a partner.")
    check_parties(emulator, caller, target, customer, source_may_resell=True)
    now = emulator.clock.now()
    transfer = Transfer(
        id=emulator.next_id("transfer"),
        is_legacy=True,
        transfer_type=1,
        status="Active",
        customer_id=customer.id,
        source_tenant_id=caller.id,
        source_name=caller.company_name,
        target_tenant_id=target.id,
        target_name=target.company_name,
        created_at=now,
        modified_at=now,
        last_modified_user=user,
    )
    for number, raw in enumerate(read_lines(members)):
        transfer.lines.append(_line(emulator, transfer, number, raw))
    emulator.world.transfers.transfers[transfer.id] = transfer
    return transfer


def accept(emulator: Emulator, transfer: Transfer, customer: Customer, request_id: str) -> None:
    """Move every line to the accepting target now; what fails says why, the rest is done.

    Raises 403 code 13605 while the customer's agreement with the target is not confirmed (R-156).
    """
    if not is_confirmed(emulator, transfer.target_tenant_id, customer):
        raise refusal(13605)
    transfer.submitted_at, transfer.submit_request_id = emulator.clock.now(), request_id
    for line in transfer.lines:
        line.fault = carry(emulator, transfer, line)
        line.status = "Complete" if line.fault is None else "Failed"
    done = sum(line.status == "Complete" for line in transfer.lines)
    transfer.status = "Complete" if done == len(transfer.lines) else "PartiallyComplete" if done else "Failed"
    transfer.modified_at = transfer.completed_at = emulator.clock.now()
    record(emulator, transfer, "transfer.ended", request_id)
    tell_both(emulator, transfer)


def faults(transfer: Transfer) -> list[tuple[TransferLine, Fault]]:
    """Return the failed lines with what went wrong."""
    return [(line, line.fault) for line in transfer.lines if line.fault is not None]


def _reason(emulator: Emulator, row: Subscription) -> str:
    if row.status != "active":
        return f"The subscription is in the state {row.status.title()}."
    if azure.is_plan(row) or is_new_commerce(emulator, row):
        return "Subscriptions of this kind cannot be part of this transfer."
    if is_busy(emulator.world, row.id):
        transfer_id = next(
            known.id
            for known in emulator.world.transfers.transfers.values()
            if known.status in ("Active", "InProgress") and any(line.subject_id == row.id for line in known.lines)
        )
        return f"The subscription is already part of the transfer {transfer_id}."
    return ""


def _line(emulator: Emulator, transfer: Transfer, number: int, raw: Json) -> TransferLine:
    world = emulator.world
    subscription_id = text_field(raw, "subscriptionId").lower()
    row = world.subscriptions.get(subscription_id)
    owner = (transfer.source_tenant_id, transfer.customer_id)
    if row is None or (row.tenant_id, row.customer_id) != owner or row.moved_to or row.parent_subscription_id:
        raise refusal(800078, subscription_id)
    if any(line.subject_id == row.id for line in transfer.lines):
        raise refusal(2000, f"The subscription {row.id} is listed twice.")
    if is_busy(world, row.id):
        raise refusal(900104, row.id)
    if _reason(emulator, row):
        raise refusal(800078, row.id)
    line = line_of(row, number)
    partner_id = text_field(raw, "partnerIdOnRecord")
    if partner_id:
        known = {*world.reseller_partner_ids, *(tenant.partner_id for tenant in world.partner_tenants.values())}
        if partner_id not in known:
            raise refusal(2072, partner_id)
        line.partner_id_on_record = partner_id
    line.add_on_lines = [line_of(add_on, place) for place, add_on in enumerate(active_add_ons(emulator, row))]
    for add_on_line in line.add_on_lines:
        add_on_line.partner_id_on_record = line.partner_id_on_record
    return line
