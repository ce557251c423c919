"""The checks that only read (report room); each names the section of the reference whose claim it holds."""

from __future__ import annotations

import base64
import re
from typing import cast
from urllib.parse import quote

import msgspec

from partner_center_emulator.conformance.site import Json, Site, expect, expect_refusal, need

_NOBODY = "99999999-9999-4999-8999-999999999999"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")
_GDAP_STATES = frozenset(
    {
        "created",
        "approvalPending",
        "approved",
        "activating",
        "active",
        "expiring",
        "expired",
        "terminating",
        "terminated",
        "terminationRequested",
    }
)


async def seek_paging(site: Site) -> None:
    """A list of customers hands on a token in the headers of its next link."""
    first = await site.get("/v1/customers?size=1")
    expect(len(first.items) == 1, "A page of size 1 does not have one item.")
    link = cast("Json", cast("Json", first.members.get("links", {})).get("next") or {})
    headers = cast("list[Json]", link.get("headers") or [])
    tokens = {str(row["key"]): str(row["value"]) for row in headers if row["key"] == "MS-ContinuationToken"}
    expect(bool(tokens), "The next link carries no MS-ContinuationToken.")
    second = await site.get(f"/v1{str(link['uri']).removeprefix('/v1')}", tokens)
    expect(second.items[0]["id"] != first.items[0]["id"], "The second page repeats the first.")


async def offset_paging(site: Site) -> None:
    """Offers page by offset and size."""
    country = need(site.known.country, "a country")
    first = await site.get(f"/v1/offers?country={country}&offset=0&size=2")
    second = await site.get(f"/v1/offers?country={country}&offset=2&size=2")
    expect([*map(str, first.items)] != [*map(str, second.items)], "The offset is ignored.")
    expect(len(first.items) <= 2, "The size is ignored.")  # noqa: PLR2004 - the size asked for


async def filter_by_name(site: Site) -> None:
    """A filter on the company name is a prefix."""
    name = need(site.known.company_name, "a company")[:3]
    wanted = quote(f'{{"Field":"CompanyName","Operator":"starts_with","Value":"{name}"}}')
    found = await site.get(f"/v1/customers?size=50&filter={wanted}")
    names = [str(cast("Json", row["companyProfile"])["companyName"]) for row in found.items]
    expect(bool(names), "A company that exists is not found.")
    expect(all(row.lower().startswith(name.lower()) for row in names), "Others are found as well.")


async def headers_echoed(site: Site) -> None:
    """Request and correlation ids come back."""
    ids = {"MS-RequestId": _NOBODY, "MS-CorrelationId": _NOBODY[::-1]}
    found = await site.get("/v1/customers?size=1", ids)
    for name, value in ids.items():
        expect(found.headers.get(name) == value, f"{name} does not come back.")


async def envelope(site: Site) -> None:
    """A list is a Collection with a count and items."""
    members = (await site.get("/v1/customers?size=2")).members
    kind = cast("Json", members.get("attributes", {})).get("objectType")
    expect(isinstance(members.get("totalCount"), int), "There is no totalCount.")
    expect(kind == "Collection", f"The objectType is {kind}.")


async def unknown_customer(site: Site) -> None:
    """An unknown customer is 404 (or 403 without a relationship), in form A."""
    found = await site.get(f"/v1/customers/{_NOBODY}")
    expect_refusal(found, 404 if found.status != 403 else 403, 60003, 20002)  # noqa: PLR2004 - statuses of HTTP


async def unknown_subscription(site: Site) -> None:
    """An unknown subscription is 404 with its code."""
    expect_refusal(await site.get(f"{site.customer()}/subscriptions/{_NOBODY}"), 404, 20003, 2)


async def without_token(site: Site) -> None:
    """No token, no answer."""
    expect_refusal(await site.call("GET", "/v1/customers", token=""), 401)


async def app_only_refused(site: Site) -> None:
    """A call that needs a user refuses an application alone."""
    token = need(site.access.app_token, "an app-only token")
    found = await site.call("GET", "/v1/customers/relationshiprequests", token=token)
    expect(found.status in {401, 403}, f"The status is {found.status}.")
    expect(bool(found.members), "The refusal has no body.")


async def unknown_path(site: Site) -> None:
    """A path that is none is 404, from the gateway."""
    expect((await site.get("/v1/nosuchthing")).status == 404, "A path that is none is not 404.")  # noqa: PLR2004 - 404


async def liberal_paths(site: Site) -> None:
    """Two slashes and upper-case GUIDs are accepted."""
    path = site.customer().replace("/v1/", "/v1//").replace(site.known.customer, site.known.customer.upper())
    expect(str((await site.get(path)).members.get("id")).lower() == site.known.customer, "The customer is not found.")


async def bytes_readable(site: Site) -> None:
    """Answers are UTF-8 JSON, with or without a byte order mark, and say so."""
    found = await site.get(f"{site.customer()}/subscriptions")
    found.raw.decode("utf-8-sig")
    expect("json" in found.headers.get("content-type", ""), "The content type is not JSON.")
    expect(bool(found.members), "The answer is empty.")


