"""Behaviour of legacy subscriptions (model room): reading, the PATCH of a whole object, suspension of base and add-ons.

Every change goes through ``changes.change``, which raises the version (and with it the etag) and writes the truth
ledger. The rules are those of commerce reference 3.3 and 3.4, legacy column.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from partner_center_emulator import pace
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.orders.reading import read_cycle
from partner_center_emulator.state.behaviour import Waiting
from partner_center_emulator.subscriptions import lapse, new_commerce
from partner_center_emulator.subscriptions.changes import change
from partner_center_emulator.subscriptions.etags import check_etag
from partner_center_emulator.wire import field, text_field
from partner_center_emulator.world import Subscription, World

# Commerce 3.3: the wire's reader also takes the number of the enum's member.
_STATUS_BY_NUMBER = ("none", "active", "suspended", "deleted", "expired", "pending", "disabled")
_ENDED = frozenset({"expired", "disabled"})
_LEGAL = frozenset({("active", "suspended"), ("suspended", "active")})

rearm = new_commerce.rearm


class Wish(msgspec.Struct, kw_only=True):
    """What a PATCH asks for, after reading: a full object, so members that are left out have a meaning of their own."""

    status: str
    quantity: int
    friendly_name: str
    auto_renew: bool
    partner_id_on_record: str | None


@pace.on_done(pace.SUBSCRIPTION_STATUS)
def _become_active(emulator: Emulator, waiting: Waiting) -> None:
    subscription = emulator.world.subscriptions[waiting.subject_id]
    if subscription.status == "pending":
        change(emulator, subscription, "", status="active")


def find_subscription(world: World, tenant_id: str, customer_id: str, subscription_id: str) -> Subscription:
    """Return a subscription of this partner tenant and customer; raises 404 code 20003."""
    found = world.subscriptions.get(subscription_id.lower())
    if found is None or found.tenant_id != tenant_id or found.customer_id != customer_id or found.moved_to:
        raise refusal(20003, subscription_id)
    return found


def list_subscriptions(
    emulator: Emulator, tenant_id: str, customer_id: str, *, order_id: str = "", partner_id: str = ""
) -> list[Subscription]:
    """Return all subscriptions in every state, oldest first; only those of an order or a reseller if asked (3.1)."""
    order = order_id.lower()
    return [
        found
        for found in emulator.derived(CommerceIndex).subscriptions_of(tenant_id, customer_id)
        if not found.moved_to
        and (not order or found.order_id == order)
        and (not partner_id or found.partner_id_on_record == partner_id)
    ]


def list_add_ons(emulator: Emulator, base: Subscription) -> list[Subscription]:
    """Return the add-ons of a base subscription in every state, oldest first."""
    return list(emulator.derived(CommerceIndex).add_ons_of(base.id))


def patch_subscription(
    emulator: Emulator,
    subscription: Subscription,
    members: Mapping[str, object],
    headers: Mapping[str, str],
    request_id: str,
) -> None:
    """Apply a PATCH with the whole object (commerce 3.4); changes nothing if any part of it is refused.

    Raises 400 with 2000, 2001, 2002, 2011, 2054, 2055 or 800040, and 409 with 27009 or 800082.
    """
    if subscription.status == "deleted":
        raise refusal(2011)
    check_etag(members, headers, subscription.id, subscription.version)
    wish = _read_wish(subscription, members)
    _check_billing_cycle(subscription, members)
    _check_status(emulator.world, subscription, wish)
    _check_quantity(emulator.world, subscription, wish)
    _apply(emulator, subscription, request_id, msgspec.structs.asdict(wish))
    if wish.status == "suspended":
        _suspend_add_ons(emulator, subscription, request_id)


def change_in_portal(emulator: Emulator, subscription_id: str, changes: Mapping[str, object]) -> Subscription:
    """Change a subscription behind the client's back, as somebody in the portal would, and return it.

    ``changes`` may hold quantity, status, friendly_name, auto_renew, partner_id_on_record; nothing is checked against
    the offer, so odd states can be made on purpose. Raises KeyError for an unknown subscription, ValueError for an
    unknown member or a wrong type.
    """
    subscription = emulator.world.subscriptions[subscription_id.lower()]
    allowed = {name: type_ for name, type_ in _PORTAL_TYPES.items() if name in changes}
    unknown = sorted(set(changes) - set(allowed))
    if unknown:
        raise ValueError(f"A subscription has no member {unknown[0]} that the portal could change.")
    for name, types in allowed.items():
        if not isinstance(changes[name], types) or (types is int and isinstance(changes[name], bool)):
            raise ValueError(f"The member {name} has the wrong type.")
    _apply(emulator, subscription, "", changes)
    if changes.get("status") == "suspended":
        _suspend_add_ons(emulator, subscription, "")
    return subscription


_PORTAL_TYPES: dict[str, type] = {
    "quantity": int,
    "status": str,
    "friendly_name": str,
    "auto_renew": bool,
    "partner_id_on_record": str,
}


def _apply(emulator: Emulator, subscription: Subscription, request_id: str, wanted: Mapping[str, object]) -> None:
    if change(emulator, subscription, request_id, **wanted) and "status" in wanted:
        lapse.arm(emulator, subscription)


def _suspend_add_ons(emulator: Emulator, base: Subscription, request_id: str) -> None:
    # commerce 3.3: suspending a base takes its add-ons along; reactivating it does not bring them back
    for add_on in emulator.derived(CommerceIndex).add_ons_of(base.id):
        if add_on.status == "active":
            _apply(emulator, add_on, request_id, {"status": "suspended"})


def _read_wish(subscription: Subscription, members: Mapping[str, object]) -> Wish:
    claimed = text_field(members, "id")
    if claimed and claimed.lower() != subscription.id:
        raise refusal(2000, "The id in the body is not the id in the path.")
    partner_id = field(members, "partnerId", field(members, "partnerIdOnRecord"))
    return Wish(
        status=_read_status(field(members, "status"), subscription.status),
        quantity=_read_quantity(field(members, "quantity"), subscription.quantity),
        friendly_name=text_field(members, "friendlyName") or subscription.friendly_name,
        # left out means false: the PATCH is a full replace in disguise (commerce 0, fact 6)
        auto_renew=field(members, "autoRenewEnabled") is True,
        partner_id_on_record=str(partner_id) if partner_id else subscription.partner_id_on_record,
    )


def _read_status(value: object, present: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(_STATUS_BY_NUMBER):
        value = _STATUS_BY_NUMBER[value]
    if value is None or value in ("", "none"):
        return present
    if isinstance(value, str) and (value.lower() in _STATUS_BY_NUMBER or value.lower() == present.lower()):
        return present if value.lower() == present.lower() else value.lower()
    raise refusal(2000, "The status is not one that a subscription can have.")


def _read_quantity(value: object, present: int) -> int:
    if value is None:
        return present
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise refusal(2000, "The quantity must be a whole number.")
    return int(value)


def _check_billing_cycle(subscription: Subscription, members: Mapping[str, object]) -> None:
    sent = field(members, "billingCycle")
    cycle = sent.lower() if isinstance(sent, str) else read_cycle(sent)
    if cycle not in ("", "unknown", subscription.billing_cycle):
        raise refusal(2054)


def _check_status(world: World, subscription: Subscription, wish: Wish) -> None:
    present = subscription.status
    if wish.status == present:
        if present not in ("active", "suspended") and present not in _ENDED:
            raise ApiError(409, 800082, "The subscription is not ready to be changed; try again later.")
        return
    if (present, wish.status) not in _LEGAL:
        raise refusal(800040, wish.status, present)
    if wish.status == "active" and subscription.parent_subscription_id is not None:
        parent = world.subscriptions.get(subscription.parent_subscription_id.lower())
        if parent is None or parent.status != "active":
            raise refusal(27009)


def _check_quantity(world: World, subscription: Subscription, wish: Wish) -> None:
    if wish.quantity == subscription.quantity:
        return
    if "suspended" in (subscription.status, wish.status):
        raise refusal(2001)
    if subscription.status in _ENDED:
        raise refusal(800040, wish.status, subscription.status)
    offer = world.offers.get(subscription.offer_id)
    if offer is not None and not offer.minimum_quantity <= wish.quantity <= offer.maximum_quantity:
        raise refusal(2002, wish.quantity, offer.minimum_quantity, offer.maximum_quantity)
