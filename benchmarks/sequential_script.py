"""The peer of the makespan benchmark: what an operator writes in an afternoon with the official SDK, in its calls.

One customer after another: list, attest, order, look until everything is active, suspend one by one. It journals
nothing, calls one at a time, and waits as long as a 429 says. It shares no code with the product, only the wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from partner_center_emulator.credentials import Sheet, TenantSheet
from partner_center_emulator.world import Customer
from tenantfold.clock import SystemClock

AGREEMENT_TEMPLATE = "117a77b0-9360-443b-8795-c6dedc750cf9"
LOOK_AGAIN_SECONDS = 5.0
EARLY_SECONDS = 60.0  # a token is renewed so long before it ends


@dataclass(slots=True)
class _Session:
    """One tenant's token."""

    tenant: TenantSheet
    token: str = ""
    renew_at: float = 0.0  # by the event loop's clock, which is the virtual one in the benchmark


@dataclass(slots=True)
class SequentialScript:
    """The script. ``http`` carries its calls, ``clock`` its waits; ``calls`` counts all but sign-in."""

    http: httpx2.AsyncClient
    known: Sheet
    calls: int = 0
    throttled: int = 0
    clock: SystemClock = field(default_factory=SystemClock)
    _sessions: dict[str, _Session] = field(default_factory=dict)

    async def move(self, customers: Iterable[Customer], source: str, target: str, agreed_on: str) -> None:
        """Move everybody from one tenant to the other; httpx2.HTTPStatusError when Partner Center refuses something."""
        for customer in customers:
            await self._move_one(customer, source, target, agreed_on)

    async def _move_one(self, customer: Customer, source: str, target: str, agreed_on: str) -> None:
        path = f"/v1/customers/{customer.id}"
        listed = (await self._call(source, "GET", f"{path}/subscriptions"))["items"]
        held = [one for one in listed if one["status"] == "active"]
        await self._call(target, "POST", f"{path}/agreements", _attestation(customer, agreed_on))
        for cycle in sorted({one["billingCycle"] for one in held}):
            lines = [one for one in held if one["billingCycle"] == cycle]
            await self._call(target, "POST", f"{path}/orders", _order(customer.id, cycle, lines))
        while not _covers((await self._call(target, "GET", f"{path}/subscriptions"))["items"], held):
            await self.clock.sleep(LOOK_AGAIN_SECONDS)
        for one in held:
            await self._call(source, "PATCH", f"{path}/subscriptions/{one['id']}", {**one, "status": "suspended"})

    async def _call(self, key: str, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401  # JSON
        """One call; after a 429 again, as late as it says."""
        while True:
            headers = {"Authorization": f"Bearer {await self._token(key)}", "Accept": "application/json"}
            self.calls += 1
            answer = await self.http.request(
                method, f"{self.known.partner_center_url}{path}", json=body, headers=headers
            )
            if answer.status_code != httpx2.codes.TOO_MANY_REQUESTS:
                answer.raise_for_status()
                return httpx2.Response(answer.status_code, content=answer.content.removeprefix(b"\xef\xbb\xbf")).json()
            self.throttled += 1
            await self.clock.sleep(float(answer.headers["Retry-After"]))

    async def _token(self, key: str) -> str:
        """The tenant's access token, renewed a minute before it ends."""
        session = self._sessions.setdefault(key, _Session(next(one for one in self.known.tenants if one.key == key)))
        now = asyncio.get_running_loop().time()
        if not session.token or now >= session.renew_at:
            tenant = session.tenant
            answer = await self.http.post(
                f"{self.known.authority}/{tenant.id}/oauth2/v2.0/token",
                data={
                    "grant_type": "refresh_token",
                    "client_id": tenant.client_id,
                    "client_secret": tenant.client_secret,
                    "refresh_token": tenant.refresh_token,
                    "scope": f"{self.known.partner_center_resource}/.default offline_access",
                },
            )
            given = answer.raise_for_status().json()
            session.token = given["access_token"]
            session.renew_at = now + given["expires_in"] - EARLY_SECONDS
        return session.token


def _attestation(customer: Customer, agreed_on: str) -> dict[str, object]:
    contact = {"firstName": customer.first_name, "lastName": customer.last_name, "email": customer.email}
    return {
        "primaryContact": contact,
        "templateId": AGREEMENT_TEMPLATE,
        "dateAgreed": agreed_on,
        "type": "MicrosoftCustomerAgreement",
    }


def _order(customer_id: str, cycle: str, held: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    lines = [
        {
            "lineItemNumber": number,
            "offerId": one["offerId"],
            "quantity": one["quantity"],
            "friendlyName": one["friendlyName"],
        }
        for number, one in enumerate(held)
    ]
    return {"referenceCustomerId": customer_id, "billingCycle": cycle, "lineItems": lines}


def _covers(found: Sequence[Mapping[str, Any]], held: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the target has as many active subscriptions of each offer as were listed."""
    active = [one["offerId"].lower() for one in found if one["status"] == "active"]
    wanted = [one["offerId"].lower() for one in held]
    return all(active.count(offer) >= wanted.count(offer) for offer in wanted)
