"""HTTP side of customer entitlements (wire room): reservations and software that a customer owns (commerce 3.2)."""

from __future__ import annotations

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.entitlements.models import Owned, owned
from partner_center_emulator.errors import refusal
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.wire import Json, attributes, collection, link, wire_time, without_nulls

_KINDS = ("software", "reservedInstance")


def _wire(customer_id: str, row: Owned, *, with_expiry: bool) -> Json:
    artifact = "reservedinstance" if row.kind == "reservedInstance" else "productkey"
    uri = f"/customers/{customer_id}/artifacts/{artifact}s/{row.resource_id}"
    return without_nulls(
        {
            "productId": row.product_id,
            "skuId": row.sku_id,
            "quantity": row.quantity,
            "quantityDetails": [{"quantity": row.quantity, "status": row.status}],
            "entitlementType": row.kind,
            "referenceOrder": {"id": row.order_id, "lineItemId": "0", "alternateId": row.order_id},
            "entitledArtifacts": [{"artifactType": artifact, "resourceId": row.resource_id, "link": link(uri)}],
            "includedEntitlements": [],
            "expiryDate": wire_time(row.expires_at) if with_expiry and row.expires_at else None,
            "attributes": attributes("Entitlement"),
        }
    )


async def read_entitlements(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/entitlements``; raises 400 code 900126 for an unknown type."""
    customer = call.customer()
    wanted = call.query.get("entitlementtype", "")
    kind = next((known for known in _KINDS if known.lower() == wanted.lower()), "")
    if wanted and not kind:
        raise refusal(900126, wanted)
    with_expiry = call.query.get("showexpiry", "").lower() == "true"
    rows = [row for row in owned(call.emulator, call.tenant.id, customer.id) if not kind or row.kind == kind]
    return Reply(collection([_wire(customer.id, row, with_expiry=with_expiry) for row in rows]))


_PATH = "/v1/customers/{customer}/entitlements"

ROUTES: tuple[Route, ...] = (Route("GET", _PATH, read_entitlements, auth="AU"),)

behaviour(f"GET {_PATH}", source="documented", page="commerce 3.2", note="entitlementType, showExpiry")
behaviour(
    f"GET {_PATH}",
    source="assumed",
    page="commerce 3.2",
    note="Those of this partner tenant only; the artifacts themselves are not emulated",
)
