"""Our wire models against what Microsoft publishes: every sample is either read by a model or listed with a reason.

The samples are not part of this project. ``TENANTFOLD_WIRE_SAMPLES`` names their folder; without it these tests skip.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tenantfold.domain.model import Customer, CustomerId, Offer, PlacedOrder, Subscription, TenantId, WireStatus
from tenantfold.domain.reads import Read
from tenantfold.partnercenter import wire, wire_commerce, wire_customers
from tenantfold.partnercenter.wire_errors import Fault, read_fault

_FOLDER = os.environ.get("TENANTFOLD_WIRE_SAMPLES", "")
_TENANT = TenantId("3b33e682-00c3-41ee-9dd2-a548adf56438")
_CUSTOMER = CustomerId("c5757d70-06f3-4f23-8367-5a9e55019f94")

pytestmark = pytest.mark.skipif(not _FOLDER, reason="TENANTFOLD_WIRE_SAMPLES is not set: there are no samples to read")

Reader = Callable[[bytes], object]


def _one_subscription(body: bytes) -> Read[Subscription]:
    return wire_commerce.read_subscription(body, _TENANT, _CUSTOMER)


def _one_customer(body: bytes) -> Read[Customer]:
    return wire_customers.read_customer(body, _TENANT)


def _one_offer(body: bytes) -> Read[Offer]:
    return wire_commerce.read_offer(body, "US")


def _one_order(body: bytes) -> PlacedOrder:
    return wire_commerce.read_order(body)


def _model(model: type[object]) -> Reader:
    return lambda body: wire.decode(body, model)


def _each(read: Reader) -> Reader:
    return lambda body: [read(bytes(item)) for item in wire.decode_items(body)[0]]


READ_BY: dict[str, Reader] = {
    "change-the-billing-cycle": _one_order,
    "confirm-customer-consent-customer-agreement": _model(wire_customers.Agreement),
    "create-a-customer-for-an-indirect-reseller": _one_customer,
    "create-an-order": _one_order,
    "create-an-order-for-a-customer-of-an-indirect-reseller": _one_order,
    "get-a-customer-by-id": _one_customer,
    "get-a-customer-by-name": _each(_one_customer),
    "get-a-customer-s-company-profile": _model(wire_customers.CompanyProfile),
    "get-a-list-of-add-ons-for-a-subscription": _each(_one_subscription),
    "get-a-list-of-customers": _each(_one_customer),
    "get-a-list-of-orders-by-customer-and-billing-cycle-type": _each(_one_order),
    "get-a-list-of-subscriptions-by-order": _each(_one_subscription),
    "get-all-of-a-customer-s-subscriptions": _each(_one_subscription),
    "get-an-offer-by-id": _one_offer,
    "get-customer-agreement-metadata": _each(_model(wire_customers.AgreementTemplate)),
    "get-partner-by-mpn-id": _model(wire_customers.MpnProfile),
    "get-partner-by-mpn-id-2": read_fault,
    "get-partner-network-profile": _model(wire_customers.MpnProfile),
    "powershell-getpartneroffer": _each(_one_offer),
    "powershell-getpartnerofferbyofferid": _one_offer,
    "request-reseller-relationship": _model(wire_customers.RelationshipRequest),
}

_TRANSFERS = "transfers of new commerce are not made yet"
_CARTS = "orders are placed directly, without a cart"
_BILLS = "invoices and their lines are not read yet"
_USAGE = "usage-based consumption is billed and moved by Microsoft, not by us"
_NEW_COMMERCE = "new-commerce products and promotions are not sold by us yet"
_PORTAL = "a report of the portal that no use case needs"
_EVENTS = "changes are found by reading, not by webhooks"
_PROFILES = "a profile that no use case needs"

NO_MODEL_YET: dict[str, str] = {
    "accept-a-transfer": _TRANSFERS,
    "get-transfer-by-id": _TRANSFERS,
    "reject-a-transfer": _TRANSFERS,
    "create-a-cart": _CARTS,
    "update-a-cart": _CARTS,
    "convert-a-trial-subscription-to-paid": "trials are left out of the fold",
    "get-a-collection-of-invoices": _BILLS,
    "get-invoice-billed-consumption-lineitems": _BILLS,
    "get-invoice-billed-consumption-lineitems-2": _BILLS,
    "get-invoice-billed-unbilled-consumption": _BILLS,
    "get-invoice-billed-unbilled-consumption-2": _BILLS,
    "get-invoice-summaries": _BILLS,
    "get-invoice-unbilled-recon-lineitems": _BILLS,
    "get-invoice-unbilled-recon-lineitems-2": _BILLS,
    "get-a-customer-s-usage-records": _USAGE,
    "get-a-customer-subscription-s-usage-records": _USAGE,
    "get-a-customer-subscription-s-usage-records-2": _USAGE,
    "get-a-customer-subscription-usage-summary": _USAGE,
    "get-a-customer-usage-summary": _USAGE,
    "get-subscription-registration-status": _USAGE,
    "get-a-list-of-products-by-customer": _NEW_COMMERCE,
    "get-a-list-of-skus-for-a-product-by-customer": _NEW_COMMERCE,
    "get-a-sku-by-id": _NEW_COMMERCE,
    "get-promotion-by-id": _NEW_COMMERCE,
    "get-promotions": _NEW_COMMERCE,
    "transition-a-new-commerce-subscription": _NEW_COMMERCE,
    "transition-a-new-commerce-subscription-2": _NEW_COMMERCE,
    "verify-promotion-eligibility": _NEW_COMMERCE,
    "verify-promotion-eligibility-2": _NEW_COMMERCE,
    "get-a-list-of-available-licenses": "counts per tenant over all partners; parity is judged by subscriptions",
    "get-a-list-of-offer-categories-by-country-and-locale": "offers name their category themselves",
    "get-all-service-requests-for-a-customer": "hand-offs to support are recorded by a person",
    "get-api-request-details": _PORTAL,
    "get-portal-requests-without-mfa": _PORTAL,
    "get-customer-organization": "needs delegated admin in the customer's directory, which a fold must not depend on",
    "get-indirect-resellers-of-a-customer": "indirect resellers come in through the partner id on record",
    "get-support-profile": _PROFILES,
    "update-legal-business-profile": _PROFILES,
    "partner-center-webhooks": _EVENTS,
    "partner-center-webhooks-2": _EVENTS,
    "partner-center-webhooks-3": _EVENTS,
    "partner-center-webhooks-4": _EVENTS,
    "partner-center-webhooks-5": _EVENTS,
    "powershell-getpartnercountryvalidation": "addresses are never written by us",
    "remove-a-reseller-relationship-with-a-customer": "the relationship to the source tenant is never removed by us",
}


def _samples() -> dict[str, Path]:
    return {path.stem: path for path in sorted(Path(_FOLDER).glob("*.json"))}


def _body(name: str) -> bytes:
    sample = msgspec.json.decode(_samples()[name].read_bytes(), type=dict[str, msgspec.Raw])
    return bytes(sample["body"])


def _with_unknowns(value: object) -> object:
    """The same JSON with a member nobody knows in every object."""
    if isinstance(value, dict):
        return {**{name: _with_unknowns(member) for name, member in value.items()}, "brandNewMember": {"a": [1.5]}}
    if isinstance(value, list):
        return [_with_unknowns(item) for item in value]
    return value


def test_every_sample_is_read_or_listed_with_a_reason():
    """A new sample must not be overlooked, and a removed one not be kept on the list."""
    assert set(_samples()) == READ_BY.keys() | NO_MODEL_YET.keys()
    assert not READ_BY.keys() & NO_MODEL_YET.keys()


@pytest.mark.parametrize("name", sorted(READ_BY))
def test_reads_the_sample(name: str):
    """The model takes what Microsoft publishes, and finds something in it."""
    read = READ_BY[name](_body(name))
    assert read
    for one in read if isinstance(read, list) else [read]:
        _expect_content(one)


def _expect_content(one: object) -> None:
    value = one.value if isinstance(one, Read) else one
    match value:
        case Subscription():
            assert value.id
            assert value.offer_id
            assert value.created_at is not None
            assert value.wire_status == "active"
        case Customer():
            assert value.company_name
            assert value.relationship
        case Offer():
            assert value.name
            assert value.country == "US"
            assert 0 < value.minimum_quantity <= value.maximum_quantity
        case PlacedOrder():
            assert value.created_at is not None
            assert value.lines
        case Fault():
            assert value.code
            assert value.description
        case _:
            assert any(msgspec.to_builtins(value).values())


@pytest.mark.parametrize("name", sorted(READ_BY))
def test_members_nobody_knows_change_nothing(name: str):
    """Microsoft adds members without notice."""
    body = _body(name)
    grown = msgspec.json.encode(_with_unknowns(msgspec.json.decode(body)))
    before, after = READ_BY[name](body), READ_BY[name](grown)
    assert _values(before) == _values(after)


def _values(read: object) -> list[object]:
    found = [one.value if isinstance(one, Read) else one for one in (read if isinstance(read, list) else [read])]
    return [msgspec.to_builtins(value) for value in found]


@pytest.mark.parametrize("name", ["get-all-of-a-customer-s-subscriptions", "get-a-list-of-subscriptions-by-order"])
def test_unknown_members_and_statuses_survive_in_the_document(name: str):
    """What we don't understand is kept with the item and sent back with a suspension."""
    listing = msgspec.json.decode(_body(name))
    listing["items"][0]["status"] = "pending_review_hold"
    items, _ = wire.decode_items(msgspec.json.encode(_with_unknowns(listing)))
    read = _one_subscription(bytes(items[0]))
    assert read.value.wire_status == "pending_review_hold"
    document = msgspec.json.decode(read.document)
    assert document["brandNewMember"] == {"a": [1.5]}
    sent = msgspec.json.decode(wire_commerce.document_with_status(read.document, WireStatus.SUSPENDED))
    assert sent == {**document, "status": "suspended"}


def test_the_recorded_catalog_is_read_whole():
    """The one long answer recorded from the live service: every offer of it, add-ons and trials told apart."""
    offers = [read.value for read in READ_BY["powershell-getpartneroffer"](_body("powershell-getpartneroffer"))]  # type: ignore[attr-defined]  # the table says that it is a list
    assert len(offers) == msgspec.json.decode(_body("powershell-getpartneroffer"))["totalCount"]
    assert any(offer.is_add_on and offer.prerequisite_offers for offer in offers)
    assert any(offer.is_trial for offer in offers)
    assert {offer.limit_unit for offer in offers} == {"None", "Concurrent", "Lifetime"}
    assert {cycle for offer in offers for cycle in offer.billing_cycles} == {"annual", "monthly", "none"}
