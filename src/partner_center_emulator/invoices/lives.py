"""From the world to the charging rules (state room): the billing life of a subscription, rebuilt from the record.

The only place of this folder that knows how orders, subscriptions and transfers are kept. What a subscription was
before the world's clock started is taken from its first recorded change, or from how it is now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import cast

from partner_center_emulator.catalog import price_in
from partner_center_emulator.invoices.life import Cause, Life, Step
from partner_center_emulator.invoices.periods import FOR_GOOD, MONTHS_OF_CYCLE
from partner_center_emulator.invoices.software import SoftwareBook, is_stand_in
from partner_center_emulator.state.commerce import SubscriptionTerms
from partner_center_emulator.world import StateChange, Subscription, World

_TOUCHING = frozenset({"subscription.created", "subscription.changed"})
_TERM_MONTHS = {"P1M": 1, "P1Y": 12, "P3Y": 36}


class LifeBook:
    """The lives of all subscriptions; ``refresh`` first, then ask. Reading on is linear in what was recorded since."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read = 0
        self._changes: dict[str, list[StateChange]] = {}
        self._moved_from: dict[str, str] = {}
        self._prices: dict[tuple[str, str], Mapping[str, Decimal]] = {}
        self._software = SoftwareBook(world)

    def refresh(self) -> None:
        """Read what was recorded since the last time."""
        changes = self._world.changes
        for position in range(self._read, len(changes)):
            change = changes[position]
            if change.what in _TOUCHING:
                self._changes.setdefault(change.subject_id, []).append(change)
            elif change.what.startswith("order."):
                self._software.read(change)
        self._read = len(changes)
        self._moved_from = {row.moved_to: row.id for row in self._world.subscriptions.values() if row.moved_to}

    def billed(self) -> Iterator[Subscription]:
        """Yield everything that may cost money: the subscriptions, then perpetual software in their form."""
        yield from self._world.subscriptions.values()
        yield from self._software.bought.values()

    def life(self, subscription: Subscription) -> Life | None:
        """Return the life of one subscription; None for what is not billed by the license (usage, unknown offers)."""
        if subscription.billing_type == "usage" or subscription.is_trial:
            return None
        if is_stand_in(subscription.id):
            return self._software.life(subscription.id)
        terms = self._world.commerce.terms.get(subscription.id)
        prices = self._legacy_prices(subscription) if terms is None else _term_prices(terms)
        if prices is None:
            return None
        return Life(
            subscription_id=subscription.id,
            generation="legacy" if terms is None else "new_commerce",
            anchor=self._anchor(subscription, terms),
            prices=prices,
            steps=tuple(self._steps(subscription, terms)),
            term_months=_TERM_MONTHS.get(terms.term_duration, 12) if terms else 12,
            one_time_months=_TERM_MONTHS.get(terms.term_duration, FOR_GOOD) if terms else FOR_GOOD,
        )

    def is_new_commerce(self, subscription: Subscription) -> bool:
        """Whether a subscription is on the calendar-month invoice."""
        return subscription.id in self._world.commerce.terms or is_stand_in(subscription.id)

    def _anchor(self, subscription: Subscription, terms: SubscriptionTerms | None) -> date:
        if terms is not None:
            return terms.anchor
        source = self._world.subscriptions.get(self._moved_from.get(subscription.id, ""))
        base = self._world.subscriptions.get(subscription.parent_subscription_id or "")
        # an add-on is aligned to its base, what was transferred keeps its days
        return (base or source or subscription).effective_start

    def _legacy_prices(self, subscription: Subscription) -> Mapping[str, Decimal] | None:
        tenant = self._world.partner_tenants[subscription.tenant_id]
        key = (subscription.offer_id, tenant.currency)
        found = self._prices.get(key)
        if found is None:
            offer = self._world.offers.get(subscription.offer_id)
            if offer is None:
                return None
            monthly = price_in(offer, tenant.currency)
            found = self._prices[key] = {cycle: monthly * months for cycle, months in MONTHS_OF_CYCLE.items()}
        return found

    def _steps(self, subscription: Subscription, terms: SubscriptionTerms | None) -> Iterable[Step]:
        changes = self._changes.get(subscription.id, [])
        cycle = _first_cycle(subscription, changes)
        end = _first_end(subscription, changes) if terms else None
        if not changes or changes[0].what != "subscription.created":
            yield from _before_the_record(self._world, subscription, changes, cycle)
        for change in changes:
            after = change.after
            cycle = str(after.get("billing_cycle", cycle))
            end = _day(after, "commitment_end") or end
            is_arrival = change.what == "subscription.created" and subscription.id in self._moved_from
            cause: Cause = "transfer" if is_arrival or after.get("cause") == "transfer" else "change"
            yield Step(
                change.at,
                str(after["status"]),
                cast("int", after["quantity"]),
                cycle,
                cause,
                _price(after, terms),
                _day(after, "anchor"),
                end if terms else None,
                str(after.get("charge", "")),
            )


def _first_cycle(subscription: Subscription, changes: list[StateChange]) -> str:
    for change in changes:
        if "billing_cycle" in change.before:
            return str(change.before["billing_cycle"])
        if "billing_cycle" in change.after:
            return str(change.after["billing_cycle"])
    return subscription.billing_cycle


def _first_end(subscription: Subscription, changes: list[StateChange]) -> date:
    """Return the last day of the term that a subscription began with."""
    for change in changes:
        found = _day(change.before, "commitment_end")
        if found is not None:
            return found
    return subscription.commitment_end


def _before_the_record(
    world: World, subscription: Subscription, changes: list[StateChange], cycle: str
) -> Iterable[Step]:
    """Yield what is known of the time before the first recorded change: bought, and perhaps suspended."""
    status, quantity = subscription.status, subscription.quantity
    if changes:
        status, quantity = str(changes[0].before["status"]), cast("int", changes[0].before["quantity"])
    bought = subscription.created_at
    if status == "suspended":
        yield Step(bought, "active", quantity, cycle)
        since = _moment(changes[0].before.get("suspended_at")) if changes else subscription.suspended_at
        yield Step(max(bought, since) if since else min(bought, world.started_at), status, quantity, cycle)
    else:
        yield Step(bought, status, quantity, cycle)


def _term_prices(terms: SubscriptionTerms) -> Mapping[str, Decimal]:
    price = Decimal(terms.unit_price)
    return dict.fromkeys(MONTHS_OF_CYCLE, price)


def _price(after: Mapping[str, object], terms: SubscriptionTerms | None) -> Decimal | None:
    text = after.get("unit_price")
    return Decimal(str(text)) if terms is not None and text else None


def _moment(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _day(after: Mapping[str, object], name: str) -> date | None:
    value = after.get(name)
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    return date.fromisoformat(value[:10]) if isinstance(value, str) and value else None
