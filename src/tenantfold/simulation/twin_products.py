"""The twin's new commerce (simulation room): what the target's catalogs list, what is held, and what the plan orders.

Nothing comes from the emulator's own catalog: a twin that sold what the partner's catalog does not would predict
orders that Microsoft refuses. The Azure plan alone is not in those catalogs; its id is published.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import get_args

from partner_center_emulator.products.availability import parse_item_id
from partner_center_emulator.seed.new_commerce import elapsed_terms
from partner_center_emulator.state.catalog import Plan, Product, ProductKind, Sku
from partner_center_emulator.state.commerce import SubscriptionTerms
from partner_center_emulator.subscriptions.months import midnight_after, term_end
from partner_center_emulator.world import Subscription as TwinSubscription
from partner_center_emulator.world import World
from tenantfold.domain.model import OfferId, SkuTerm
from tenantfold.domain.model import Sku as ReadSku
from tenantfold.domain.preflight.capacity import POOLED
from tenantfold.domain.products import AZURE_PLAN, AZURE_PLAN_SKU
from tenantfold.domain.reads import Read
from tenantfold.simulation.twin_documents import KeptAttestation, KeptSkuFacts, sku_document

_KINDS: tuple[ProductKind, ...] = get_args(ProductKind)
_LICENSES: ProductKind = "OnlineServicesNCE"
_NO_LIMIT = 10_000_000  # what the catalog says where there is none (commerce reference 1.1)
_PRICE = "0"  # prices are not in the catalog


class Products:
    """Fills a world's new-commerce catalog and the terms of what is held."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read_in: set[str] = set()  # countries whose catalog was read
        self._sold_in: dict[str, dict[str, set[SkuTerm]]] = defaultdict(dict)  # product:sku -> country -> its terms
        world.commerce.products = {AZURE_PLAN: _azure_plan()}
        world.commerce.promotions = {}

    def add(self, country: str, skus: Iterable[Read[ReadSku]]) -> None:
        """Take the new-commerce catalog of a country, as it was read at the target."""
        self._read_in.add(country.upper())
        for read in skus:
            sku = self._of_catalog(read)
            for term in read.value.terms:
                self._sell(read.value.id, sku, country, term)

    def order(self, country: str, key: OfferId, title: str, wanted: SkuTerm) -> bool:
        """Take what the plan orders; True where it is sold only because nobody read that country's catalog."""
        if country.upper() in self._read_in or key == AZURE_PLAN_SKU:
            return False
        self._sell(key, self._sku(key, title, _LICENSES), country, wanted)
        return True

    def hold(self, subscription: TwinSubscription, product_type: str, duration: str) -> None:
        """Give a subscription the terms of new commerce; nothing about them but the term itself is known."""
        product_id, sku_id, _ = parse_item_id(subscription.offer_id)
        kind: ProductKind = next((one for one in _KINDS if one == product_type), _LICENSES)
        sku = self._sku(OfferId(f"{product_id}:{sku_id}"), subscription.offer_name, kind)
        _offer(sku, SkuTerm(duration=duration, billing_cycle=subscription.billing_cycle))
        terms = self._world.commerce.terms[subscription.id] = SubscriptionTerms(
            product_id=product_id,
            sku_id=sku_id,
            product_type=kind,
            term_duration=duration,
            purchased_at=subscription.created_at,
            term_started_at=subscription.created_at,
            anchor=subscription.effective_start,
            currency=self._world.partner_tenants[subscription.tenant_id].currency,
            unit_price=_PRICE,
            list_price=_PRICE,
            terms_elapsed=elapsed_terms(subscription.effective_start, duration, subscription.commitment_end),
        )
        if term_end(terms.anchor, duration, terms.terms_elapsed) != subscription.commitment_end:
            terms.custom_term_end = subscription.commitment_end  # aligned or moved: the next term counts from its end
        if subscription.status in {"expired", "disabled"}:
            # never before the start: what the inventory shows is what is there when the rehearsal begins
            terms.state_since = max(midnight_after(subscription.commitment_end), self._world.started_at)
            terms.disabled_days = 90

    def close(self, countries: Iterable[str]) -> int:
        """Note for every SKU in which countries it is not sold; returns how many are sold on other terms elsewhere."""
        everywhere = {one.upper() for one in countries} | self._read_in
        uneven = 0
        for product in self._world.commerce.products.values():
            for sku in product.skus:
                sold = self._sold_in.get(f"{product.id}:{sku.id}", {})
                if product.id != AZURE_PLAN:
                    sku.not_sold_in = sorted(everywhere - sold.keys())
                uneven += len({frozenset(terms) for terms in sold.values()}) > 1
        return uneven

    # --- parts ---

    def _of_catalog(self, read: Read[ReadSku]) -> Sku:
        listed, document = read.value, sku_document(read)
        facts = document.dynamic_attributes or KeptSkuFacts()
        attested = document.attestation_properties or KeptAttestation()
        sku = self._sku(listed.id, listed.title, _LICENSES)
        product = self._world.commerce.products[parse_item_id(listed.id)[0]]
        product.views = ["OnlineServices"]
        sku.description = document.description or ""
        sku.minimum_quantity = listed.minimum_quantity
        sku.maximum_quantity = listed.maximum_quantity or _NO_LIMIT
        # a small maximum counts over all partners, unless the catalog says that there are no constraints
        sku.is_pooled = sku.maximum_quantity < POOLED and facts.has_constraints is not False
        sku.is_trial = listed.is_trial
        sku.required_skus = list(listed.prerequisites)
        sku.enforces_attestation = bool(attested.enforce_attestation)
        return sku

    def _sku(self, key: OfferId, title: str, kind: ProductKind) -> Sku:
        """The SKU of a ``product:sku``; made when there is none, sold nowhere yet."""
        product_id, sku_id, _ = parse_item_id(key)
        products = self._world.commerce.products
        product = products.get(product_id)
        if product is None:
            product = Product(id=product_id, title=title, description="", type=kind, views=[], skus=[])
            products[product_id] = product
        sku = next((one for one in product.skus if one.id == sku_id), None)
        if sku is None:
            sku = Sku(id=sku_id, title=title, description="", plans=[])
            product.skus.append(sku)
        return sku

    def _sell(self, key: OfferId, sku: Sku, country: str, term: SkuTerm) -> None:
        self._sold_in[key].setdefault(country.upper(), set()).add(term)
        _offer(sku, term)


def _offer(sku: Sku, term: SkuTerm) -> None:
    if not any((plan.duration, plan.billing_cycle) == (term.duration, term.billing_cycle) for plan in sku.plans):
        sku.plans.append(Plan(duration=term.duration, billing_cycle=term.billing_cycle, price=_PRICE))


def _azure_plan() -> Product:
    """The Azure plan under its published id: one at each partner of a customer (commerce reference 1.2, 3.2)."""
    sku = Sku(
        id=AZURE_PLAN_SKU.partition(":")[2],
        title="Azure plan",
        description="",
        plans=[Plan(duration="", billing_cycle="one_time", price=_PRICE)],
        maximum_quantity=1,
        concurrent_limit=1,
        unit_type="Usage-based",
    )
    views = ["Azure", "MicrosoftAzure"]
    return Product(
        id=AZURE_PLAN, title=sku.title, description="", type="Azure", sub_type="Azure", views=views, skus=[sku]
    )
