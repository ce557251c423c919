"""The Partner Center client (partnercenter room): one method per call of the API, decides nothing.

Implements the ``PartnerCenter`` protocol of ``flow.ports`` and is usable alone: see ``connect``. One client per partner
tenant. Bodies and wire names are in ``wire*.py``, what is retried in ``transport.py``, errors in ``failures.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from tenantfold.domain.model import (
    AgreementContact,
    Customer,
    CustomerId,
    Offer,
    OrderId,
    OrderLine,
    PlacedOrder,
    Subscription,
    SubscriptionId,
    TenantId,
    WireStatus,
)
from tenantfold.domain.reads import Page, PartnerIdentity, Read
from tenantfold.domain.resellers import Reseller
from tenantfold.errors import (
    NoAnswerError,
    NotFoundError,
    PartnerCenterError,
    RefusedError,
    UnexpectedAnswerError,
)
from tenantfold.partnercenter import wire_commerce, wire_customers, wire_routes
from tenantfold.partnercenter.auth import SignIn
from tenantfold.partnercenter.azure import AzureCalls
from tenantfold.partnercenter.clouds import Cloud
from tenantfold.partnercenter.delegated_admin import DelegatedAdminCalls
from tenantfold.partnercenter.identity import read_identity
from tenantfold.partnercenter.paging import all_items, following, guard_progress, pack, unpack
from tenantfold.partnercenter.products import ProductCalls
from tenantfold.partnercenter.resource import get_call, understood
from tenantfold.partnercenter.service_requests import ServiceRequestCalls
from tenantfold.partnercenter.transfers import TransferCalls
from tenantfold.partnercenter.transport import Transport
from tenantfold.partnercenter.webhooks import WebhookCalls
from tenantfold.partnercenter.wire import decode, decode_items

_ACCEPTED = 202
_IDENTICAL_AGREEMENT = "600061"


class PartnerCenterClient(
    TransferCalls, AzureCalls, ProductCalls, ServiceRequestCalls, DelegatedAdminCalls, WebhookCalls
):
    """Partner Center as one partner tenant sees it. Close what ``connect`` opened with ``aclose``."""

    def __init__(self, transport: Transport, sign_in: SignIn, *, tenant_id: TenantId, cloud: Cloud) -> None:
        super().__init__(transport, tenant_id=tenant_id, cloud=cloud)
        self._sign_in = sign_in
        self._template_id: str | None = None

    @property
    def calls(self) -> Counter[str]:
        """How many exchanges were made, by route template: ``{"GET /v1/customers": 200}``."""
        return self._transport.calls

    async def identity(self) -> PartnerIdentity:
        """Read who we are and which roles we hold (core reference 9.1, 1.7).

        Currency, partner id and roles are empty where the user may not read them. AuthError when sign-in fails.
        """
        return await read_identity(self._transport, self._sign_in, self._cloud)

    async def relationship_url(self, reseller_id: TenantId | None = None) -> str:
        """The tenant's relationship request URL, the same for all customers (R-97); a provider's can name a reseller.

        RefusedError in a cloud without, and where the reseller is none of this provider (R-220).
        """
        if not self._cloud.has_relationship_requests:
            raise RefusedError(f"The cloud {self._cloud.name!r} has no relationship requests.", cloud=self._cloud.name)
        query = wire_routes.behind(reseller_id) if reseller_id else None
        answer = await self._transport.send(get_call(wire_routes.RELATIONSHIP_REQUEST, query=query))
        return decode(answer.body, wire_customers.RelationshipRequest).url

    async def resellers(self) -> tuple[Reseller, ...]:
        """The indirect resellers of this provider (core reference 6.3); none for a direct-bill partner."""
        items = self._items(wire_routes.RELATIONSHIPS, {}, wire_routes.RESELLERS)
        return tuple([wire_customers.read_reseller(item) async for item in items])

    async def customer_page(self, next_link: str | None = None) -> Page[Read[Customer]]:
        """One page of up to 500 customers (thin items, core reference 3), from the start or from a next link.

        UnexpectedAnswerError when the page points to itself.
        """
        if next_link is None:
            call = get_call(wire_routes.CUSTOMERS, query=wire_routes.CUSTOMER_PAGE)
        else:
            call = following(wire_routes.CUSTOMERS, unpack(next_link), self._cloud.partner_center)
        items, link = decode_items((await self._transport.send(call)).body)
        following_link = pack(link) if link else None
        if following_link is not None:
            guard_progress(following_link, {next_link or ""})
        customers = tuple(wire_customers.read_customer(item, self._tenant_id) for item in items)
        return Page(items=customers, next_link=following_link)

    async def customers(self) -> AsyncIterator[Read[Customer]]:
        """All customers, page after page; one page is held at a time."""
        seen: set[str] = set()
        next_link: str | None = None
        while True:
            page = await self.customer_page(next_link)
            for customer in page.items:
                yield customer
            if page.next_link is None:
                return
            guard_progress(page.next_link, seen)
            next_link = page.next_link

    async def customer(self, customer_id: CustomerId) -> Read[Customer]:
        """One customer with country and contact (core reference 5.2). NotFoundError when there is no relationship."""
        answer = await self._read(wire_routes.CUSTOMER, customer=customer_id)
        return wire_customers.read_customer(answer.body, self._tenant_id)

    async def subscriptions(self, customer_id: CustomerId) -> tuple[Read[Subscription], ...]:
        """All subscriptions of a customer in every status, fresh (commerce reference 3.1)."""
        call = get_call(wire_routes.SUBSCRIPTIONS, {"customer": customer_id})
        return tuple(
            [
                wire_commerce.read_subscription(item, self._tenant_id, customer_id)
                async for item in all_items(self._transport, call, self._cloud.partner_center)
            ]
        )

    async def subscription(self, customer_id: CustomerId, subscription_id: SubscriptionId) -> Read[Subscription]:
        """One subscription, fresh. NotFoundError when it does not exist."""
        answer = await self._read(wire_routes.SUBSCRIPTION, customer=customer_id, subscription=subscription_id)
        return wire_commerce.read_subscription(answer.body, self._tenant_id, customer_id)

    async def orders(self, customer_id: CustomerId) -> tuple[PlacedOrder, ...]:
        """The orders of a customer. A new one may take 15 minutes to appear (commerce reference 0.7)."""
        call = get_call(wire_routes.ORDERS, {"customer": customer_id})
        return tuple(
            [
                wire_commerce.read_order(item)
                async for item in all_items(self._transport, call, self._cloud.partner_center)
            ]
        )

    async def offers(self, country: str) -> tuple[Read[Offer], ...]:
        """The legacy offers sold in a country (two letters), all pages (commerce reference 1.1)."""
        call = get_call(wire_routes.OFFERS, query=wire_routes.offers_in(country))
        return tuple(
            [
                wire_commerce.read_offer(item, country)
                async for item in all_items(self._transport, call, self._cloud.partner_center)
            ]
        )

    async def has_agreement(self, customer_id: CustomerId) -> bool:
        """Whether the Microsoft Customer Agreement is attested by us or signed by the customer directly (13605).

        True in a cloud without the agreements API: there is nothing to attest there, and a purchase says no by itself.
        """
        if not self._cloud.has_agreements:
            return True
        call = get_call(wire_routes.AGREEMENTS, {"customer": customer_id}, wire_routes.CUSTOMER_AGREEMENTS)
        async for item in all_items(self._transport, call, self._cloud.partner_center):
            if decode(item, wire_customers.Agreement).type == wire_customers.CUSTOMER_AGREEMENT:
                return True
        try:
            answer = await self._read(wire_routes.DIRECT_SIGNED, customer=customer_id)
        except NotFoundError:
            return False  # nothing on file for this customer, so nothing signed
        return decode(answer.body, wire_customers.DirectSignedStatus).is_signed

    async def attest_agreement(self, customer_id: CustomerId, contact: AgreementContact, request_id: UUID) -> None:
        """State that the customer accepted the agreement. An identical attestation (600061) counts as success."""
        if not self._cloud.has_agreements:
            raise RefusedError(f"The cloud {self._cloud.name!r} has no agreements to attest.", cloud=self._cloud.name)
        body = wire_customers.attestation_body(contact, await self._agreement_template())
        try:
            await self._write(wire_routes.ATTEST_AGREEMENT, request_id, body, customer=customer_id)
        except PartnerCenterError as error:
            if error.facts.get("code") != _IDENTICAL_AGREEMENT:
                raise

    async def place_order(
        self, customer_id: CustomerId, billing_cycle: str, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Order base subscriptions, one line each, in one order (commerce reference 2.3).

        A subscription id that is not assigned yet is None in the answer's line and appears later.
        """
        body = wire_commerce.order_body(customer_id, billing_cycle, lines)
        answer = await self._write(wire_routes.PLACE_ORDER, request_id, body, customer=customer_id)
        return understood(answer, wire_commerce.read_order)

    async def buy_add_ons(
        self, customer_id: CustomerId, order_id: OrderId, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Add add-on lines to the order of their base subscriptions (commerce reference 2.3).

        The answer is the whole order: the base lines that were there and the new ones after them.
        """
        body = wire_commerce.add_ons_body(customer_id, order_id, lines)
        answer = await self._write(wire_routes.CHANGE_ORDER, request_id, body, customer=customer_id, order=order_id)
        return understood(answer, wire_commerce.read_order)

    async def suspend(self, customer_id: CustomerId, read: Read[Subscription], request_id: UUID) -> Read[Subscription]:
        """Set a subscription to suspended, sending back the whole document it was read as, with its eTag (R-225).

        ConflictError when it changed since. Answered with 202, the change is under way and what a read shows is
        returned, whatever its status.
        """
        return await self._set_status(customer_id, read, WireStatus.SUSPENDED, request_id)

    async def activate(self, customer_id: CustomerId, read: Read[Subscription], request_id: UUID) -> Read[Subscription]:
        """Set a suspended subscription to active again, as ``suspend`` does; add-ons stay as they are."""
        return await self._set_status(customer_id, read, WireStatus.ACTIVE, request_id)

    async def stop_renewal(
        self, customer_id: CustomerId, read: Read[Subscription], request_id: UUID
    ) -> Read[Subscription]:
        """Turn a subscription's auto-renewal off, as ``suspend`` does: it ends with its term (R-132)."""
        body = wire_commerce.document_without_renewal(read.document)
        return await self._change(customer_id, read.value, body, request_id)

    async def _set_status(
        self, customer_id: CustomerId, read: Read[Subscription], status: WireStatus, request_id: UUID
    ) -> Read[Subscription]:
        body = wire_commerce.document_with_status(read.document, status)
        return await self._change(customer_id, read.value, body, request_id)

    async def _change(
        self, customer_id: CustomerId, subscription: Subscription, body: bytes, request_id: UUID
    ) -> Read[Subscription]:
        answer = await self._write(
            wire_routes.CHANGE_SUBSCRIPTION,
            request_id,
            body,
            etag=subscription.etag,
            customer=customer_id,
            subscription=subscription.id,
        )
        if answer.status != _ACCEPTED:
            return understood(
                answer, lambda document: wire_commerce.read_subscription(document, self._tenant_id, customer_id)
            )
        try:
            return await self.subscription(customer_id, subscription.id)
        except PartnerCenterError as error:
            # the change was accepted: no error of the look afterwards may say that nothing happened
            raise NoAnswerError(
                f"The change of {subscription.id} was accepted, but it could not be read afterwards.",
                next_step=error.next_step,
                **answer.facts,
            ) from error

    async def _agreement_template(self) -> str:
        if self._template_id is None:
            call = get_call(wire_routes.AGREEMENT_TEMPLATES, query=wire_routes.CUSTOMER_AGREEMENTS)
            items = all_items(self._transport, call, self._cloud.partner_center)
            templates = [decode(item, wire_customers.AgreementTemplate) async for item in items]
            self._template_id = wire_customers.newest_template(templates)
        if self._template_id is None:
            raise UnexpectedAnswerError("Partner Center lists no Microsoft Customer Agreement to attest.")
        return self._template_id
