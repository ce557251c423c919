"""HTTP of customers (core reference 5.1 to 5.5 and 5.8)."""

from __future__ import annotations

import msgspec

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.customers import details, models, views
from partner_center_emulator.errors import refusal
from partner_center_emulator.paging import seek_page
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.wire import Json, text_field

behaviour(
    "GET /v1/customers",
    source="documented",
    page="core 5.1",
    note="Seek-paged, thin items, filter on CompanyName and Domain with starts_with",
)
behaviour(
    "GET /v1/customers",
    source="assumed",
    page="core 3",
    note="500 is default and maximum; other filters are 400 2000; oldest relationship first",
)
behaviour(
    "GET /v1/customers/{customer}/profiles/company",
    source="documented",
    page="core 5.3",
    note="Address and email only with delegated access",
)
behaviour(
    "GET /v1/customers/{customer}/profiles/billing",
    source="documented",
    page="core 5.4",
    note="With an etag that is a signed 64-bit number",
)


async def list_customers(call: Call) -> Reply:
    """Return one page of the tenant's customers."""
    keys = models.visible_keys(call.emulator, call.tenant.id)
    filter_text = call.query.get("filter", "")
    if filter_text:
        name, prefix = _read_filter(filter_text)
        if name == "indirectreseller":
            if not call.principal.is_user:
                raise refusal(900329)
            keys = models.keys_behind(call.emulator, keys, call.tenant.id, prefix)
        else:
            keys = models.matching_keys(call.emulator, keys, name, prefix)
    world, tenant_id = call.world, call.tenant.id

    def item(key: str) -> Json:
        customer_id = models.customer_of(key)
        return views.list_item(world.customers[customer_id], world.relationships[f"{tenant_id}/{customer_id}"].kind)

    return Reply(seek_page(call, "/customers", keys, item, filter_text=filter_text))


def _read_filter(text: str) -> tuple[str, str]:
    """Return field (lower case) and prefix of a simple filter; raises 400 code 2000 for anything else."""
    try:
        members = msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError:
        raise refusal(2000, "The filter must be a JSON object with Field, Value and Operator.") from None
    name = text_field(members, "Field").lower()
    operator = text_field(members, "Operator").lower().replace("_", "")
    if name not in {"companyname", "domain", "indirectreseller"} or operator != "startswith":
        raise refusal(2000, "The filter takes CompanyName, Domain and IndirectReseller with starts_with.")
    return name, text_field(members, "Value")


async def read_customer(call: Call) -> Reply:
    """Return one customer in full."""
    customer = call.customer()
    return Reply(views.full(customer, models.relationship_of(call.emulator, call.tenant.id, customer)))


async def read_company_profile(call: Call) -> Reply:
    """Return the customer's company profile."""
    customer = call.customer()
    relationship = models.relationship_of(call.emulator, call.tenant.id, customer)
    return Reply(views.company_profile(customer, full=relationship.delegated_access))


async def read_billing_profile(call: Call) -> Reply:
    """Return the customer's billing profile with its etag."""
    return Reply(views.billing_profile(call.customer()))


async def update_billing_profile(call: Call) -> Reply:
    """Replace the customer's billing profile."""
    customer = call.customer()
    models.update_billing(call, customer, call.members(), call.headers.get("if-match", ""))
    return Reply(views.billing_profile(customer))


async def patch_customer(call: Call) -> Reply:
    """End the relationship or the delegated access."""
    return Reply(views.patched(models.change_relationship(call, call.customer())))


ROUTES = (
    *details.ROUTES,
    Route("GET", "/v1/customers", list_customers),
    Route("GET", "/v1/customers/{customer}", read_customer, resource="customer"),
    Route(
        "PATCH",
        "/v1/customers/{customer}",
        patch_customer,
        auth="AU",
        resource="customer",
        roles=frozenset({"global_admin", "admin_agent"}),
    ),
    Route("GET", "/v1/customers/{customer}/profiles/company", read_company_profile, auth="AU", resource="customer"),
    Route("GET", "/v1/customers/{customer}/profiles/billing", read_billing_profile, resource="customer"),
    Route("PUT", "/v1/customers/{customer}/profiles/billing", update_billing_profile, resource="customer"),
)
