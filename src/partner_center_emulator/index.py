"""Look-up tables over orders and subscriptions (state room), derived from the world and never stored.

Get it with ``emulator.derived(CommerceIndex)``. Whoever adds an order or a subscription adds it through ``put_order``
and ``put_subscription``; if something was put into the world behind the index (a test, a loaded snapshot), the changed
number of rows gives it away and the tables are built again. Nothing ever leaves a world, so the number is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from partner_center_emulator.world import Order, Subscription, World

# States in which a subscription occupies the customer's tenant (commerce reference 1.1 on Concurrent, R-74).
LIVE_STATUSES = frozenset({"active", "pending", "suspended"})


class CommerceIndex:
    """Which orders and subscriptions belong to which partner tenant and customer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._orders: dict[str, list[str]] = {}
        self._subscriptions: dict[str, list[str]] = {}
        self._holdings: dict[str, list[str]] = {}
        self._add_ons: dict[str, list[str]] = {}
        self._counts = (-1, -1)
        self._refresh()

    def orders_of(self, tenant_id: str, customer_id: str) -> Iterator[Order]:
        """Yield the orders of one partner tenant and customer, oldest first."""
        self._refresh()
        orders = self._world.orders
        return (orders[key] for key in self._orders.get(f"{tenant_id}/{customer_id}", ()))

    def subscriptions_of(self, tenant_id: str, customer_id: str) -> Iterator[Subscription]:
        """Yield the subscriptions of one partner tenant and customer in every state, oldest first."""
        self._refresh()
        subscriptions = self._world.subscriptions
        return (subscriptions[key] for key in self._subscriptions.get(f"{tenant_id}/{customer_id}", ()))

    def held_by(self, customer_id: str) -> Iterator[Subscription]:
        """Yield the subscriptions of one customer at all its partners, in every state."""
        self._refresh()
        subscriptions = self._world.subscriptions
        return (subscriptions[key] for key in self._holdings.get(customer_id, ()))

    def add_ons_of(self, subscription_id: str) -> Iterator[Subscription]:
        """Yield the add-ons that hang on a base subscription, in every state."""
        self._refresh()
        subscriptions = self._world.subscriptions
        return (subscriptions[key] for key in self._add_ons.get(subscription_id.lower(), ()))

    def put_order(self, order: Order) -> None:
        """Add an order to the world and to the tables."""
        self._refresh()
        self._world.orders[order.id] = order
        self._enter_order(order.id, order)
        self._counts = (len(self._world.orders), self._counts[1])

    def put_subscription(self, subscription: Subscription) -> None:
        """Add a subscription to the world and to the tables."""
        self._refresh()
        self._world.subscriptions[subscription.id] = subscription
        self._enter_subscription(subscription.id, subscription)
        self._counts = (self._counts[0], len(self._world.subscriptions))

    def _refresh(self) -> None:
        counts = (len(self._world.orders), len(self._world.subscriptions))
        if counts == self._counts:
            return
        for table in (self._orders, self._subscriptions, self._holdings, self._add_ons):
            table.clear()
        for key, order in self._world.orders.items():
            self._enter_order(key, order)
        for key, subscription in self._world.subscriptions.items():
            self._enter_subscription(key, subscription)
        self._counts = counts

    def _enter_order(self, key: str, order: Order) -> None:
        self._orders.setdefault(f"{order.tenant_id}/{order.customer_id}", []).append(key)

    def _enter_subscription(self, key: str, subscription: Subscription) -> None:
        account = f"{subscription.tenant_id}/{subscription.customer_id}"
        self._subscriptions.setdefault(account, []).append(key)
        self._holdings.setdefault(subscription.customer_id, []).append(key)
        if subscription.parent_subscription_id is not None:
            self._add_ons.setdefault(subscription.parent_subscription_id.lower(), []).append(key)
