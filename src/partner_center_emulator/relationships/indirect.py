"""Indirect providers and resellers, and the partner agreement (core reference 6.3)."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

import msgspec
from starlette.requests import Request

from partner_center_emulator import control
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.customers.models import relationship_of
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.requests import Call, Page, Reply, Route
from partner_center_emulator.state.people import PartnerLink, ResellerPartner
from partner_center_emulator.wire import Json, attributes, collection, self_link, text_field, without_nulls
from partner_center_emulator.world import Customer

_PROVIDER, _RESELLER = "is_indirect_cloud_solution_provider_of", "is_indirect_reseller_of"
_KINDS = {kind.replace("_", ""): kind for kind in (_PROVIDER, _RESELLER)}

behaviour(
    "GET /v1/relationships",
    source="documented",
    page="core 6.3",
    note="A provider lists its resellers, a reseller its providers; filter on Name; empty for direct partners",
)
behaviour(
    "GET /v1/customers/{customer}/relationships",
    source="documented",
    page="core 6.3",
    note="The indirect partner behind the customer without state and location; empty for direct customers",
)
behaviour(
    "GET /v1/compliance/csp/agreementstatus",
    source="documented",
    page="core 6.3",
    note="Exactly one of mpnId and tenantId; unknown partners are 400 2200",
)


class LinkOrder(msgspec.Struct, forbid_unknown_fields=True):
    """A partnership that the control plane makes: the reseller is another tenant, or somebody outside this world."""

    provider: str
    reseller: str = ""  # key or id of a partner tenant
    name: str = ""
    partner_id: str = ""
    country: str = "US"
    agreement_signed: bool = True
    state: str = "Active"


class _Partner(msgspec.Struct, frozen=True):
    id: str
    name: str
    partner_id: str
    country: str
    agreement_signed: bool


def _find(emulator: Emulator, partner_id: str) -> _Partner | None:
    tenant = emulator.world.partner_tenants.get(partner_id)
    if tenant is not None:
        return _Partner(
            tenant.id, tenant.company_name, tenant.partner_id, tenant.address.country, agreement_signed=True
        )
    other = emulator.world.people.resellers.get(partner_id)
    if other is None:
        return None
    return _Partner(other.id, other.name, other.partner_id, other.country, other.agreement_signed)


async def partner_relationships(call: Call) -> Reply:
    """Return the partners related to this one in the asked way."""
    given = call.query.get("relationship_type", "")
    kind = _KINDS.get(given.replace("_", "").lower())
    if kind is None:
        raise refusal(900126, given)
    rows = []
    for link in call.world.people.links.values():
        own, other = (link.provider_id, link.reseller_id)[:: 1 if kind == _PROVIDER else -1]
        partner = _find(call.emulator, other) if own == call.tenant.id else None
        if partner is not None and _passes(partner, call.query.get("filter", "")):
            rows.append(_view(partner, kind, link.state))
    return Reply(collection(rows, links=self_link(f"/relationships?relationship_type={given}")))


def _passes(partner: _Partner, filter_text: str) -> bool:
    if not filter_text:
        return True
    try:
        members = msgspec.json.decode(filter_text, type=dict[str, object])
    except msgspec.DecodeError:
        raise refusal(2000, "The filter must be a JSON object with Field, Value and Operator.") from None
    operator = text_field(members, "Operator").lower().replace("_", "")
    if text_field(members, "Field").lower() != "name" or operator not in {"substring", "startswith", "equals"}:
        raise refusal(2000, "The filter takes the field Name with substring, starts_with or equals.")
    name, wanted = partner.name.casefold(), text_field(members, "Value").casefold()
    return {"substring": wanted in name, "startswith": name.startswith(wanted), "equals": name == wanted}[operator]


def _view(partner: _Partner, kind: str, state: str | None) -> Json:
    return without_nulls(
        {
            "id": partner.id,
            "name": partner.name,
            "relationshipType": kind,
            "state": state,
            "mpnId": partner.partner_id,
            "location": partner.country if state else None,
            "attributes": attributes("PartnerRelationship"),
        }
    )


async def customer_relationships(call: Call) -> Reply:
    """Return the indirect partner behind the customer, if there is one."""
    customer = call.customer()
    rows = [_view(partner, kind, None) for partner, kind in _partners_of(call, customer)]
    return Reply(collection(rows, links=self_link(f"/customers/{customer.id}/relationships")))


def _partners_of(call: Call, customer: Customer) -> list[tuple[_Partner, str]]:
    behind = relationship_of(call.emulator, call.tenant.id, customer).associated_partner_id
    partner = _find(call.emulator, behind) if behind else None
    return [(partner, _PROVIDER)] if partner is not None else []


async def agreement_status(call: Call) -> Reply:
    """Say whether a partner has signed the partner agreement."""
    by_number, by_tenant = call.query.get("mpnid", ""), call.query.get("tenantid", "").lower()
    if bool(by_number) == bool(by_tenant):
        raise refusal(2000, "Give exactly one of mpnId and tenantId.")
    ids = [*call.world.partner_tenants, *call.world.people.resellers]
    for partner in (_find(call.emulator, partner_id) for partner_id in ids):
        if partner is not None and (partner.partner_id == by_number or partner.id == by_tenant):
            return Reply({"isAgreementSigned": partner.agreement_signed})
    raise refusal(2200, by_number or by_tenant)


@control.guarded
async def link_partners(emulator: Emulator, request: Request) -> object:
    """Make a provider and a reseller partners of each other, or change the state of their partnership."""
    order = await control.read_order(request, LinkOrder)
    provider, people = control.find_tenant(emulator, order.provider), emulator.world.people
    if order.reseller:
        reseller_id = control.find_tenant(emulator, order.reseller).id
    elif order.name and order.partner_id:
        reseller_id = str(uuid5(NAMESPACE_URL, f"reseller/{order.partner_id}"))
        people.resellers[reseller_id] = ResellerPartner(
            id=reseller_id,
            name=order.name,
            partner_id=order.partner_id,
            country=order.country,
            agreement_signed=order.agreement_signed,
        )
        if order.partner_id not in emulator.world.reseller_partner_ids:
            emulator.world.reseller_partner_ids.append(order.partner_id)
    else:
        raise control.ControlError("Say which reseller: the key of a tenant, or name and partner_id of another.")
    pair = f"{provider.id}/{reseller_id}"
    since = people.links[pair].since if pair in people.links else emulator.clock.now()
    people.links[pair] = PartnerLink(provider_id=provider.id, reseller_id=reseller_id, since=since, state=order.state)
    provider.program = "indirect_provider"
    return {"provider": provider.id, "reseller": reseller_id, "state": order.state}


ROUTES: tuple[Route | Page, ...] = (
    Route("GET", "/v1/relationships", partner_relationships, auth="AU"),
    Route("GET", "/v1/customers/{customer}/relationships", customer_relationships, auth="AU"),
    Route("GET", "/v1/compliance/csp/agreementstatus", agreement_status, auth="AU"),
    Page("POST", "/_emulator/partners", link_partners),
)
