"""Reading the PATCH of a new-commerce subscription (wire room, commerce 3.4): a full object, any casing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from partner_center_emulator.errors import refusal
from partner_center_emulator.orders.reading import read_cycle, read_day
from partner_center_emulator.state.commerce import NextTerm, SubscriptionTerms
from partner_center_emulator.wire import Json, field, object_field, text_field
from partner_center_emulator.world import Subscription

# Commerce 3.3: the wire's reader also takes the number of the enum's member.
STATUS_BY_NUMBER = ("none", "active", "suspended", "deleted", "expired", "pending", "disabled")
# Ours: the page names the choice for the end of a term but no stored source names the field (commerce 3.7).
END_ACTION = "endOfTermAction"


class NewWish(msgspec.Struct, kw_only=True):
    """What a PATCH asks for; instructions and auto-renew that were left out are reset."""

    status: str
    quantity: int
    friendly_name: str
    auto_renew: bool
    partner_id_on_record: str | None
    billing_cycle: str
    term_duration: str
    next_term: NextTerm | None
    next_charge: NextTerm | None
    end_action: str


def read_new_wish(subscription: Subscription, terms: SubscriptionTerms, members: Mapping[str, object]) -> NewWish:
    """Return what the body asks for; raises 400 code 2000 for members that cannot be read."""
    claimed = text_field(members, "id")
    if claimed and claimed.lower() != subscription.id:
        raise refusal(2000, "The id in the body is not the id in the path.")
    partner_id = text_field(members, "partnerId") or text_field(members, "partnerIdOnRecord")
    return NewWish(
        status=read_status(field(members, "status"), subscription.status),
        quantity=read_seats(field(members, "quantity"), subscription.quantity),
        friendly_name=text_field(members, "friendlyName") or subscription.friendly_name,
        auto_renew=field(members, "autoRenewEnabled") is True,
        partner_id_on_record=partner_id or subscription.partner_id_on_record,
        billing_cycle=read_cycle(field(members, "billingCycle")) or subscription.billing_cycle,
        term_duration=text_field(members, "termDuration").upper() or terms.term_duration,
        next_term=_read_instructions(subscription, terms, members, "scheduledNextTermInstructions"),
        next_charge=_read_instructions(subscription, terms, members, "nextChargeInstructions"),
        end_action=_read_end_action(members, terms.end_action),
    )


def read_status(value: object, present: str) -> str:
    """Return a status by name or number, in lower case; nothing or "none" is the present one."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(STATUS_BY_NUMBER):
        value = STATUS_BY_NUMBER[value]
    if value is None or value in ("", "none"):
        return present
    if isinstance(value, str) and value.lower() in (*STATUS_BY_NUMBER, present.lower()):
        return present if value.lower() == present.lower() else value.lower()
    raise refusal(2000, "The status is not one that a subscription can have.")


def read_seats(value: object, present: int) -> int:
    """Return a number of seats; nothing is the present one."""
    if value is None:
        return present
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise refusal(2000, "The quantity must be a whole number.")
    return int(value)


def _read_instructions(
    subscription: Subscription, terms: SubscriptionTerms, members: Mapping[str, object], name: str
) -> NextTerm | None:
    value = field(members, name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise refusal(2000, f"The member {name} must be an object.")
    product = object_field(cast("Json", value), "product")
    return NextTerm(
        product_id=text_field(product, "productId").upper() or terms.product_id,
        sku_id=text_field(product, "skuId").upper() or terms.sku_id,
        availability_id=text_field(product, "availabilityId").upper(),
        billing_cycle=read_cycle(field(product, "billingCycle")) or subscription.billing_cycle,
        term_duration=text_field(product, "termDuration").upper() or terms.term_duration,
        promotion_id=text_field(product, "promotionId").upper(),
        quantity=read_seats(field(value, "quantity"), subscription.quantity),
        custom_term_end=read_day(value, "customTermEndDate"),
    )


def _read_end_action(members: Mapping[str, object], present: str) -> str:
    value = text_field(members, END_ACTION, present).lower()
    if value not in ("", "cancel", "extend"):
        raise refusal(2000, f"The member {END_ACTION} must be cancel or extend.")
    return value
