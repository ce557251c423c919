"""Behaviour of customers on the world (core reference 5.1 to 5.5 and 5.8)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from datetime import datetime, timedelta
from hashlib import blake2b

from partner_center_emulator.audit import models as audit
from partner_center_emulator.audit.models import Activity
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.graph import gdap
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.requests import Call
from partner_center_emulator.wire import Json, field, object_field, text_field
from partner_center_emulator.world import Address, Customer, Relationship, World

behaviour(
    "GET /v1/customers/{customer}",
    source="documented",
    page="core 5.2",
    note="Company address, company email and customDomains only with delegated access",
)
behaviour(
    "GET /v1/customers/{customer}",
    source="assumed",
    page="core 11.2",
    note="A tenant nobody knows is 404 60003, one without relationship 403 20002",
)
behaviour(
    "PUT /v1/customers/{customer}/profiles/billing",
    source="assumed",
    page="core 5.5",
    note="The body's etag is compared first, then If-Match; a stale or missing one is 400 2055",
)
behaviour(
    "PATCH /v1/customers/{customer}",
    source="documented",
    page="core 5.8",
    note="Ends the relationship; the answer is PascalCase with nulls",
)
behaviour(
    "PATCH /v1/customers/{customer}",
    source="assumed",
    page="core 11.1",
    note="Refused with 400 while a subscription is active (a switch makes it 409)",
)


class RelationshipIndex:
    """The customers of each partner tenant in the order in which they came; ``emulator.derived(RelationshipIndex)``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys: dict[str, list[str]] = {}
        self._count = -1

    def keys(self, tenant_id: str) -> list[str]:
        """Return the tenant's list keys, sorted: time of acceptance, then customer id."""
        self._refresh()
        return self._keys.get(tenant_id, [])

    def add(self, relationship: Relationship) -> None:
        """Put a new relationship into the world and the list; an existing one of the same pair is replaced."""
        self._refresh()
        pair = f"{relationship.tenant_id}/{relationship.customer_id}"
        if pair in self._world.relationships:
            self.remove(self._world.relationships[pair])
        self._world.relationships[pair] = relationship
        insort(self._keys.setdefault(relationship.tenant_id, []), list_key(relationship))
        self._count = len(self._world.relationships)

    def remove(self, relationship: Relationship) -> None:
        """Take a relationship out of the world and the list."""
        self._refresh()
        del self._world.relationships[f"{relationship.tenant_id}/{relationship.customer_id}"]
        keys = self._keys[relationship.tenant_id]
        del keys[bisect_left(keys, list_key(relationship))]
        self._count = len(self._world.relationships)

    def _refresh(self) -> None:
        # something was put into the world behind this index (a generator, a test): the count gives it away
        if self._count == len(self._world.relationships):
            return
        self._keys = {}
        for relationship in self._world.relationships.values():
            self._keys.setdefault(relationship.tenant_id, []).append(list_key(relationship))
        for keys in self._keys.values():
            keys.sort()
        self._count = len(self._world.relationships)


def list_key(relationship: Relationship) -> str:
    """Return the place of a customer in its partner's list as sortable text."""
    return f"{_instant(relationship.since)}/{relationship.customer_id}"


def _instant(moment: datetime) -> str:
    return f"{moment.timestamp():020.6f}"


def visible_keys(emulator: Emulator, tenant_id: str) -> list[str]:
    """Return the list keys of customers that already show: acceptance plus the configured delay has passed."""
    keys = emulator.derived(RelationshipIndex).keys(tenant_id)
    delay = emulator.options.relationship_delay_seconds
    if not delay:
        return keys
    horizon = _instant(emulator.clock.now() - timedelta(seconds=delay))
    return keys[: bisect_right(keys, f"{horizon}/~")]


def matching_keys(emulator: Emulator, keys: list[str], name: str, prefix: str) -> list[str]:
    """Return the keys whose customer's company name or domain begins with ``prefix``, ignoring case."""
    customers = emulator.world.customers
    wanted = prefix.casefold()
    attribute = {"companyname": "company_name", "domain": "domain"}[name]
    return [key for key in keys if str(getattr(customers[customer_of(key)], attribute)).casefold().startswith(wanted)]


def keys_behind(emulator: Emulator, keys: list[str], tenant_id: str, prefix: str) -> list[str]:
    """Return the keys of customers whose associated partner's id begins with ``prefix``."""
    found, wanted = emulator.world.relationships, prefix.lower()
    return [
        key
        for key in keys
        if wanted and found[f"{tenant_id}/{customer_of(key)}"].associated_partner_id.startswith(wanted)
    ]


