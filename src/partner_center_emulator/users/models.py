"""Users and licensed products of a customer's own tenant (core reference 5.9, 5.10).

The users are made up from the customer's id when somebody first asks; products count over all partners of the tenant.
"""

from __future__ import annotations

from random import Random
from uuid import NAMESPACE_URL, uuid5

import msgspec

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.state.people import CustomerUser
from partner_center_emulator.world import Customer, Subscription

_FIRST = ("Ada", "Bo", "Karin", "Dag", "Ellen", "Frode", "Gry", "Hans", "Ida", "Jonas", "Kaja", "Lars", "Maja", "Nils")
_LAST = ("Ahl", "Berg", "Dahl", "Ek", "Friis", "Holm", "Lund", "Moe", "Nygaard", "Rask", "Sund", "Toft", "Vik", "Wold")
_FEWEST, _MOST = 5, 64

for _call in ("GET", "PATCH", "DELETE"):
    behaviour(
        f"{_call} /v1/customers/{{customer}}/users/{{user}}",
        source="assumed",
        page="core 5.10",
        note="By id or user name; 404 60002",
    )
behaviour(
    "GET /v1/customers/{customer}/users/{user}/licenses",
    source="documented",
    page="core 5.10",
    note="The products of which the user has a license",
)
behaviour(
    "GET /v1/customers/{customer}/users",
    source="documented",
    page="core 5.10",
    note="Seek-paged, needs delegated admin with a fitting role (403 900308); deleted users by filter",
)
behaviour(
    "GET /v1/customers/{customer}/users",
    source="assumed",
    page="core 3",
    note="100 per page by default, 500 at most; a switch makes page 2 a 404, as seen in 2021; names are made up",
)
behaviour(
    "POST /v1/customers/{customer}/users",
    source="assumed",
    page="core 5.10",
    note="Creating, changing, deleting and restoring users; not described in the reference",
)
behaviour(
    "GET /v1/customers/{customer}/subscribedskus",
    source="documented",
    page="core 5.9",
    note="Totals per tenant over all partners; group2 is empty",
)
behaviour(
    "GET /v1/customers/{customer}/subscribedskus",
    source="assumed",
    page="core 5.9",
    note="The first users have a license of every product, as far as there are units; one service plan per product",
)


def users_of(emulator: Emulator, customer: Customer) -> list[CustomerUser]:
    """Return the customer's users, deleted ones too, in the order in which they came."""
    users = emulator.world.people.users
    if customer.id not in users:
        users[customer.id] = _invent(customer)
    return users[customer.id]


def _invent(customer: Customer) -> list[CustomerUser]:
    rng = Random(customer.id)
    found = [_user(customer, customer.admin_upn, customer.first_name or "Admin", customer.last_name)]
    for number in range(rng.randint(_FEWEST, _MOST) - 1):
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        found.append(_user(customer, f"{first}.{last}{number}@{customer.domain}".lower(), first, last))
    return found


def _user(customer: Customer, name: str, first: str, last: str) -> CustomerUser:
    return CustomerUser(
        id=str(uuid5(NAMESPACE_URL, f"{customer.id}/{name}")),
        user_principal_name=name,
        first_name=first,
        last_name=last,
        display_name=f"{first} {last}".strip(),
        usage_location=customer.address.country,
    )


def find_user(emulator: Emulator, customer: Customer, user_id: str) -> CustomerUser:
    """Return a user by id or user name; raises 404 code 60002."""
    wanted = user_id.lower()
    for user in users_of(emulator, customer):
        if wanted in {user.id, user.user_principal_name.lower()}:
            return user
    raise refusal(60002, user_id)


class Licensed(msgspec.Struct, kw_only=True):
    """A product in the customer's tenant with its units."""

    id: str
    name: str
    part_number: str
    active: int = 0
    suspended: int = 0
    warning: int = 0
    consumed: int = 0

    @property
    def total(self) -> int:
        """Return the units that can be used: active and in warning."""
        return self.active + self.warning


def products_of(emulator: Emulator, customer: Customer) -> list[Licensed]:
    """Return the products of the tenant over all its partners, by name."""
    found: dict[str, Licensed] = {}
    for subscription in emulator.derived(CommerceIndex).held_by(customer.id):
        if subscription.billing_type != "license" or subscription.status == "deleted":
            continue
        product = _product(emulator, subscription)
        entry = found.setdefault(product.id, product)
        if subscription.status == "active":
            entry.active += subscription.quantity
        elif subscription.status == "suspended":
            entry.suspended += subscription.quantity
        elif subscription.status in {"expired", "disabled"}:
            entry.warning += subscription.quantity
    people = sum(user.state == "active" for user in users_of(emulator, customer))
    for entry in found.values():
        entry.consumed = min(people, entry.total)
    return sorted(found.values(), key=lambda entry: entry.name)


def _product(emulator: Emulator, subscription: Subscription) -> Licensed:
    offer = emulator.world.offers.get(subscription.offer_id)
    name = offer.product_name if offer is not None else subscription.offer_name
    key = offer.product_id if offer is not None else subscription.offer_id
    words = "".join(letter if letter.isalnum() else " " for letter in name).upper().split()
    return Licensed(id=str(uuid5(NAMESPACE_URL, key.lower())), name=name, part_number="_".join(words))


def licenses_of(emulator: Emulator, customer: Customer, user: CustomerUser) -> list[Licensed]:
    """Return the products that this user has a license of."""
    active = [row.id for row in users_of(emulator, customer) if row.state == "active"]
    if user.id not in active:
        return []
    place = active.index(user.id)
    return [product for product in products_of(emulator, customer) if place < product.consumed]
