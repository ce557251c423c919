"""The one way a subscription changes (state room): members, version and ledger entry together."""

from __future__ import annotations

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.world import Subscription


def change(emulator: Emulator, subscription: Subscription, request_id: str, **wanted: object) -> bool:
    """Set members of a subscription, raise its version, write the ledger; return False if nothing was different.

    ``request_id`` is the partner's call, or empty when the clock or the portal did it: the ledger judges by it.
    """
    before = {name: getattr(subscription, name) for name in wanted}
    changed = {name: value for name, value in wanted.items() if before[name] != value}
    if not changed:
        return False
    old: dict[str, object] = {"status": subscription.status, "quantity": subscription.quantity}
    if subscription.suspended_at is not None:
        old["suspended_at"] = subscription.suspended_at.isoformat()  # what it costs until now depends on it
    for name, value in changed.items():
        setattr(subscription, name, value)
    if "status" in changed:
        subscription.suspended_at = emulator.clock.now() if subscription.status == "suspended" else None
    subscription.version += 1
    emulator.record(
        "subscription.changed",
        tenant_id=subscription.tenant_id,
        customer_id=subscription.customer_id,
        subject_id=subscription.id,
        request_id=request_id,
        before={**{name: before[name] for name in changed}, **old},
        after={**changed, "status": subscription.status, "quantity": subscription.quantity},
    )
    return True