async def etags(site: Site) -> None:
    """Billing profile and legacy subscription carry an etag; the latter's is base64 of id and version."""
    profile = (await site.get(f"{site.customer()}/profiles/billing")).members
    expect(bool(cast("Json", profile.get("attributes", {})).get("etag")), "The billing profile has no etag.")
    held = (await site.get(site.subscription())).members
    etag = str(cast("Json", held.get("attributes", {})).get("etag", ""))
    try:
        inside = msgspec.json.decode(base64.b64decode(etag))
    except (ValueError, msgspec.DecodeError):
        inside = None
    expect(isinstance(inside, dict) and "version" in inside, "The subscription's etag does not hold a version.")


async def throttling(site: Site) -> None:
    """A refused call says when to come back; a few reads of one minute are not refused without that."""
    for _ in range(5):
        found = await site.get(site.subscription())
        waiting = found.headers.get("retry-after", "")
        expect(found.status in {200, 429}, f"The status is {found.status}.")
        expect(found.status != 429 or waiting.isdigit(), "429 comes without Retry-After.")  # noqa: PLR2004 - HTTP 429
        expect(bool(found.members), "The answer is empty.")


async def agreements(site: Site) -> None:
    """Whether the customer signed directly, and the agreements' templates."""
    signed = await site.get(f"{site.customer()}/directSignedMicrosoftCustomerAgreementStatus")
    expect(isinstance(signed.members.get("isSigned"), bool), "isSigned is not a truth value.")
    rows = (await site.get("/v1/agreements?agreementType=MicrosoftCustomerAgreement")).items
    expect(all("templateId" in row for row in rows) and bool(rows), "There is no template.")


async def order_lines(site: Site) -> None:
    """A completed order's lines know their subscriptions."""
    rows = (await site.get(f"{site.customer()}/orders")).items
    need(str(rows or ""), "an order")
    found = (await site.get(f"{site.customer()}/orders/{rows[0]['id']}")).members
    lines = cast("list[Json]", found.get("lineItems") or [])
    expect(bool(lines), "The order has no lines.")
    expect(found.get("status") != "completed" or "subscriptionId" in lines[0], "A completed line has no subscription.")


async def dates(site: Site) -> None:
    """Times are ISO 8601 in UTC."""
    held = (await site.get(site.subscription())).members
    expect(_TIME.fullmatch(str(held.get("creationDate"))) is not None, "The creationDate is no ISO time.")


async def transfers(site: Site) -> None:
    """Transfers of a customer are listed; an unknown one is 404."""
    listed = (await site.get(f"{site.customer()}/transfers")).json
    expect(isinstance(listed, list) or "items" in cast("Json", listed), "The transfers are no list.")
    expect((await site.get(f"{site.customer()}/transfers/{_NOBODY}")).status == 404, "Not 404.")  # noqa: PLR2004 - 404


async def gdap_states(site: Site) -> None:
    """Delegated admin relationships are in one of the documented states."""
    url = f"{site.access.graph_url}/v1.0/tenantRelationships/delegatedAdminRelationships"
    found = await site.call("GET", url, token=need(site.access.graph_token, "a Graph token"))
    rows = found.members.get("value")
    expect(isinstance(rows, list), "There is no value.")
    strange = {str(row.get("status")) for row in cast("list[Json]", rows)} - _GDAP_STATES
    expect(not strange, f"A state is not documented: {', '.join(strange)}.")


async def sign_in_errors(site: Site) -> None:
    """Unknown tenants and applications are refused with their AADSTS numbers."""
    form = {"grant_type": "client_credentials", "client_id": _NOBODY, "client_secret": "x", "scope": "x/.default"}
    tenant = need(site.access.tenant, "a tenant id")
    for name, number in ((_NOBODY, 90002), (tenant, 700016)):
        url = f"{site.access.authority}/{name}/oauth2/v2.0/token"
        found = await site.call("POST", url, form=form, token="")
        expect(found.status in {400, 401}, f"The status is {found.status}.")
        numbers = cast("list[object]", found.members.get("error_codes") or [])
        expect(number in numbers, f"The number is {numbers}, not {number}.")


async def webhook_events(site: Site) -> None:
    """The events that can be registered are listed by name."""
    names = (await site.get("/webhooks/v1/registration/events")).json
    expect(isinstance(names, list) and "subscription-updated" in names, "subscription-updated is not listed.")


async def audit_records(site: Site) -> None:
    """Audit records say what happened when."""
    found = await site.get("/v1/auditrecords?startDate=2026-01-01")
    expect(all("operationType" in row and "operationDate" in row for row in found.items), "A record says not enough.")


async def invoices(site: Site) -> None:
    """Invoices have a total and a currency."""
    found = await site.get("/v1/invoices")
    expect(all({"totalCharges", "currencyCode"} <= set(row) for row in found.items), "An invoice has no total.")


async def unknown_offer(site: Site) -> None:
    """An unknown offer is 404."""
    country = need(site.known.country, "a country")
    expect((await site.get(f"/v1/offers/{_NOBODY}?country={country}")).status == 404, "Not 404.")  # noqa: PLR2004 - 404
