"""The small world with the real catalog, and short ways to buy and read in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import httpx2

from partner_center_emulator.catalog import catalog_offers, offer_by_name
from partner_center_emulator.clock import Clock
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.world import Relationship
from tests.emulator.small_world import ALFA, BRAVO, START, TARGET, small_world

Client = Callable[..., httpx2.AsyncClient]
Json = dict[str, object]

_CATALOG = catalog_offers()


def offer_id(name: str) -> str:
    """Return the id of an offer of the catalog."""
    return offer_by_name(_CATALOG, name).id


E3, E1 = offer_id("Office 365 Enterprise E3"), offer_id("Office 365 Enterprise E1")
PREMIUM = offer_id("Office 365 Business Premium")
AUDIO, PROTECTION = offer_id("Audio Conferencing"), offer_id("Office 365 Advanced Threat Protection")
TRIAL, SHIFT = offer_id("Office 365 Enterprise E5 Trial"), offer_id("Microsoft 365 Business Shift Campaign - 15%")
CALLS = offer_id("Domestic Calling Plan")
POWER_BI = offer_id("Power BI Pro")


def commerce_emulator(options: Options | None = None) -> Emulator:
    """Return the small world with the real catalog; Alfa and Bravo also are customers of the target tenant."""
    world = small_world()
    world.offers = catalog_offers()
    world.reseller_partner_ids = ["4847383"]
    for customer_id in (ALFA, BRAVO):
        world.relationships[f"{TARGET}/{customer_id}"] = Relationship(
            tenant_id=TARGET, customer_id=customer_id, since=START
        )
    return Emulator(world, options, Clock(world.started_at, frozen=True))


def line(offer: str, quantity: int = 10, number: int = 0, **more: object) -> Json:
    """Return one line item."""
    return {"lineItemNumber": number, "offerId": offer, "quantity": quantity, **more}


def order_body(*lines: Json, cycle: str = "monthly") -> Json:
    """Return the body of a purchase."""
    return {"billingCycle": cycle, "lineItems": list(lines)}


def orders_path(customer_id: str = ALFA) -> str:
    """Return where a customer's orders are."""
    return f"/v1/customers/{customer_id}/orders"


def subscription_path(subscription_id: str = "", customer_id: str = ALFA) -> str:
    """Return where a customer's subscriptions, or one of them, are."""
    return f"/v1/customers/{customer_id}/subscriptions/{subscription_id}".rstrip("/")


async def buy(caller: httpx2.AsyncClient, *lines: Json, cycle: str = "monthly", customer_id: str = ALFA) -> Json:
    """Buy, insist on success, and return the order."""
    answer = await caller.post(orders_path(customer_id), json=order_body(*lines, cycle=cycle))
    assert answer.status_code == 201, answer.text
    return cast("Json", answer.json())


async def buy_one(caller: httpx2.AsyncClient, offer: str = E3, quantity: int = 10, **more: object) -> Json:
    """Buy one thing and return its subscription as the wire shows it."""
    order = await buy(caller, {**line(offer, quantity), **more})
    return await read(caller, bought(order)[0])


def bought(order: Mapping[str, object]) -> list[str]:
    """Return the subscription ids of an order's lines."""
    return [str(row["subscriptionId"]) for row in cast("list[Json]", order["lineItems"])]


async def read(caller: httpx2.AsyncClient, subscription_id: str, customer_id: str = ALFA) -> Json:
    """Read one subscription and insist on success."""
    answer = await caller.get(subscription_path(subscription_id, customer_id))
    assert answer.status_code == 200, answer.text
    return cast("Json", answer.json())


async def patch(caller: httpx2.AsyncClient, subscription: Json, **changes: object) -> httpx2.Response:
    """Send a whole subscription back with changed members."""
    return await caller.patch(subscription_path(str(subscription["id"])), json={**subscription, **changes})


def refused(answer: httpx2.Response) -> tuple[int, int]:
    """Return status and Partner Center's code of an error answer."""
    return answer.status_code, answer.json()["code"]
