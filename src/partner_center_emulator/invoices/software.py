"""Perpetual software on the bill (state room): bought through an order, without a subscription (commerce 2.3, R-142).

The rules of charging know subscriptions only, so each such line stands as one that is paid for once. Its id is
``{order}/{line}``; it is never in the world and never on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from partner_center_emulator.invoices.life import Life, Step
from partner_center_emulator.state.commerce import NewOrderLine
from partner_center_emulator.subscriptions.months import ENDLESS
from partner_center_emulator.world import Order, StateChange, Subscription, World

_SEPARATOR = "/"


def is_stand_in(subscription_id: str) -> bool:
    """Whether an id names a line of an order and no subscription."""
    return _SEPARATOR in subscription_id


class SoftwareBook:
    """The perpetual software that was bought since the world's clock started, and what was cancelled of it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.bought: dict[str, Subscription] = {}
        self._steps: dict[str, list[Step]] = {}

    def read(self, change: StateChange) -> None:
        """Take in one recorded change, if it is about perpetual software."""
        if change.what == "order.created":
            for row in cast("list[Mapping[str, object]]", change.after.get("lines", [])):
                self._buy(change, row)
        elif change.what == "order.line_cancelled":
            name = _name(change.subject_id, cast("int", change.after["line"]))
            if name in self._steps:
                quantity = cast("int", change.before["quantity"])
                self._steps[name].append(Step(change.at, "deleted", quantity, "one_time"))

    def life(self, name: str) -> Life:
        """Return the billing life of one purchase: charged on its day, given back whole if it was cancelled."""
        line = _new_line(self._world, name)
        return Life(
            subscription_id=name,
            generation="new_commerce",
            anchor=self.bought[name].effective_start,
            prices={"one_time": Decimal(line.unit_price)},
            steps=tuple(self._steps[name]),
        )

    def _buy(self, change: StateChange, row: Mapping[str, object]) -> None:
        name = _name(change.subject_id, cast("int", row["line"]))
        record = self._world.commerce.orders.get(change.subject_id)
        if record is None or _new_line(self._world, name).sub_type != "Perpetual":
            return
        self.bought[name] = stand_in(self._world, name)
        self._steps[name] = [Step(change.at, "active", cast("int", row["quantity"]), "one_time")]


def stand_in(world: World, name: str) -> Subscription:
    """Return a line of an order in the form of a subscription that never ends."""
    order, number = _place(world, name)
    line = next(row for row in order.lines if row.line_item_number == number)
    new = _new_line(world, name)
    product = world.commerce.products[new.product_id]
    return Subscription(
        id=name,
        tenant_id=order.tenant_id,
        customer_id=order.customer_id,
        offer_id=line.offer_id,
        offer_name=next((sku.title for sku in product.skus if sku.id == new.sku_id), product.title),
        friendly_name=line.friendly_name,
        quantity=line.quantity,
        status="active",
        order_id=order.id,
        created_at=order.created_at,
        effective_start=order.created_at.date(),
        commitment_end=ENDLESS,
        billing_cycle="one_time",
        auto_renew=False,
        partner_id_on_record=line.partner_id_on_record,
    )


def _name(order_id: str, line_number: int) -> str:
    return f"{order_id}{_SEPARATOR}{line_number}"


def _place(world: World, name: str) -> tuple[Order, int]:
    order_id, _, number = name.rpartition(_SEPARATOR)
    return world.orders[order_id], int(number)


def _new_line(world: World, name: str) -> NewOrderLine:
    order, number = _place(world, name)
    return next(row for row in world.commerce.orders[order.id].lines if row.line_item_number == number)
