"""The twin (simulation room): from the inventory to an emulator world with the same customers and subscriptions.

``Twin`` takes what was read piece by piece, so that thousands of customers stream through; ``World`` comes out. What
the inventory does not say is made up and counted as an ``Assumption``: nothing is assumed in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import NAMESPACE_URL, uuid5

import msgspec

from partner_center_emulator.subscriptions.months import ENDLESS, term_end
from partner_center_emulator.world import (
    Address,
    Agreement,
    AppRegistration,
    Order,
    OrderLine,
    PartnerTenant,
    PartnerUser,
    Relationship,
    World,
)
from partner_center_emulator.world import Customer as TwinCustomer
from partner_center_emulator.world import Subscription as TwinSubscription
from tenantfold.domain.model import (
    CommerceKind,
    Customer,
    Offer,
    OfferId,
    Route,
    Sku,
    Subscription,
    Tenant,
    TenantRole,
)
from tenantfold.domain.order_lines import wanted_offer, wanted_terms
from tenantfold.domain.plan import PlanCustomer, PlanItem
from tenantfold.domain.prediction import Assumption
from tenantfold.domain.products import is_modern_offer
from tenantfold.domain.reads import Read
from tenantfold.domain.routes import commerce_kind
from tenantfold.domain.states import Counterpart, Origin
from tenantfold.partnercenter.wire import parse_day
from tenantfold.simulation import twin_azure, twin_catalog
from tenantfold.simulation.twin_documents import KeptAddress, KeptCompany, customer_document, subscription_document
from tenantfold.simulation.twin_products import Products

TARGET_KEY = "target"  # the emulator's truth ledger knows the target by this key, whatever the settings call it
SYMBOLS: Mapping[str, str] = {"EUR": "€", "SEK": "kr", "NOK": "kr", "DKK": "kr", "GBP": "£", "USD": "$"}
_LONG_AGO = timedelta(days=400)
_AGREEMENT = "MicrosoftCustomerAgreement"

# The assumptions, by what they are about. Those with a number say for how many it was.
TEXTS: Mapping[str, str] = {
    "prices": "Prices are not in the inventory: the twin bills nothing, and the rehearsal says nothing about money.",
    "sign_in": "Sign-in always works: the twin has applications and users of its own and never sees a real secret.",
    "agreement": "Whether the Microsoft Customer Agreement is on file is not in the inventory: it is for customers "
    "that hold a subscription at the target already, and must be attested for all others.",
    "azure": "Azure resources, reservations and role assignments are not modeled; Azure subscriptions only exist, and "
    "the Azure plan is sold to everybody.",
    "azure_plan": "Azure plan or legacy Azure: one Azure subscription stands for all that is under it.",
    "provisioning": "A legacy order is provisioned at once, one of new commerce after seconds; Microsoft's real ones "
    "may take minutes.",
    "country": "Customer without a known country: it is taken to be in its tenant's.",
    "unread": "Customer that could not be read: it is there, without subscriptions.",
    "currency": "Tenant whose currency the emulator does not know: it bills in EUR.",
    "suspended": "Suspended subscription: taken to be suspended at the start, so that none is deleted meanwhile.",
    "term": "Subscription without an end of term: taken to end a year after the start.",
    "parent": "Add-on whose base subscription was not read: it stands alone.",
    "order": "Subscription without an order: it has one of its own.",
    "new_commerce": "New-commerce subscription: bought long ago, no window open, price and promotion unknown.",
    "ordered_new": "New-commerce product that the plan orders: sold as the target's catalog lists it, without "
    "promotion. How many of it a customer may have is not published, so no order is refused for that (R-125).",
    "unread_products": "Subscription to be ordered as new commerce in a country whose catalog was not read: it is sold "
    "there for the term and billing of the plan.",
    "uneven": "New-commerce product sold on other terms in some countries: every country that sells it has them all.",
    "transfers": "Transfer that the plan requests: Microsoft allows it, which nobody can ask beforehand (R-155), and "
    "takes minutes.",
    "by_hand": "Subscription that a person moves, or confirms: nobody does in a rehearsal, so it stays behind.",
    "off_catalog": "Offer that is held but in no catalog that was read: it cannot be ordered.",
    "partly_sold": "Offer that some catalogs list as not for sale: there it cannot be ordered.",
    "partner_id": "Partner id on record: the target accepts every one that the inventory shows.",
    "target_added": "Target subscription that the ledger knows and the inventory is too old to show: it is there.",
    "source_suspended": "Source subscription that was suspended after the inventory: it is suspended.",
    "left": "Source subscription that was transferred after the inventory: it has left its tenant.",
    "accepted": "Customer that accepted after the inventory: it is the target's customer.",
}

GENERAL = ("prices", "sign_in", "agreement", "azure", "provisioning")
_TRANSFERS = frozenset({Route.TRANSFER, Route.AZURE_TRANSFER})
_BY_HAND = frozenset({Route.MANUAL, Route.AZURE_SUPPORT})


class Twin:
    """Builds one world. Give it catalogs before customers; sources before the target; the plan; then ``finish``."""

    def __init__(self, tenants: Sequence[Tenant], starts_at: datetime, seed: int) -> None:
        self.world = World(seed=seed, started_at=starts_at)
        self._tenants = {tenant.id: tenant for tenant in tenants}
        self._counts: Counter[str] = Counter()
        self._parents: dict[str, str] = {}  # source subscription -> target subscription, both bases
        self._offers = twin_catalog.Catalog(self.world)
        self._products = Products(self.world)
        self._replaced: set[tuple[OfferId, OfferId]] = set()  # legacy offers, and what the plan orders for them
        self._ordered: set[OfferId] = set()  # product:sku
        for tenant in tenants:
            self.world.partner_tenants[tenant.id] = self._partner(tenant)

    @property
    def target(self) -> PartnerTenant:
        """The tenant everything is folded into."""
        return next(one for one in self.world.partner_tenants.values() if one.key == TARGET_KEY)

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What was made up, general things first."""
        counted = [Assumption(text=TEXTS[name], count=self._counts[name]) for name in TEXTS if self._counts[name]]
        return tuple(Assumption(text=TEXTS[name]) for name in GENERAL) + tuple(counted)

    def add_offers(self, country: str, offers: Iterable[Read[Offer]]) -> None:
        """Take the catalog of one country, as it was read at the target."""
        self._counts["partly_sold"] += self._offers.add(country, offers)

    def add_skus(self, country: str, skus: Iterable[Read[Sku]]) -> None:
        """Take the new-commerce catalog of one country, as it was read at the target."""
        self._products.add(country, skus)

    def add_plan(self, planned: PlanCustomer) -> None:
        """Take what the plan does with one customer: the twin sells what is ordered where nobody read the catalog."""
        customer = self.world.customers.get(planned.customer_id)
        for item in planned.items:
            self._counts["transfers"] += item.route in _TRANSFERS
            self._counts["by_hand"] += item.route in _BY_HAND
            if customer is not None and item.target_offer_id is not None:
                self._order(item, customer.address.country)

    def add_customer(
        self, tenant_id: str, read: Read[Customer], subscriptions: Sequence[Read[Subscription]], *, is_read: bool
    ) -> None:
        """Take one customer of one tenant with everything it holds there."""
        customer = read.value
        if customer.id not in self.world.customers:
            self.world.customers[customer.id] = self._customer(tenant_id, read)
        self._counts["unread"] += not is_read
        document = customer_document(read)
        company = document.company_profile or KeptCompany()
        self.relate(
            tenant_id,
            customer.id,
            kind=customer.relationship,
            delegated_access=company.address is not None,
            reseller=document.associated_partner_id or "",
        )
        for held in subscriptions:
            self._hold(held)
        if tenant_id == self.target.id and subscriptions:
            self._attest(customer.id)

    def relate(
        self,
        tenant_id: str,
        customer_id: str,
        *,
        kind: str = "reseller",
        delegated_access: bool = False,
        reseller: str = "",
    ) -> None:
        """Let a customer be a tenant's customer since long ago."""
        self.world.relationships[f"{tenant_id}/{customer_id}"] = Relationship(
            tenant_id=tenant_id,
            customer_id=customer_id,
            since=self.world.started_at - _LONG_AGO,
            kind=kind,
            delegated_access=delegated_access,
            associated_partner_id=reseller,
        )

    def accepted_since(self, customer_id: str) -> None:
        """Take a customer whose acceptance the ledger noted after the inventory; known ones change nothing."""
        if customer_id in self.world.customers and f"{self.target.id}/{customer_id}" not in self.world.relationships:
            self._counts["accepted"] += 1
            self.relate(self.target.id, customer_id)

    def done_since(self, counterpart: Counterpart, item: PlanItem | None) -> None:
        """Take what a run did after the inventory, from the ledger: a target subscription, a suspension, a transfer.

        ``item`` is the source's part of the plan that ordered it; None: the target has what the source had.
        """
        source = self.world.subscriptions.get(counterpart.source_id)
        if source is None:
            return
        if counterpart.target_id:
            self._parents[source.id] = counterpart.target_id
        if counterpart.target_id and counterpart.target_id not in self.world.subscriptions:
            self._counts["target_added"] += 1
            self._add_counterpart(source, counterpart, item)
        if counterpart.suspended_at and source.status == "active":
            self._counts["source_suspended"] += 1
            source.status, source.suspended_at = "suspended", counterpart.suspended_at
        if counterpart.origin is Origin.TRANSFERRED and counterpart.target_id and not twin_azure.is_plan(source):
            self._counts["left"] += 1
            source.status, source.moved_to = "deleted", counterpart.target_id

    def is_add_on(self, subscription_id: str) -> bool:
        """Whether a source subscription hangs on another one."""
        held = self.world.subscriptions.get(subscription_id)
        return held is not None and held.parent_subscription_id is not None

    def finish(self) -> World:
        """The world, once everything is in: offers nobody sells any more, parents, partner ids."""
        known = self.world.subscriptions
        for subscription in known.values():
            parent = subscription.parent_subscription_id
            if parent and parent not in known:
                self._counts["parent"] += 1
            if subscription.id not in self.world.commerce.terms:
                self._counts["off_catalog"] += self._offers.keep_off_sale(subscription)
        on_record = {one.partner_id_on_record for one in known.values() if one.partner_id_on_record}
        self.world.reseller_partner_ids = sorted(on_record)
        self._counts["partner_id"] += len(on_record)
        for offer_id, other_id in sorted(self._replaced):
            self._offers.replace(offer_id, other_id)
        self._offers.close()
        countries = {one.address.country for one in self.world.customers.values()}
        self._counts["uneven"] += self._products.close(countries)
        self._counts["ordered_new"] = len(self._ordered)
        return self.world

    # --- parts ---

    def _order(self, item: PlanItem, country: str) -> None:
        offer_id = wanted_offer(item)
        if is_modern_offer(offer_id):
            self._ordered.add(offer_id)
            title = item.target_offer_name or item.offer_name
            self._counts["unread_products"] += self._products.order(country, offer_id, title, wanted_terms(item))
        if item.moves and offer_id != item.offer_id:
            self._replaced.add((item.offer_id, offer_id))

    def _partner(self, tenant: Tenant) -> PartnerTenant:
        key = tenant.key
        if tenant.role is TenantRole.TARGET:
            key = TARGET_KEY
        elif key == TARGET_KEY:
            key = f"{key}-source"
        domain = f"{key}.twin.example"
        currency = tenant.currency if tenant.currency in SYMBOLS else "EUR"
        self._counts["currency"] += currency != tenant.currency
        return PartnerTenant(
            id=tenant.id,
            key=key,
            company_name=tenant.name,
            domain=domain,
            address=Address(country=tenant.country or "US", city="Twin", address_line1="Twin 1", postal_code="0"),
            email=f"csp@{domain}",
            culture="en-US",
            language="en",
            currency=currency,
            currency_symbol=SYMBOLS[currency],
            partner_id=tenant.partner_id,
            apps=[
                AppRegistration(
                    client_id=_id(tenant.id, "app"),
                    secret=f"twin-{key}",
                    secret_expires_at=self.world.started_at + timedelta(days=3650),
                )
            ],
            users=[
                PartnerUser(
                    object_id=_id(tenant.id, "user"),
                    user_principal_name=f"fold@{domain}",
                    roles=["admin_agent", "global_admin"],
                )
            ],
        )

    def _customer(self, tenant_id: str, read: Read[Customer]) -> TwinCustomer:
        customer, document = read.value, customer_document(read)
        tenant = self.world.partner_tenants[tenant_id]
        self._counts["country"] += not customer.country
        billing = document.billing_profile
        company = document.company_profile or KeptCompany()
        kept = (billing.default_address if billing else None) or company.address or KeptAddress()
        return TwinCustomer(
            id=customer.id,
            commerce_id=document.commerce_id or _id(customer.id, "commerce"),
            company_name=customer.company_name,
            domain=customer.domain,
            address=Address(
                country=customer.country or tenant.address.country,
                city=kept.city or "",
                address_line1=kept.address_line1 or "",
                postal_code=kept.postal_code or "",
                state=kept.state or "",
                phone_number=kept.phone_number or "",
            ),
            email=customer.email,
            culture=(billing.culture if billing else None) or customer.language,
            language=(billing.language if billing else None) or customer.language,
            first_name=customer.first_name,
            last_name=customer.last_name,
            admin_upn=f"admin@{customer.domain or customer.id}",
        )

    def _attest(self, customer_id: str) -> None:
        target, since = self.target, self.world.started_at - _LONG_AGO
        self.world.agreements.append(
            Agreement(
                tenant_id=target.id,
                customer_id=customer_id,
                user_id=target.users[0].object_id,
                template_id=_id(_AGREEMENT, "template"),
                type=_AGREEMENT,
                first_name="",
                last_name="",
                email="",
                phone_number=None,
                date_agreed=f"{since:%Y-%m-%dT%H:%M:%SZ}",
            )
        )

    def _hold(self, read: Read[Subscription]) -> None:
        held = read.value
        subscription = self._subscription(read)
        self._counts["suspended"] += held.wire_status == "suspended"
        self.world.subscriptions[held.id] = subscription
        self._counts["azure_plan"] += twin_azure.stand_in(self.world, subscription)
        if held.product_type or ":" in held.offer_id:
            self._counts["new_commerce"] += 1
            self._products.hold(subscription, held.product_type, held.term_duration)
        else:
            self._enter_order(subscription)

    def _subscription(self, read: Read[Subscription]) -> TwinSubscription:
        held, document = read.value, subscription_document(read)
        created = held.created_at or self.world.started_at - _LONG_AGO
        return TwinSubscription(
            id=held.id,
            tenant_id=held.tenant_id,
            customer_id=held.customer_id,
            offer_id=held.offer_id,
            offer_name=held.offer_name,
            friendly_name=held.friendly_name,
            quantity=held.license_count,
            status=held.wire_status,
            order_id=self._order_id(held),
            created_at=created,
            effective_start=parse_day(document.effective_start_date) or created.date(),
            commitment_end=held.commitment_end_on or self._term_end(held),
            billing_cycle=held.billing_cycle,
            billing_type=held.billing_type,
            unit_type=held.unit_type or "Licenses",
            is_trial=held.is_trial,
            auto_renew=held.auto_renew,
            parent_subscription_id=held.parent_id,
            partner_id_on_record=held.partner_id_on_record or None,
            suspended_at=self.world.started_at if held.wire_status == "suspended" else None,
            entitlement_id=document.entitlement_id,
        )

    def _order_id(self, held: Subscription) -> str:
        if held.order_id:
            return held.order_id.lower()
        self._counts["order"] += 1
        return _id(held.id, "order")

    def _term_end(self, held: Subscription) -> date:
        self._counts["term"] += 1
        if commerce_kind(held) is CommerceKind.AZURE:
            return ENDLESS
        return (self.world.started_at + timedelta(days=365)).date()

    def _enter_order(self, subscription: TwinSubscription) -> None:
        """Put a subscription into its order; the first one makes it."""
        order = self.world.orders.get(subscription.order_id)
        if order is None:
            tenant = self.world.partner_tenants[subscription.tenant_id]
            order = self.world.orders[subscription.order_id] = Order(
                id=subscription.order_id,
                tenant_id=tenant.id,
                customer_id=subscription.customer_id,
                billing_cycle=subscription.billing_cycle,
                currency=tenant.currency,
                currency_symbol=tenant.currency_symbol,
                created_at=subscription.created_at,
                lines=[],
            )
        order.lines.append(
            OrderLine(
                line_item_number=len(order.lines),
                offer_id=subscription.offer_id,
                quantity=subscription.quantity,
                friendly_name=subscription.friendly_name,
                subscription_id=subscription.id,
                parent_subscription_id=subscription.parent_subscription_id,
                partner_id_on_record=subscription.partner_id_on_record,
            )
        )

    def _add_counterpart(self, source: TwinSubscription, counterpart: Counterpart, item: PlanItem | None) -> None:
        """The target subscription of a source, as the ledger says that it was made."""
        made_at = self.world.started_at
        if counterpart.cutover_on is not None:
            made_at = min(made_at, datetime.combine(counterpart.cutover_on, time(), tzinfo=UTC))
        subscription = msgspec.structs.replace(
            source,
            id=str(counterpart.target_id),
            tenant_id=self.target.id,
            status="suspended" if counterpart.withdrawn_at else "active",
            suspended_at=counterpart.withdrawn_at,
            order_id=counterpart.order_id.lower() or _id(str(counterpart.target_id), "order"),
            created_at=made_at,
            effective_start=made_at.date(),
            parent_subscription_id=self._parents.get(source.parent_subscription_id or ""),
            version=1,
        )
        self.world.subscriptions[subscription.id] = subscription
        if counterpart.origin is Origin.TRANSFERRED:
            self._transferred(source, subscription)
        elif item is not None and is_modern_offer(wanted_offer(item)):
            self._bought(subscription, item)
        else:
            subscription.offer_id = source.offer_id if item is None else wanted_offer(item)
            subscription.commitment_end = (made_at + timedelta(days=364)).date()
            self._enter_order(subscription)
        self._attest(subscription.customer_id)

    def _transferred(self, source: TwinSubscription, subscription: TwinSubscription) -> None:
        """What moved keeps its offer and the end of its term (R-149)."""
        terms = self.world.commerce.terms.get(source.id)
        if terms is not None:
            self._products.hold(subscription, terms.product_type, terms.term_duration)

    def _bought(self, subscription: TwinSubscription, item: PlanItem) -> None:
        """What was ordered as new commerce, for the term and billing of the plan."""
        wanted = wanted_terms(item)
        subscription.offer_id = wanted_offer(item)
        subscription.offer_name = item.target_offer_name or subscription.offer_name
        subscription.billing_cycle, subscription.parent_subscription_id = wanted.billing_cycle, None
        subscription.commitment_end = term_end(subscription.effective_start, wanted.duration)
        self._products.hold(subscription, "OnlineServicesNCE", wanted.duration)


def _id(of: str, what: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"twin/{of}/{what}"))
