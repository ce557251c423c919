"""How the wire shows products, SKUs and availabilities (wire room, commerce reference 1.2)."""

from __future__ import annotations

from partner_center_emulator.products.availability import Item, term_id
from partner_center_emulator.products.prices import SYMBOLS, currency_of
from partner_center_emulator.state.catalog import Plan, Product, Sku
from partner_center_emulator.wire import Json, attributes, link

# OneTime, Monthly ...: availabilities and promotions write the cycle in PascalCase, everything else in snake case.
CYCLE_NAMES = {
    "monthly": "Monthly", "annual": "Annual", "triennial": "Triennial", "one_time": "OneTime", "none": "None",
}  # fmt: skip


class Place:
    """Where the catalog is read: by country, or below a customer (its links name no country)."""

    def __init__(self, country: str, customer_id: str = "") -> None:
        self.country = country
        self.prefix = f"/customers/{customer_id}" if customer_id else ""
        self.suffix = "" if customer_id else f"?country={country}"

    def uri(self, path: str) -> str:
        """Return the link's address of a path below ``/products``."""
        return f"{self.prefix}/products/{path}{self.suffix}"


def wire_product(product: Product, place: Place) -> Json:
    """Return one Product."""
    kind: Json = {"id": product.type, "displayName": product.type}
    if product.sub_type:
        kind["subType"] = {"id": product.sub_type, "displayName": product.sub_type}
    return {
        "id": product.id,
        "title": product.title,
        "description": product.description,
        "productType": kind,
        "isMicrosoftProduct": product.is_microsoft_product,
        "publisherName": product.publisher,
        "links": {"skus": link(place.uri(f"{product.id}/skus")), "self": link(place.uri(product.id))},
        "localizedAttributes": [{"key": "OfferType", "value": "OfferType"}, {"key": "Standard", "value": "Standard"}],
    }


def wire_sku(product: Product, sku: Sku, place: Place) -> Json:
    """Return one Sku."""
    path = f"{product.id}/skus/{sku.id}"
    body: Json = {
        "id": sku.id,
        "productId": product.id,
        "title": sku.title,
        "description": sku.description,
        "minimumQuantity": sku.minimum_quantity,
        "maximumQuantity": sku.maximum_quantity,
        "isTrial": sku.is_trial,
        "supportedBillingCycles": list(dict.fromkeys(plan.billing_cycle for plan in sku.plans)),
        "purchasePrerequisites": ["MicrosoftCustomerAgreement"],
        "inventoryVariables": [],
        "provisioningVariables": [],
        "actions": ["Refund"],
        "dynamicAttributes": _dynamic(product, sku),
        "links": {"availabilities": link(place.uri(f"{path}/availabilities")), "self": link(place.uri(path))},
    }
    if sku.enforces_attestation:
        body["attestationProperties"] = {"attestationType": "EligibleOrganization", "enforceAttestation": True}
    return body


def _dynamic(product: Product, sku: Sku) -> Json:
    members: Json = {
        "isMicrosoftProduct": product.is_microsoft_product,
        "hasConstraints": bool(sku.is_pooled or sku.concurrent_limit or sku.lifetime_limit),
        "isAddon": bool(sku.required_skus),
        "prerequisiteSkus": [key.replace(":", "/") for key in sku.required_skus],
        "upgradeTargetOffers": list(sku.upgrade_targets),
        "internal": False,
    }
    if sku.converts_to:
        members["conversionInstructions"] = [{"convertsTo": sku.converts_to}]
    return members


def wire_availability(item: Item, place: Place, *, whole: bool = False) -> Json:
    """Return one Availability; ``whole`` adds the product and the SKU, as a read by id does."""
    product, sku = item.product, item.sku
    currency = currency_of(item.country)
    path = f"{product.id}/skus/{sku.id}/availabilities/{item.availability_id}"
    body: Json = {
        "id": item.availability_id,
        "productId": product.id,
        "skuId": sku.id,
        "catalogItemId": item.catalog_item_id,
        "defaultCurrency": {"code": currency, "symbol": SYMBOLS[currency]},
        "segment": item.segment,
        "country": item.country,
        "isPurchasable": True,
        "isRenewable": product.type in ("OnlineServicesNCE", "SaaS"),
        "renewalInstructions": _renewals(product, sku),
        "terms": [_term(product, sku, plan) for plan in sku.plans],
        "links": {"self": link(place.uri(path))},
        "attributes": attributes("Availability"),
    }
    if whole:
        body["product"] = wire_product(product, place)
        body["sku"] = wire_sku(product, sku, place)
    return body


def _renewals(product: Product, sku: Sku) -> list[Json]:
    if product.type not in ("OnlineServicesNCE", "SaaS"):
        return []
    option: Json = {"renewToId": sku.converts_to or f"{product.id}:{sku.id}", "isAutoRenewable": True}
    return [{"applicableTermIds": [term_id(sku, plan)], "renewalOptions": [option]} for plan in sku.plans]


def _term(product: Product, sku: Sku, plan: Plan) -> Json:
    body: Json = {
        "id": term_id(sku, plan),
        "duration": plan.duration,
        "description": plan.description,
        "billingCycle": CYCLE_NAMES[plan.billing_cycle],
    }
    refunds = _refunds(product, plan)
    body["cancellationPolicies"] = [{"refundOptions": refunds}] if refunds else []
    return body


def _refunds(product: Product, plan: Plan) -> list[Json]:
    # the same windows as subscriptions/windows.py computes them, in the catalog's own words (commerce 3.5)
    spans = {
        "OnlineServicesNCE": [("Full", "P1D"), ("Partial", "P7D")],
        "Software": [("Partial", "P7D")] if plan.duration else [("Full", "P30D")],
        "SaaS": [("Full", "P1D" if plan.duration == "P1M" else "P14D")],
        "Azure": [],
    }[product.type]
    return [{"sequenceId": number, "type": kind, "expiresAfter": after} for number, (kind, after) in enumerate(spans)]
