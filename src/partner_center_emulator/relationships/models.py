"""How a customer becomes a customer of one more partner tenant (core reference 6.1, 6.2).

Nothing is created when the link is read; a relationship comes into being when a Global admin of the customer accepts.
Both the acceptance page and the actors of the control plane end in ``accept``.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from functools import cache
from importlib.resources import files

import msgspec

from partner_center_emulator.audit import models as audit
from partner_center_emulator.audit.models import Activity
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.customers.models import RelationshipIndex
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.world import Customer, PartnerTenant, Relationship, World

behaviour(
    "GET /v1/customers/relationshiprequests",
    source="documented",
    page="core 6.1",
    note="One link per partner tenant; reading it creates nothing; DAP=false",
)
behaviour(
    "GET /v1/customers/relationshiprequests",
    source="assumed",
    page="core 6.1",
    note="indirectResellerId (a provider's) and indirectCloudSolutionProviderId (a reseller's) name the other partner; "
    "the link carries the reseller in msppId; a partnership that is not active is 400 900154",
)
behaviour(
    "GET /Adminportal/Home",
    source="documented",
    page="core 6.2",
    note="The customer's Global admin signs in, ticks "
    "the agreement and accepts; other partners of the customer are not touched",
)
behaviour(
    "GET /Adminportal/Home",
    source="assumed",
    page="core 6.1",
    note="Partner and customer must be in the same region; the texts of the page are ours",
)
behaviour(
    "GET /v1/customers",
    source="assumed",
    page="core 11.7",
    note="An accepted customer shows at once (a switch delays it)",
)


class Refused(Enum):
    """Why an acceptance does not happen."""

    NOT_GLOBAL_ADMIN = "not_global_admin"
    OTHER_REGION = "other_region"
    ALREADY_CUSTOMER = "already_customer"


class AcceptanceRefusedError(Exception):
    """The acceptance did not happen; ``reason`` says why."""

    def __init__(self, reason: Refused) -> None:
        super().__init__(reason.value)
        self.reason = reason


class AdminIndex:
    """Customers by their admin's user name and by domain; obtained with ``emulator.derived(AdminIndex)``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_admin: dict[str, str] = {}
        self._by_domain: dict[str, str] = {}
        self._count = -1

    def find(self, user_name: str) -> tuple[Customer, bool] | None:
        """Return the customer of this user, and whether the user is its Global admin; None for a stranger."""
        if self._count != len(self._world.customers):
            self._by_admin = {row.admin_upn.casefold(): row.id for row in self._world.customers.values()}
            self._by_domain = {row.domain.casefold(): row.id for row in self._world.customers.values()}
            self._count = len(self._world.customers)
        name = user_name.strip().casefold()
        customer_id = self._by_admin.get(name)
        if customer_id is not None:
            customer = self._world.customers[customer_id]
            return customer, customer.admin_is_global_admin
        customer_id = self._by_domain.get(name.rpartition("@")[2]) if "@" in name else None
        return (self._world.customers[customer_id], False) if customer_id is not None else None


@cache
def _regions() -> dict[str, str]:
    """Return country -> region; facts of the public page named inside the file."""
    text = files("partner_center_emulator.relationships").joinpath("regions.json").read_bytes()
    regions = msgspec.json.decode(text)["regions"]
    return {country: region for region, countries in regions.items() for country in countries}


def region_of(country: str) -> str:
    """Return the CSP region of an ISO country; a country in no region is a region of its own."""
    return _regions().get(country.upper(), country.upper())


def known_countries() -> frozenset[str]:
    """Return the ISO codes of every country in a CSP region."""
    return frozenset(_regions())


def request_url(emulator: Emulator, tenant: PartnerTenant, reseller_id: str = "") -> str:
    """Return the tenant's one relationship request link, on this host; with an indirect reseller one of both."""
    return (
        f"{emulator.options.base_url}/Adminportal/Home?invType=ResellerRelationship&partnerId={tenant.id}"
        f"&msppId={reseller_id or 0}&DAP=false#/BillingAccounts/partner-invitation"
    )


def obstacle(emulator: Emulator, tenant: PartnerTenant, customer: Customer, *, is_global_admin: bool) -> Refused | None:
    """Return what stands in the way of an acceptance by such a user, or None."""
    if f"{tenant.id}/{customer.id}" in emulator.world.relationships:
        return Refused.ALREADY_CUSTOMER
    if not is_global_admin:
        return Refused.NOT_GLOBAL_ADMIN
    if region_of(tenant.address.country) != region_of(customer.address.country):
        return Refused.OTHER_REGION
    return None


def accept(
    emulator: Emulator, tenant: PartnerTenant, customer: Customer, *, is_global_admin: bool, reseller_id: str = ""
) -> Relationship:
    """Make the relationship: ledger entry, audit record, and the customer shows in the tenant's list.

    ``reseller_id``: the indirect reseller behind the link, empty for a direct one.
    Raises AcceptanceRefusedError when something stands in the way.
    """
    reason = obstacle(emulator, tenant, customer, is_global_admin=is_global_admin)
    if reason is not None:
        raise AcceptanceRefusedError(reason)
    relationship = Relationship(
        tenant_id=tenant.id,
        customer_id=customer.id,
        since=emulator.clock.now(),
        associated_partner_id=reseller_id,
    )
    made: dict[str, object] = {"kind": relationship.kind}
    if reseller_id:
        made["associated_partner_id"] = reseller_id
    emulator.derived(RelationshipIndex).add(relationship)
    emulator.world.pending_acceptances.pop(f"{tenant.id}/{customer.id}", None)
    emulator.record(
        "relationship.accepted",
        tenant_id=tenant.id,
        customer_id=customer.id,
        subject_id=customer.id,
        after=made,
    )
    activity = Activity(
        operation_type="reseller_relationship_accepted_by_customer",
        resource_type="partner_customer_relationship",
        user_principal_name=customer.admin_upn,
        new_value={"customerId": customer.id, "relationshipToPartner": relationship.kind},
    )
    audit.write(emulator, tenant.id, customer, activity)
    return relationship


def expect_acceptance(emulator: Emulator, tenant: PartnerTenant, customer: Customer, when: datetime) -> None:
    """Let the customer's admin accept at ``when``; kept in the world, so that a snapshot does not forget it."""
    emulator.world.pending_acceptances[f"{tenant.id}/{customer.id}"] = when
    _schedule(emulator, f"{tenant.id}/{customer.id}", when)


def rearm(emulator: Emulator) -> None:
    """Put the pending acceptances of the world back on the clock."""
    for pair, when in emulator.world.pending_acceptances.items():
        _schedule(emulator, pair, when)


def _schedule(emulator: Emulator, pair: str, when: datetime) -> None:
    def accept_if_still_meant() -> None:
        # asked again, another time or already accepted by hand: then this timer is not the one that counts
        if emulator.world.pending_acceptances.get(pair) != when:
            return
        del emulator.world.pending_acceptances[pair]
        tenant_id, _, customer_id = pair.partition("/")
        customer = emulator.world.customers[customer_id]
        tenant = emulator.world.partner_tenants[tenant_id]
        if obstacle(emulator, tenant, customer, is_global_admin=customer.admin_is_global_admin) is None:
            accept(emulator, tenant, customer, is_global_admin=True)

    emulator.clock.at(when, f"acceptance {pair}", accept_if_still_meant)
