"""The new-commerce catalog, purchases from it, and owned software (partnercenter room, commerce 1.2, 2.3, 3.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from tenantfold.domain.model import CustomerId, OfferId, OrderLine, PlacedOrder, Sku, SkuTerm
from tenantfold.domain.reads import Read
from tenantfold.domain.software import OwnedSoftware
from tenantfold.errors import NotFoundError
from tenantfold.partnercenter import wire_commerce, wire_products, wire_routes
from tenantfold.partnercenter.resource import Resource, understood

_AT_ONCE = 8  # reads of the catalog beside each other; the budget paces them anyway


class ProductCalls(Resource):
    """Reading what is sold, and buying it."""

    async def skus(self, country: str) -> tuple[Read[Sku], ...]:
        """The new-commerce license SKUs sold in a country, with the terms they are sold for.

        One call, one for each product and one for each SKU: the catalog has no shorter way.
        """
        query = wire_routes.licenses_in(country)
        products = [
            product
            async for item in self._items(wire_routes.PRODUCTS, {}, query)
            if (product := wire_products.license_product(item)) is not None
        ]
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(product_id: str) -> list[Read[Sku]]:
            async with gate:
                return await self._skus_of(product_id, country)

        return tuple(sku for found in await asyncio.gather(*map(one, products)) for sku in found)

    async def _skus_of(self, product_id: str, country: str) -> list[Read[Sku]]:
        place = wire_routes.in_country(country)
        try:
            items = [item async for item in self._items(wire_routes.SKUS, {"product": product_id}, place)]
        except NotFoundError:  # sold in the list, gone a moment later
            return []
        found: list[Read[Sku]] = []
        for item in items:
            sku_id = wire_products.sku_id_of(item)
            offered = await self._availabilities(product_id, sku_id, country)
            found.append(wire_products.read_sku(item, product_id, country, offered))
        return found

    async def catalog_item(self, sku_id: OfferId, country: str, sold_as: SkuTerm) -> OfferId | None:
        """The catalog item (product:sku:availability) that is bought for a SKU on these terms; None: not sold so.

        Asked for right before a purchase: the ids rotate.
        """
        product_id, _, sku = sku_id.partition(":")
        return wire_products.item_for(await self._availabilities(product_id, sku, country), sold_as)

    async def _availabilities(self, product_id: str, sku_id: str, country: str) -> list[wire_products.Availability]:
        ids, place = {"product": product_id, "sku": sku_id}, wire_routes.in_country(country)
        try:
            return [
                wire_products.read_availability(item)
                async for item in self._items(wire_routes.AVAILABILITIES, ids, place)
            ]
        except NotFoundError:
            return []

    async def software(self, customer_id: CustomerId) -> tuple[OwnedSoftware, ...]:
        """The perpetual software a customer bought through this tenant (commerce reference 3.2)."""
        return tuple(
            [
                owned
                async for item in self._items(wire_routes.ENTITLEMENTS, {"customer": customer_id}, wire_routes.SOFTWARE)
                if (owned := wire_products.read_software(item)) is not None
            ]
        )

    async def buy(
        self, customer_id: CustomerId, billing_cycle: str, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Order new-commerce subscriptions (or an Azure plan), one line each, by catalog item and term.

        The subscription ids of the answer's lines are None until they are provisioned.
        """
        body = wire_commerce.order_body(customer_id, billing_cycle, lines)
        answer = await self._write(wire_routes.PLACE_ORDER, request_id, body, customer=customer_id)
        return understood(answer, wire_commerce.read_order)
