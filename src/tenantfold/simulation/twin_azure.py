"""The twin's Azure (simulation room): what is under a plan is not in the inventory; one Azure subscription stands in.

A legacy usage-based subscription has the Azure subscription that its document names.
"""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from partner_center_emulator.azure.models import LEGACY_OFFER, is_plan
from partner_center_emulator.state.azure import Entitlement
from partner_center_emulator.world import Subscription, World

__all__ = ["is_plan", "stand_in"]


def stand_in(world: World, held: Subscription) -> bool:
    """Put the Azure subscription of a plan or of a legacy subscription into the twin; says whether there is one."""
    is_legacy = held.offer_id.upper() == LEGACY_OFFER
    if held.status != "active" or not (is_legacy or is_plan(held)):
        return False
    if is_legacy and held.entitlement_id is None:
        held.entitlement_id = held.id
    entitlement_id = held.entitlement_id or str(uuid5(NAMESPACE_URL, f"twin/{held.id}/azure"))
    world.azure.entitlements[entitlement_id] = Entitlement(
        id=entitlement_id,
        customer_id=held.customer_id,
        tenant_id=held.tenant_id,
        subscription_id=held.id,
        friendly_name=held.friendly_name,
        created_at=held.created_at,
    )
    return True
