"""Reading the lines of a transfer (model room): which thing is meant, and may it move at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from partner_center_emulator.azure import models as azure
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.products.availability import find_product, find_sku
from partner_center_emulator.state.azure import Benefit, Entitlement
from partner_center_emulator.state.transfers import Transfer, TransferLine
from partner_center_emulator.transfers.placing import is_new_commerce
from partner_center_emulator.wire import Json, field, text_field
from partner_center_emulator.world import Subscription, World

LIMIT = 25  # items in one transfer
FINAL = frozenset({"Complete", "Completed", "PartiallyComplete", "Failed", "Reject", "Cancel", "Expired"})
_UNDER_WAY = frozenset({"InProgress", "Active"})

PRODUCT_TYPES = ("AzureSubscription", "AzureReservation", "AzureSavingsPlan", "OnlineServicesNCE", "Software", "SaaS")


def read_lines(members: Mapping[str, object]) -> list[Json]:
    """Return the line items of a body; raises 400 code 2000 if there are none, or they are no objects."""
    raw = field(members, "lineItems")
    if not isinstance(raw, list) or not raw or not all(isinstance(line, dict) for line in raw):
        raise refusal(2000, "The lineItems must be a list of at least one object.")
    return cast("list[Json]", raw)


def modern_lines(emulator: Emulator, transfer: Transfer, raw_lines: list[Json]) -> list[TransferLine]:
    """Return the lines that the source selects; one bad line refuses them all (R-167).

    Raises 400 with 2000, 800078, 900132 to 900134, 900145 or 900146, 403 with 900139, 409 with 900104.
    """
    if len(raw_lines) > LIMIT:
        raise refusal(2000, f"A transfer takes at most {LIMIT} line items.")
    lines: list[TransferLine] = []
    for number, raw in enumerate(raw_lines):
        subject_id = (text_field(raw, "subscriptionId") or text_field(raw, "entitlementId")).lower()
        if any(line.subject_id == subject_id for line in lines):
            raise refusal(2000, f"The item {subject_id} is listed twice.")
        lines.append(_modern_line(emulator, transfer, number, subject_id))
    if any(line.kind != "subscription" for line in lines):
        check_plan(emulator, transfer.target_tenant_id, transfer.customer_id, named=bool(transfer.product_types))
    return lines


def check_plan(emulator: Emulator, tenant_id: str, customer_id: str, *, named: bool) -> None:
    """Raise unless the target may take Azure items (R-164).

    400 code 900131 while it has legacy Azure itself, 900133 without a plan, 900132 for an inactive one. If Azure was
    not asked for by name (``named`` false), a missing plan is 403 code 900139 instead.
    """
    rows = emulator.derived(CommerceIndex).subscriptions_of(tenant_id, customer_id)
    if any(row.offer_id == azure.LEGACY_OFFER and row.status == "active" for row in rows):
        raise refusal(900131)
    plan = azure.plan_of(emulator, tenant_id, customer_id)
    if plan is None:
        raise refusal(900133 if named else 900139)
    if plan.status != "active":
        raise refusal(900132)


def is_busy(world: World, subject_id: str, *, besides: str = "") -> bool:
    """Whether another transfer that is under way has the thing among its lines."""
    return any(
        transfer.status in _UNDER_WAY
        and transfer.id != besides
        and any(subject_id in ids_of(line) for line in transfer.lines)
        for transfer in world.transfers.transfers.values()
    )


def ids_of(line: TransferLine) -> set[str]:
    """Return the ids of everything that moves with a line."""
    return {line.subject_id, *(add_on.subject_id for add_on in line.add_on_lines)}


def line_of(subscription: Subscription, number: int) -> TransferLine:
    """Return a line for a subscription as it is now."""
    return TransferLine(
        id=number,
        subject_id=subscription.id,
        kind="legacy_azure" if subscription.offer_id == azure.LEGACY_OFFER else "subscription",
        offer_id=subscription.offer_id,
        friendly_name=subscription.friendly_name,
        quantity=subscription.quantity,
        billing_cycle=subscription.billing_cycle,
        entitlement_id=subscription.entitlement_id,
        partner_id_on_record=subscription.partner_id_on_record,
    )


def _modern_line(emulator: Emulator, transfer: Transfer, number: int, subject_id: str) -> TransferLine:
    world = emulator.world
    owner = (transfer.source_tenant_id, transfer.customer_id)
    thing: Benefit | Entitlement | Subscription | None = (
        world.azure.benefits.get(subject_id)
        or world.subscriptions.get(subject_id)
        or world.azure.entitlements.get(subject_id)
    )
    if thing is None or (thing.tenant_id, thing.customer_id) != owner:
        raise refusal(800078, subject_id)
    if is_busy(world, subject_id, besides=transfer.id):
        raise refusal(900104, subject_id)
    if isinstance(thing, Benefit):
        return _benefit_line(transfer, number, thing)
    if isinstance(thing, Entitlement):
        return _entitlement_line(transfer, number, thing)
    return _subscription_line(emulator, transfer, number, thing)


def _check_type(transfer: Transfer, product_type: str, subject_id: str) -> None:
    if transfer.product_types and product_type not in transfer.product_types:
        raise refusal(900134, subject_id)


def _benefit_line(transfer: Transfer, number: int, benefit: Benefit) -> TransferLine:
    _check_type(transfer, "AzureReservation" if benefit.kind == "reservation" else "AzureSavingsPlan", benefit.id)
    if benefit.status != "active":
        raise refusal(900145, benefit.id)
    return TransferLine(
        id=number,
        subject_id=benefit.id,
        kind="benefit",
        offer_id=f"{benefit.product_id}:{benefit.sku_id}",
        friendly_name=benefit.name,
        quantity=benefit.quantity,
        billing_cycle="monthly" if benefit.is_monthly else "one_time",
    )


def _entitlement_line(transfer: Transfer, number: int, entitlement: Entitlement) -> TransferLine:
    _check_type(transfer, "AzureSubscription", entitlement.id)
    if entitlement.status != "active" or entitlement.inactive_at is not None:
        raise refusal(800078, entitlement.id)
    if entitlement.has_marketplace_items:
        raise refusal(900146, entitlement.id)
    return TransferLine(
        id=number,
        subject_id=entitlement.id,
        kind="entitlement",
        offer_id=azure.PLAN_OFFER,
        friendly_name=entitlement.friendly_name,
        quantity=1,
        billing_cycle="one_time",
        entitlement_id=entitlement.id,
    )


def _subscription_line(emulator: Emulator, transfer: Transfer, number: int, row: Subscription) -> TransferLine:
    terms = emulator.world.commerce.terms.get(row.id)
    if row.moved_to or row.status != "active":
        raise refusal(800078, row.id)
    if row.offer_id == azure.LEGACY_OFFER:
        _check_type(transfer, "AzureSubscription", row.id)
        entitlement = emulator.world.azure.entitlements.get(row.entitlement_id or "")
        if entitlement is not None and entitlement.has_marketplace_items:
            raise refusal(900146, row.id)
        return line_of(row, number)
    # the plan itself stays; what moves are the Azure subscriptions under it. Legacy licenses have another way.
    if azure.is_plan(row) or not is_new_commerce(emulator, row):
        raise refusal(800078, row.id)
    product_type = terms.product_type if terms is not None else "OnlineServicesNCE"
    if product_type != "OnlineServicesNCE":
        raise refusal(900134, row.id)  # software and perpetual licenses are not covered
    if terms is not None and not find_sku(find_product(emulator, terms.product_id), terms.sku_id).is_transferable:
        raise refusal(900134, row.id)
    _check_type(transfer, product_type, row.id)
    return line_of(row, number)
