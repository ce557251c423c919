"""The checks that change things (report room): only for sandboxes; they put back what they can."""

from __future__ import annotations

from typing import cast
from uuid import uuid4

from partner_center_emulator.conformance.site import Json, NotTriedError, Site, expect, expect_refusal, need

_NOBODY = "99999999-9999-4999-8999-999999999999"


def _order(offer: str, quantity: int = 1) -> Json:
    line: Json = {"lineItemNumber": 0, "offerId": offer, "quantity": quantity, "friendlyName": "Conformance"}
    return {"billingCycle": "monthly", "lineItems": [line]}


async def unknown_offer_refused(site: Site) -> None:
    """An order of an offer that is none is refused."""
    body = _order("FFFFFFFF-FFFF-4FFF-8FFF-FFFFFFFFFFFF")
    expect_refusal(await site.call("POST", f"{site.customer()}/orders", body=body), 400, 800004, 2000, 800002)


async def quantity_limits(site: Site) -> None:
    """A quantity beyond the offer's maximum is refused."""
    body = _order(need(site.known.offer, "an offer"), 99_999_999)
    found = await site.call("POST", f"{site.customer()}/orders", body=body)
    expect(found.status in {400, 403}, f"The status is {found.status}.")
    expect("code" in found.members, "The refusal has no code.")


async def agreement_gate(site: Site) -> None:
    """Nothing is sold before the customer's agreement is confirmed."""
    customer = need(site.known.unsigned_customer, "a customer without an agreement")
    body = _order(need(site.known.offer, "an offer"))
    expect_refusal(await site.call("POST", f"/v1/customers/{customer}/orders", body=body), 403, 13605)


async def cart_rules(site: Site) -> None:
    """A cart that is none cannot be checked out."""
    found = await site.call("POST", f"{site.customer()}/carts/{_NOBODY}/checkout")
    expect_refusal(found, 404, 800008)


async def replayed_write(site: Site) -> None:
    """The same request id gives the same answer; with another body it is a conflict."""
    again = {"MS-RequestId": str(uuid4())}
    path = f"{site.customer()}/orders"
    first = await site.call("POST", path, body=_order(_NOBODY), headers=again)
    second = await site.call("POST", path, body=_order(_NOBODY), headers=again)
    other = await site.call("POST", path, body=_order(_NOBODY, 2), headers=again)
    expect("code" in first.members, "The refusal has no code.")
    expect((first.status, first.raw) == (second.status, second.raw), "The repeat is answered differently.")
    expect(other.status == 409, f"Another body gets {other.status}.")  # noqa: PLR2004 - Conflict


async def stale_etag(site: Site) -> None:
    """A change that names an old etag is refused."""
    held = (await site.get(site.subscription())).members
    expect("attributes" in held, "The subscription has no attributes.")
    if not cast("Json", held["attributes"]).get("etag"):
        raise NotTriedError("The subscription has no etag to be stale.")
    first = await site.call("PATCH", site.subscription(), body={**held, "friendlyName": f"Seen {uuid4()}"})
    expect(first.status == 200, f"A rename gets {first.status}.")  # noqa: PLR2004 - HTTP 200
    second = await site.call("PATCH", site.subscription(), body={**held, "friendlyName": "Again"})
    expect_refusal(second, 400, 2055)


async def suspend_rules(site: Site) -> None:
    """A suspended subscription keeps its quantity, and can be active again."""
    held = (await site.get(site.subscription())).members
    off = await site.call("PATCH", site.subscription(), body={**held, "status": "suspended"})
    expect(off.members.get("status") == "suspended", "It is not suspended.")
    more = {**off.members, "quantity": cast("int", off.members["quantity"]) + 1}
    expect_refusal(await site.call("PATCH", site.subscription(), body=more), 400, 2001, 800091)
    on = await site.call("PATCH", site.subscription(), body={**off.members, "status": "active"})
    expect(on.members.get("status") == "active", "It is not active again.")
