"""The one call of an intent, made once (flow room). What it raises says whether it may have had an effect."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import (
    CustomerId,
    OfferId,
    OrderLine,
    PlacedOrder,
    SkuTerm,
    Subscription,
    SubscriptionId,
    TenantId,
)
from tenantfold.domain.products import AZURE_PLAN_SKU, is_modern_offer
from tenantfold.domain.reads import Read
from tenantfold.domain.requests import Transfer, TransferId, TransferState
from tenantfold.errors import NoAnswerError, RefusedError, StoreError, UnavailableError, UnexpectedAnswerError
from tenantfold.flow.partner_center import PartnerCenter

T = TypeVar("T")

_BY_USE = SkuTerm(duration="", billing_cycle="one_time")  # how an Azure plan is sold (commerce reference 1.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What a call needs beside its intent: the tenant it goes to, what was read last, and names Microsoft wants."""

    center: PartnerCenter
    reads: dict[SubscriptionId, Read[Subscription]]
    tenant_names: Mapping[TenantId, str]
    country: str

    async def call(self, intent: Intent) -> Outcome:
        """Make the call; returns its outcome, its time still to be set. A changed document is kept in ``reads``."""
        return await (self._cutover(intent) if intent.kind.is_cutover else self._other(intent))

    async def _cutover(self, intent: Intent) -> Outcome:
        center, request_id = self.center, intent.request_id
        match intent.kind:
            case OpKind.ATTEST_AGREEMENT if intent.contact is not None:
                await center.attest_agreement(intent.customer_id, intent.contact, request_id)
                return _done(intent)
            case OpKind.PLACE_ORDER if any(is_modern_offer(line.offer_id) for line in intent.lines):
                return await self._bought(intent, intent.customer_id, request_id)
            case OpKind.PLACE_ORDER:
                order = center.place_order(intent.customer_id, intent.billing_cycle, intent.lines, request_id)
                return await _placed(intent, order)
            case OpKind.BUY_ADD_ONS if intent.order_id is not None:
                order = center.buy_add_ons(intent.customer_id, intent.order_id, intent.lines, request_id)
                return await _placed(intent, order)
            case OpKind.SUSPEND:
                return await self._changed(intent, intent.subjects[0])
            case OpKind.WITHDRAW | OpKind.REACTIVATE if intent.target_id is not None:
                return await self._changed(intent, intent.target_id)
            case _:
                raise _incomplete(intent)

    async def _changed(self, intent: Intent, subscription_id: SubscriptionId) -> Outcome:
        """Change what was read; Microsoft refuses when it is not as it was read any more (eTag)."""
        read = self.reads[subscription_id]
        match intent.kind:
            case OpKind.REACTIVATE:
                changed = self.center.activate(intent.customer_id, read, intent.request_id)
            case OpKind.STOP_RENEWAL:
                changed = self.center.stop_renewal(intent.customer_id, read, intent.request_id)
            case _:
                changed = self.center.suspend(intent.customer_id, read, intent.request_id)
        self.reads[subscription_id] = await changed
        return _done(intent)

    async def _other(self, intent: Intent) -> Outcome:
        center, customer_id, request_id = self.center, intent.customer_id, intent.request_id
        match intent.kind:
            case OpKind.REQUEST_TRANSFER if intent.transfer is not None:
                name = self.tenant_names.get(intent.transfer.source_id, "")
                wish = replace(intent.transfer, source_name=intent.transfer.source_name or name)
                return _answered(intent, await center.request_transfer(customer_id, wish, request_id))
            case OpKind.SUBMIT_TRANSFER:
                transfer = await self._transfer(intent)
                return _answered(
                    intent, await center.submit_transfer(customer_id, transfer, intent.entries, request_id)
                )
            case OpKind.CANCEL_TRANSFER:
                transfer = await self._transfer(intent)
                return _answered(intent, await center.cancel_transfer(customer_id, transfer, request_id))
            case OpKind.OPEN_SERVICE_REQUEST if intent.service_request is not None:
                opened = await center.open_service_request(customer_id, intent.service_request, request_id)
                return replace(_done(intent), reference=opened.id)
            case OpKind.CANCEL_AZURE_DEFAULT:
                plan_id = SubscriptionId(intent.reference)
                await center.cancel_azure_subscription(customer_id, plan_id, intent.subjects[0], request_id)
                return _done(intent)
            case OpKind.STOP_RENEWAL:
                return await self._changed(intent, intent.subjects[0])
            case OpKind.BUY_AGAIN | OpKind.BUY_AZURE_PLAN:
                return await self._bought(intent, customer_id, request_id)
            case _:
                raise _incomplete(intent)

    async def _transfer(self, intent: Intent) -> Transfer:
        """The transfer an intent acts on, as it is now; one that is not listed cannot be acted on."""
        found = await _before(self.center.transfers(intent.customer_id))
        for one in found:
            if one.id == TransferId(intent.reference):
                if one.state in {TransferState.PENDING, TransferState.UNKNOWN}:
                    return one
                raise RefusedError(f"The transfer {one.id} is {one.status} already.")
        raise RefusedError(f"The transfer {intent.reference} is not in the list of this tenant any more.")

    async def _bought(self, intent: Intent, customer_id: CustomerId, request_id: UUID) -> Outcome:
        """Buy by catalog items, which change with time: they are looked up right before (commerce reference 1.2)."""
        if intent.kind is OpKind.BUY_AZURE_PLAN:
            lines = [_plan_line(intent, await self._catalog_item(AZURE_PLAN_SKU, _BY_USE))]
        else:
            lines = [await self._resolved(line, intent.billing_cycle) for line in intent.lines]
        cycle = intent.billing_cycle or _BY_USE.billing_cycle
        return await _placed(intent, self.center.buy(customer_id, cycle, lines, request_id))

    async def _resolved(self, line: OrderLine, billing_cycle: str) -> OrderLine:
        sold_as = SkuTerm(duration=line.term_duration, billing_cycle=billing_cycle)
        return replace(line, offer_id=await self._catalog_item(line.offer_id, sold_as))

    async def _catalog_item(self, sku_id: OfferId, sold_as: SkuTerm) -> OfferId:
        """The catalog item of a ``PRODUCT:SKU``; RefusedError where it is not sold so, before anything was sent."""
        item = await _before(self.center.catalog_item(sku_id, self.country, sold_as))
        if item is None:
            how = f" for {sold_as.duration or 'no term'}, billed {sold_as.billing_cycle}" if sold_as != _BY_USE else ""
            raise RefusedError(f"{sku_id} is not sold{how} in the customer's country ({self.country or 'unknown'}).")
        return item


def _plan_line(intent: Intent, item: OfferId) -> OrderLine:
    return OrderLine(
        source_subscription_id=intent.subjects[0], offer_id=item, license_count=1, friendly_name="Azure plan"
    )


async def _before(read: Awaitable[T]) -> T:
    """A read in front of the write: whatever goes wrong with it, the write was not made."""
    try:
        return await read
    except (NoAnswerError, UnexpectedAnswerError) as error:
        raise UnavailableError(error.message, next_step=error.next_step, **error.facts) from error


async def _placed(intent: Intent, order: Awaitable[PlacedOrder]) -> Outcome:
    placed = await order
    return replace(_done(intent), order_id=placed.id, lines=placed.lines)


def _answered(intent: Intent, transfer: Transfer) -> Outcome:
    return replace(_done(intent), reference=transfer.id)


def _done(intent: Intent) -> Outcome:
    return Outcome(intent_key=intent.key, kind=OutcomeKind.DONE, at=intent.at)


def _incomplete(intent: Intent) -> StoreError:
    return StoreError(f"Intent {intent.key} of kind {intent.kind.value} lacks what its call needs.")
