"""The PATCH of a new-commerce subscription (model room, commerce 3.3 to 3.5, R-134 to R-144).

The body is a full object in disguise: ``autoRenewEnabled``, ``scheduledNextTermInstructions`` and
``nextChargeInstructions`` that are left out are reset (commerce 0, fact 6). Suspending keeps the bill, switches
auto-renew off and drops schedules (R-135, R-136); cancelling is ``deleted`` and possible inside the window only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from partner_center_emulator.azure import models as azure
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.orders.holdings import Holdings
from partner_center_emulator.products.availability import find_product, find_sku, plan_of
from partner_center_emulator.state.commerce import NextTerm, PendingChange, SubscriptionTerms
from partner_center_emulator.subscriptions import lapse, windows
from partner_center_emulator.subscriptions.months import TERM_MONTHS, midnight_after
from partner_center_emulator.subscriptions.terms import next_charge_date, record_change
from partner_center_emulator.subscriptions.wishes import NewWish, read_new_wish
from partner_center_emulator.world import Subscription

MOST_CHANGES = 1_200
_LEGAL = frozenset({("active", "suspended"), ("suspended", "active"), ("active", "deleted"), ("suspended", "deleted")})


def patch_new(emulator: Emulator, subscription: Subscription, members: Mapping[str, object], request_id: str) -> bool:
    """Apply the PATCH; return False if it was only taken in (202) and takes effect later (``update_seconds``).

    Changes nothing if any part is refused: 400 with 2000, 6001, 800002, 800040, 800090, 800091, 800093, 800096, 900117,
    900213, 900257, 900275, 900279 or 900311; 403 with 800088; 409 with 900278.
    """
    terms = emulator.world.commerce.terms[subscription.id]
    _check_open(subscription, terms)
    wish = read_new_wish(subscription, terms, members)
    check(emulator, subscription, terms, wish)
    seconds = emulator.options.update_seconds
    if seconds > 0:
        due = emulator.clock.now() + timedelta(seconds=seconds)
        terms.pending = PendingChange(due_at=due, request_id=request_id, body=dict(members))
        arm_pending(emulator, subscription)
        return False
    _apply(emulator, subscription, terms, wish, request_id)
    return True


def rearm(emulator: Emulator) -> None:
    """Put the timers of both generations and of changes that still wait on the clock."""
    lapse.rearm(emulator)
    for subscription_id in emulator.world.commerce.terms:
        arm_pending(emulator, emulator.world.subscriptions[subscription_id])


def arm_pending(emulator: Emulator, subscription: Subscription) -> None:
    """Put a change that was answered with 202 on the clock; one that has become impossible is dropped."""
    terms = emulator.world.commerce.terms[subscription.id]
    pending = terms.pending
    if pending is None:
        return

    def apply() -> None:
        if terms.pending is not pending:
            return
        terms.pending = None
        try:
            wish = read_new_wish(subscription, terms, pending.body)
            check(emulator, subscription, terms, wish)
        except ApiError as error:
            emulator.record(
                "subscription.change_failed",
                tenant_id=subscription.tenant_id,
                customer_id=subscription.customer_id,
                subject_id=subscription.id,
                request_id=pending.request_id,
                after={"code": error.code},
            )
            return
        _apply(emulator, subscription, terms, wish, pending.request_id)

    emulator.clock.at(pending.due_at, f"change of {subscription.id}", apply)


def _check_open(subscription: Subscription, terms: SubscriptionTerms) -> None:
    if subscription.status == "deleted":
        raise refusal(900279)
    if subscription.status not in ("active", "suspended"):
        raise refusal(800096, subscription.status)
    if terms.pending is not None:
        raise refusal(900278)
    if terms.changes >= MOST_CHANGES:
        raise refusal(900311)


def check(emulator: Emulator, subscription: Subscription, terms: SubscriptionTerms, wish: NewWish) -> None:
    """Raise the documented error of the first thing in the wish that is not allowed."""
    if wish.status != subscription.status:
        _check_status(emulator, subscription, terms, wish)
    changes_plan = wish.billing_cycle != subscription.billing_cycle or wish.term_duration != terms.term_duration
    edits = wish.quantity != subscription.quantity or changes_plan or wish.next_term != terms.next_term
    if terms.is_extended and (edits or wish.auto_renew):
        raise refusal(800096, "extended")
    if "suspended" in (subscription.status, wish.status) and wish.status != "active":
        if wish.quantity != subscription.quantity or changes_plan:
            raise refusal(800091)
        if subscription.status == "suspended" and wish.auto_renew:
            raise refusal(800091)
    if wish.auto_renew and terms.product_type == "Azure":
        raise refusal(800093)
    if wish.quantity != subscription.quantity:
        _check_quantity(emulator, subscription, terms, wish.quantity)
    if changes_plan:
        _check_plan(emulator, terms, wish)
    if wish.next_term is not None and wish.status == "active":
        _check_next_term(emulator, wish, wish.next_term)


def _check_status(emulator: Emulator, subscription: Subscription, terms: SubscriptionTerms, wish: NewWish) -> None:
    if (subscription.status, wish.status) not in _LEGAL:
        raise refusal(800040, wish.status, subscription.status)
    if azure.is_plan(subscription) and wish.status != "active" and azure.has_active_items(emulator, subscription):
        raise refusal(900115)
    if wish.status == "deleted":
        windows.check_cancel(subscription, terms, emulator.clock.now())


def _check_quantity(emulator: Emulator, subscription: Subscription, terms: SubscriptionTerms, wanted: int) -> None:
    sku = find_sku(find_product(emulator, terms.product_id), terms.sku_id)
    if not sku.minimum_quantity <= wanted <= sku.maximum_quantity:
        raise refusal(900275, wanted, sku.minimum_quantity, sku.maximum_quantity)
    if wanted < subscription.quantity:
        windows.check_fewer_seats(subscription, terms, wanted, emulator.clock.now())
        return
    if not sku.is_pooled:
        return
    key = f"{terms.product_id}:{terms.sku_id}"
    customer = emulator.world.customers[subscription.customer_id]
    left = sku.maximum_quantity - Holdings(emulator, customer).seats(key)
    if wanted - subscription.quantity > left:
        raise refusal(800088, key, max(0, left))


def _check_plan(emulator: Emulator, terms: SubscriptionTerms, wish: NewWish) -> None:
    sku = find_sku(find_product(emulator, terms.product_id), terms.sku_id)
    if plan_of(sku, wish.term_duration, wish.billing_cycle) is None:
        raise refusal(6001, f"{terms.product_id}:{terms.sku_id}", wish.billing_cycle)
    if TERM_MONTHS.get(wish.term_duration, 0) < TERM_MONTHS.get(terms.term_duration, 0):
        raise refusal(800002, "a running term cannot become shorter; schedule it for the next term.")


def _check_next_term(emulator: Emulator, wish: NewWish, next_term: NextTerm) -> None:
    # commerce 3.4: a schedule needs auto-renew; the number is not published
    if not wish.auto_renew:
        raise refusal(800002, "scheduledNextTermInstructions need autoRenewEnabled.")
    sku = find_sku(find_product(emulator, next_term.product_id), next_term.sku_id)
    if plan_of(sku, next_term.term_duration, next_term.billing_cycle) is None:
        raise refusal(6001, f"{next_term.product_id}:{next_term.sku_id}", next_term.billing_cycle)
    if not sku.minimum_quantity <= next_term.quantity <= sku.maximum_quantity:
        raise refusal(900275, next_term.quantity, sku.minimum_quantity, sku.maximum_quantity)


def _apply(
    emulator: Emulator, subscription: Subscription, terms: SubscriptionTerms, wish: NewWish, request_id: str
) -> None:
    now, before = emulator.clock.now(), msgspec.structs.replace(terms)
    more = wish.quantity - subscription.quantity
    terms.next_term, terms.next_charge = wish.next_term, wish.next_charge
    terms.end_action = wish.end_action
    if more > 0:
        windows.add_batch(terms, more, now)
    elif more < 0:
        windows.take_seats(terms, -more, now)
    if wish.billing_cycle != subscription.billing_cycle or wish.term_duration != terms.term_duration:
        terms.next_charge = _plan_change(terms, wish)
    if more or wish.status != subscription.status:
        terms.next_term = None  # any immediate change drops what was scheduled (commerce 3.4)
    auto_renew = wish.auto_renew and wish.status != "suspended"
    if wish.status == "deleted":
        terms.next_charge, auto_renew = None, False
    _arm_charge(emulator, subscription, terms, before)
    terms.changes += 1
    changed = record_change(
        emulator,
        subscription,
        request_id,
        _charge(wish, more),
        status=wish.status,
        quantity=wish.quantity,
        friendly_name=wish.friendly_name,
        auto_renew=auto_renew,
        partner_id_on_record=wish.partner_id_on_record,
    )
    if not changed and (before.next_term, before.next_charge) != (terms.next_term, terms.next_charge):
        _record_schedule(emulator, subscription, request_id)


def _charge(wish: NewWish, more: int) -> str:
    if wish.status == "deleted":
        return "cancelImmediate"
    return "" if not more else "addQuantity" if more > 0 else "removeQuantity"


def _plan_change(terms: SubscriptionTerms, wish: NewWish) -> NextTerm:
    return NextTerm(
        product_id=terms.product_id,
        sku_id=terms.sku_id,
        billing_cycle=wish.billing_cycle,
        term_duration=wish.term_duration,
        quantity=wish.quantity,
    )


def _arm_charge(
    emulator: Emulator, subscription: Subscription, terms: SubscriptionTerms, before: SubscriptionTerms
) -> None:
    if terms.next_charge is None:
        terms.next_charge_at = None
    elif terms.next_charge != before.next_charge:
        terms.next_charge_at = midnight_after(next_charge_date(emulator, subscription, terms))
        lapse.arm_charge(emulator, subscription)
    else:
        # the same instructions came back with the whole object: the timer knows them by identity
        terms.next_charge = before.next_charge


def _record_schedule(emulator: Emulator, subscription: Subscription, request_id: str) -> None:
    subscription.version += 1
    emulator.record(
        "subscription.scheduled",
        tenant_id=subscription.tenant_id,
        customer_id=subscription.customer_id,
        subject_id=subscription.id,
        request_id=request_id,
        after={"status": subscription.status, "quantity": subscription.quantity},
    )
