"""The small world with something to move: new-commerce licenses, Azure, and short ways to transfer them."""

from __future__ import annotations

from datetime import date
from typing import cast

import httpx2

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.transfers.placing import fresh_terms, put_subscription
from partner_center_emulator.world import Subscription
from tests.emulator.small_world import ALFA, SE, START

Json = dict[str, object]

NEW_OFFER = "CFQ7TTC0LF8R:0001:CFQ7TTC0K971"
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


def new_commerce(emulator: Emulator, quantity: int = 15, *, tenant_id: str = SE, term: str = "P1Y") -> Subscription:
    """Put a new-commerce subscription of Alfa into the world, as if it had been bought a while ago."""
    subscription = Subscription(
        id=emulator.next_id("subscription"),
        tenant_id=tenant_id,
        customer_id=ALFA,
        offer_id=NEW_OFFER,
        offer_name="Office 365 E3",
        friendly_name="Office 365 E3",
        quantity=quantity,
        status="active",
        order_id=emulator.next_id("order"),
        created_at=START,
        effective_start=date(2026, 1, 10),
        commitment_end=date(2027, 1, 9),
        billing_cycle="monthly",
    )
    currency = emulator.world.partner_tenants[tenant_id].currency
    put_subscription(emulator, subscription, "", fresh_terms(subscription, currency, term, "21.60"))
    return subscription


def transfers_path(transfer_id: str = "", customer_id: str = ALFA) -> str:
    """Return where a customer's transfers, or one of them, are."""
    return f"/v1/customers/{customer_id}/transfers/{transfer_id}".rstrip("/")


def request_body(**more: object) -> Json:
    """Return the body with which the target asks the Swedish tenant."""
    return {"sourcePartnerTenantId": SE, "customerEmailId": "it@alfa.example", "transferType": 5, **more}


async def requested(target: httpx2.AsyncClient, **more: object) -> Json:
    """Create a transfer as the target and insist on success."""
    answer = await target.post(transfers_path(), json=request_body(**more))
    assert answer.status_code == 201, answer.text
    return cast("Json", answer.json())


async def submitted(source: httpx2.AsyncClient, transfer: Json, *ids: str) -> httpx2.Response:
    """Answer a transfer as the source with these things."""
    lines = [{"subscriptionId": item} for item in ids]
    return await source.patch(
        transfers_path(str(transfer["id"])), json={**transfer, "status": "InProgress", "lineItems": lines}
    )


async def read_transfer(caller: httpx2.AsyncClient, transfer: Json) -> Json:
    """Read a transfer and insist on success."""
    answer = await caller.get(transfers_path(str(transfer["id"])))
    assert answer.status_code == 200, answer.text
    return cast("Json", answer.json())


def lines_of(transfer: Json) -> list[Json]:
    """Return the lines of a transfer."""
    return cast("list[Json]", transfer["lineItems"])
