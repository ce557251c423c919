"""Carrying one line of a transfer over to the target (model room): what arrives there and what is left at the source.

New commerce and Azure disappear at the source; legacy licenses stay there as suspended (R-161). The target's copy is
made first, so that no seat is without service at any moment.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from partner_center_emulator.azure import benefits
from partner_center_emulator.azure import models as azure
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.state.transfers import Fault, Transfer, TransferLine
from partner_center_emulator.subscriptions import lapse
from partner_center_emulator.subscriptions.changes import change
from partner_center_emulator.transfers.placing import moved_terms, put_subscription
from partner_center_emulator.world import Subscription


def carry(emulator: Emulator, transfer: Transfer, line: TransferLine) -> Fault | None:
    """Move what the line names; return why it could not be moved now, or None. Does nothing on a failure."""
    line.attempts += 1
    fault = _stumble(emulator, line) or _obstacle(emulator, transfer, line)
    if fault is not None:
        return fault
    if line.kind == "benefit":
        tenant = emulator.world.partner_tenants[transfer.target_tenant_id]
        benefit = emulator.world.azure.benefits[line.subject_id]
        benefits.move_benefit(emulator, benefit, tenant, transfer.submit_request_id)
        line.new_subscription_id = benefit.id
    elif line.kind == "entitlement":
        _carry_entitlement(emulator, transfer, line)
    elif line.kind == "legacy_azure" and not transfer.is_legacy:
        _convert_legacy_azure(emulator, transfer, line)
    else:
        _carry_subscription(emulator, transfer, line)
    return None


def _stumble(emulator: Emulator, line: TransferLine) -> Fault | None:
    stumble = emulator.world.transfers.stumbles.get(line.subject_id)
    if stumble is None or stumble.times <= 0:
        return None
    stumble.times -= 1
    state = "The subscription is not in sync: its SyncState must be SyncComplete before it can change its owner."
    return Fault(code=stumble.code, description=state if stumble.code == 900103 else "The item could not be moved.")  # noqa: PLR2004 - a published code


def _obstacle(emulator: Emulator, transfer: Transfer, line: TransferLine) -> Fault | None:
    """Return why a thing that was fine at submission cannot be moved any more; None if it can."""
    world = emulator.world
    if line.kind == "benefit":
        is_there = world.azure.benefits[line.subject_id].status == "active"
    elif line.kind == "entitlement":
        is_there = world.azure.entitlements[line.subject_id].tenant_id == transfer.source_tenant_id
    else:
        subscription = world.subscriptions[line.subject_id]
        is_there = subscription.status == "active" and not subscription.moved_to
    if not is_there:
        return Fault(code=800078, description="The item is no longer active at the source partner.")
    if not emulator.sees(transfer.target_tenant_id, transfer.customer_id):
        return Fault(code=900159, description="The target partner has no relationship with the customer.")
    if line.kind != "subscription" and not transfer.is_legacy:
        plan = azure.plan_of(emulator, transfer.target_tenant_id, transfer.customer_id)
        if plan is None or plan.status != "active":
            return Fault(code=900132, description="The target partner's Azure plan is not active.")
    return None


def _carry_entitlement(emulator: Emulator, transfer: Transfer, line: TransferLine) -> None:
    entitlement = emulator.world.azure.entitlements[line.subject_id]
    plan = azure.plan_of(emulator, transfer.target_tenant_id, transfer.customer_id)
    if plan is None:  # pragma: no cover - looked at just before
        raise AssertionError("the target has an Azure plan")
    azure.move_entitlement(emulator, entitlement, plan, transfer.submit_request_id)
    line.new_subscription_id, line.order_id = plan.id, plan.order_id


def _convert_legacy_azure(emulator: Emulator, transfer: Transfer, line: TransferLine) -> None:
    # the same transfer turns a MS-AZR-0145P subscription into an Azure subscription under the target's plan
    old = emulator.world.subscriptions[line.subject_id]
    entitlement = emulator.world.azure.entitlements[old.entitlement_id or old.id]
    plan = azure.plan_of(emulator, transfer.target_tenant_id, transfer.customer_id)
    if plan is None:  # pragma: no cover - looked at just before
        raise AssertionError("the target has an Azure plan")
    azure.move_entitlement(emulator, entitlement, plan, transfer.submit_request_id)
    line.new_subscription_id, line.order_id = plan.id, plan.order_id
    _leave(emulator, old, plan.id, transfer.submit_request_id, "deleted")


def _carry_subscription(emulator: Emulator, transfer: Transfer, line: TransferLine) -> None:
    old = emulator.world.subscriptions[line.subject_id]
    request_id = transfer.submit_request_id
    tenant = emulator.world.partner_tenants[transfer.target_tenant_id]
    if line.kind == "legacy_azure":
        new = azure.succeed_legacy(emulator, old, tenant, request_id)
    else:
        new = _copy(emulator, transfer, old, line)
        put_subscription(emulator, new, request_id, moved_terms(emulator, old, tenant), "transfer")
    line.new_subscription_id, line.order_id = new.id, new.order_id
    for add_on in line.add_on_lines:
        _carry_add_on(emulator, transfer, add_on, new)
    stays = transfer.is_legacy and line.kind == "subscription"
    _leave(emulator, old, new.id, request_id, "suspended" if stays else "deleted")


def _carry_add_on(emulator: Emulator, transfer: Transfer, line: TransferLine, base: Subscription) -> None:
    old = emulator.world.subscriptions[line.subject_id]
    new = _copy(emulator, transfer, old, line)
    new.parent_subscription_id = base.id
    put_subscription(emulator, new, transfer.submit_request_id, cause="transfer")
    line.new_subscription_id, line.order_id, line.status = new.id, new.order_id, "Complete"
    _leave(emulator, old, new.id, transfer.submit_request_id, "suspended")


def _copy(emulator: Emulator, transfer: Transfer, old: Subscription, line: TransferLine) -> Subscription:
    """Return the target's subscription: new id and order, same offer, seats, term end, auto-renewal (R-149).

    New commerce only changes its owner, with the seats it holds by then; the legacy tool orders what was requested.
    """
    return msgspec.structs.replace(
        old,
        id=emulator.next_id("subscription"),
        order_id=emulator.next_id("order"),
        tenant_id=transfer.target_tenant_id,
        quantity=line.quantity if transfer.is_legacy else old.quantity,
        created_at=emulator.clock.now(),
        effective_start=emulator.clock.now().date(),  # the target pays from the day of the transfer on
        partner_id_on_record=transfer.partner_on_record or line.partner_id_on_record,
        suspended_at=None,
        version=1,
    )


def _leave(
    emulator: Emulator,
    old: Subscription,
    new_id: str,
    request_id: str,
    status: Literal["deleted", "suspended"],
) -> None:
    """Take the source's subscription out of service: out of sight, or suspended if legacy."""
    if change(emulator, old, request_id, status=status):
        # who pays for which day of the term is decided by the cause
        emulator.world.changes[-1].after["cause"] = "transfer"
    if status == "suspended":
        lapse.arm(emulator, old)
    else:
        old.moved_to = new_id
        terms = emulator.world.commerce.terms.get(old.id)
        if terms is not None:
            terms.state_since, terms.next_term, terms.pending = None, None, None


def active_add_ons(emulator: Emulator, base: Subscription) -> list[Subscription]:
    """Return the active add-ons of a legacy base subscription; they move with it (R-159)."""
    return [row for row in emulator.derived(CommerceIndex).add_ons_of(base.id) if row.status == "active"]