def customer_of(key: str) -> str:
    """Return the customer id inside a list key."""
    return key.rpartition("/")[2]


def relationship_of(emulator: Emulator, tenant_id: str, customer: Customer) -> Relationship:
    """Return the relationship of a customer that ``Call.customer`` has let through."""
    return emulator.world.relationships[f"{tenant_id}/{customer.id}"]


def billing_etag(customer: Customer) -> str:
    """Return the billing profile's etag: a signed 64-bit number as text (core reference 5)."""
    mark = blake2b(f"{customer.id}/{customer.billing_etag}".encode(), digest_size=8).digest()
    return str(int.from_bytes(mark, signed=True))


def update_billing(call: Call, customer: Customer, members: Json, if_match: str) -> None:
    """Replace the billing profile by ``members``; raises 400 code 2055 unless the present etag is given."""
    given = [text_field(object_field(members, "attributes"), "etag"), if_match.strip().strip('"')]
    stated = [etag for etag in given if etag]
    if not stated or any(etag != billing_etag(customer) for etag in stated):
        raise refusal(2055)
    address = object_field(members, "defaultAddress")
    for name in ("firstName", "lastName", "email"):
        if not text_field(members, name):
            raise refusal(2000, f"The member {name} of the billing profile is missing.")
    customer.first_name = text_field(members, "firstName")
    customer.last_name = text_field(members, "lastName")
    customer.email = text_field(members, "email")
    customer.culture = text_field(members, "culture", customer.culture)
    customer.language = text_field(members, "language", customer.language)
    customer.billing_company_name = text_field(members, "companyName", customer.billing_company_name)
    if address:
        customer.address = read_address(address, customer.address)
    customer.billing_etag += 1
    _note(call, customer, "customer.billing_profile_changed", "update_customer_billing_profile", "customer")


def read_address(members: Json, present: Address) -> Address:
    """Return the address in ``members``, completed from ``present``; raises 400 for another country."""
    country = text_field(members, "country", present.country).upper()
    if country != present.country:
        raise refusal(2000, "The country of a profile cannot be changed.")
    return Address(
        country=country,
        city=text_field(members, "city", present.city),
        state=text_field(members, "state"),
        address_line1=text_field(members, "addressLine1", present.address_line1),
        postal_code=text_field(members, "postalCode", present.postal_code),
        phone_number=text_field(members, "phoneNumber", present.phone_number),
    )


def change_relationship(call: Call, customer: Customer) -> Relationship | None:
    """Do what a PATCH of the customer asks for: end the relationship (returns None) or delegated access (returns it).

    Raises 400 (or the configured status) while a subscription is active, 400 code 2000 for anything else.
    """
    relationship = relationship_of(call.emulator, call.tenant.id, customer)
    kind = text_field(call.members(), "relationshipToPartner").lower()
    if kind == "none":
        _end(call, customer, relationship)
        return None
    if kind in {"", relationship.kind} and field(call.members(), "allowDelegatedAccess") is False:
        relationship.delegated_access = False
        _note(call, customer, "relationship.delegated_access_ended", "dap_admin_relationship_terminated")
        return relationship
    raise refusal(2000, "Only relationshipToPartner none or allowDelegatedAccess false can be set.")


def _end(call: Call, customer: Customer, relationship: Relationship) -> None:
    from partner_center_emulator.customers import ending  # noqa: PLC0415 - it needs the index above

    emulator = call.emulator
    held = emulator.derived(CommerceIndex).subscriptions_of(call.tenant.id, customer.id)
    terms = emulator.world.commerce.terms
    still_there = any(
        row.status == "active"
        # new-commerce licenses must be cancelled, suspended ones keep the customer until their term ends
        or (row.status == "suspended" and row.id in terms and terms[row.id].product_type == "OnlineServicesNCE")
        for row in held
    )
    if still_there or ending.holdings(emulator, call.tenant.id, customer.id):
        raise ApiError(emulator.options.still_active_status, 3000, "The relationship cannot be removed at this time.")
    emulator.derived(RelationshipIndex).remove(relationship)
    gdap.end_all(emulator, call.tenant.id, customer.id)
    _note(call, customer, "relationship.removed", "remove_partner_customer_relationship")


def _note(
    call: Call, customer: Customer, what: str, operation: str, resource: str = "partner_customer_relationship"
) -> None:
    call.emulator.record(
        what, tenant_id=call.tenant.id, customer_id=customer.id, subject_id=customer.id, request_id=call.request_id
    )
    activity = Activity(
        operation_type=operation,
        resource_type=resource,
        user_principal_name=call.principal.upn,
        application_id=call.principal.app_id,
    )
    audit.write(call.emulator, call.tenant.id, customer, activity)
