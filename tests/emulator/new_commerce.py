"""The small world with both catalogs, and short ways to buy new commerce in it and to let time pass."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import timedelta
from typing import cast

import httpx2

from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.products.availability import current_item
from partner_center_emulator.world import Subscription
from tests.emulator.commerce import commerce_emulator, subscription_path
from tests.emulator.conftest import access_token
from tests.emulator.small_world import ALFA

Client = Callable[..., httpx2.AsyncClient]
Json = dict[str, object]

BASIC, STANDARD, PREMIUM = "CFQ7TTC0LH18:0001", "CFQ7TTC0LDPB:0001", "CFQ7TTC0LCHC:0001"
PREMIUM_TRIAL, NEW_E3, NEW_E5 = "CFQ7TTC0LCHC:0002", "CFQ7TTC0LF8R:0001", "CFQ7TTC0LF8S:0001"
NEW_AUDIO, VISIO, FLOW_F1, FLOW_F3 = "CFQ7TTC0LHXH:0001", "CFQ7TTC0HD33:0003", "CFQ7TTC0MBMD:0002", "CFQ7TTC0LH05:0001"
PERPETUAL, SOFTWARE, SAAS = "DG7GMGF0FLR2:0002", "DG7GMGF0DVSZ:0001", "DZH318Z0BXWC:0002"
AZURE_PLAN = "DZH318Z0BPS6:0001"


def new_emulator(**options: object) -> Emulator:
    """Return the world of ``commerce_emulator`` in which provisioning takes no time, unless told otherwise."""
    return commerce_emulator(Options(**{"provisioning_seconds": 0.0, **options}))  # type: ignore[arg-type]


class _FreshToken(httpx2.Auth):
    """Signs in anew for every call, because a test's clock runs past the hour that a token lives."""

    def __init__(self, emulator: Emulator, key: str) -> None:
        self._emulator, self._key = emulator, key

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        request.headers["Authorization"] = f"Bearer {access_token(self._emulator, self._key)}"
        yield request


def lasting(emulator: Emulator, client: Client, key: str = "target") -> httpx2.AsyncClient:
    """Return a client whose sign-in never lapses, however far the clock goes."""
    caller = client(key)
    caller.auth = _FreshToken(emulator, key)
    return caller


def item_id(emulator: Emulator, key: str, country: str = "SE") -> str:
    """Return today's catalog item id of a ``product:sku``."""
    return current_item(emulator, key, country).catalog_item_id


def cart_line(emulator: Emulator, key: str, quantity: int = 10, number: int = 0, **more: object) -> Json:
    """Return one line of a cart: a year paid monthly unless told otherwise."""
    line: Json = {"id": number, "catalogItemId": item_id(emulator, key), "quantity": quantity}
    return {**line, "billingCycle": "monthly", "termDuration": "P1Y", **more}


def carts_path(cart_id: str = "", customer_id: str = ALFA) -> str:
    """Return where a customer's carts, or one of them, are."""
    return f"/v1/customers/{customer_id}/carts/{cart_id}".rstrip("/")


async def fill(caller: httpx2.AsyncClient, *lines: Json, customer_id: str = ALFA) -> Json:
    """Create a cart, insist on 201, and return it."""
    answer = await caller.post(carts_path(customer_id=customer_id), json={"lineItems": list(lines)})
    assert answer.status_code == 201, answer.text
    return cast("Json", answer.json())


async def check_out(caller: httpx2.AsyncClient, cart: Json, customer_id: str = ALFA) -> Json:
    """Check a cart out, insist on 201, and return the result."""
    answer = await caller.post(f"{carts_path(str(cart['id']), customer_id)}/checkout")
    assert answer.status_code == 201, answer.text
    return cast("Json", answer.json())


async def acquire(caller: httpx2.AsyncClient, emulator: Emulator, key: str, quantity: int = 10, **more: object) -> Json:
    """Buy one thing through a cart and return its subscription as the wire shows it."""
    result = await check_out(caller, await fill(caller, {**cart_line(emulator, key, quantity), **more}))
    assert "orderErrors" not in result, result
    order = cast("list[Json]", result["orders"])[0]
    bought = str(cast("list[Json]", order["lineItems"])[0]["subscriptionId"])
    return await look(caller, bought)


async def look(caller: httpx2.AsyncClient, subscription_id: object) -> Json:
    """Read one subscription of Alfa and insist on success."""
    answer = await caller.get(subscription_path(str(subscription_id)))
    assert answer.status_code == 200, answer.text
    return cast("Json", answer.json())


async def send(caller: httpx2.AsyncClient, subscription: Json, **changes: object) -> httpx2.Response:
    """Send a whole subscription back with changed members."""
    return await caller.patch(subscription_path(str(subscription["id"])), json={**subscription, **changes})


def without(subscription: Json, *names: str) -> Json:
    """Return a subscription body that leaves members out."""
    return {name: value for name, value in subscription.items() if name not in names}


def pass_days(emulator: Emulator, days: float) -> None:
    """Let days pass on the emulator's clock; everything that becomes due happens."""
    emulator.clock.advance_to(emulator.clock.now() + timedelta(days=days))


def held(emulator: Emulator, subscription: Json) -> Subscription:
    """Return the world's own record of a subscription."""
    return emulator.world.subscriptions[str(subscription["id"]).lower()]


def statuses(emulator: Emulator, subscription: Json) -> list[str]:
    """Return every status the subscription has had, in order, from the truth ledger."""
    seen: list[str] = []
    for change in emulator.world.changes:
        if change.subject_id != str(subscription["id"]).lower():
            continue
        status = str(change.after.get("status", ""))
        if status and seen[-1:] != [status]:
            seen.append(status)
    return seen


def charges(emulator: Emulator, subscription: Json) -> list[str]:
    """Return the charge types of a subscription's changes, in order."""
    return [
        str(change.after["charge"])
        for change in emulator.world.changes
        if change.subject_id == str(subscription["id"]).lower() and change.after.get("charge")
    ]
