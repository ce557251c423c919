"""What only new commerce and Azure subscriptions have on the wire (commerce reference 3.2)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from tenantfold.domain.model import CustomerId, ModernTerms, TenantId
from tenantfold.domain.software import OwnedSoftware
from tenantfold.partnercenter.wire_commerce import read_subscription
from tenantfold.partnercenter.wire_products import read_software

BARE = {"id": "S-1", "status": "active", "quantity": 5}
NEW = BARE | {"productType": {"id": "OnlineServicesNCE"}, "offerId": "CFQ7TTC0LF8S:0002:CFQ7TTC0K971"}


@pytest.mark.parametrize(
    ("members", "modern"),
    [
        pytest.param(BARE, None, id="legacy has none of it"),
        pytest.param(NEW, ModernTerms(), id="no promotion and no window"),
        pytest.param(NEW | {"promotionId": "39NFJQT1X7KP"}, ModernTerms(promotion_id="39NFJQT1X7KP"), id="promotion"),
        pytest.param(
            NEW | {"cancellationAllowedUntilDate": "2026-03-09T08:00:00Z"},
            ModernTerms(cancellable_until=datetime(2026, 3, 9, 8, tzinfo=UTC)),
            id="R-138 window",
        ),
        pytest.param(
            BARE | {"offerId": "MS-AZR-0145P", "entitlementId": "42226ED6-070A-4E0F-B80C-4CDFB3E97AA7"},
            ModernTerms(entitlement_id="42226ed6-070a-4e0f-b80c-4cdfb3e97aa7"),
            id="Azure subscription id",
        ),
    ],
)
def test_reads_what_only_new_commerce_and_azure_have(members: dict[str, object], modern: ModernTerms | None):
    """Promotion, cancellation window and the id that stays the same on both sides."""
    read = read_subscription(msgspec.json.encode(members), TenantId("t"), CustomerId("c"))
    assert read.value.modern == modern


@pytest.mark.parametrize(
    ("members", "owned"),
    [
        pytest.param(
            {
                "productId": "DG7GMGF0D7FX",
                "skuId": "0002",
                "quantity": 2,
                "quantityDetails": [{"quantity": 2, "status": "valid"}],
                "entitlementType": "software",
                "referenceOrder": {"id": "0A1B2C3D4E5F", "lineItemId": "0"},
            },
            OwnedSoftware(sku_id="DG7GMGF0D7FX:0002", count=2, status="valid", order_id="0A1B2C3D4E5F"),
            id="whole",
        ),
        pytest.param(
            {"productId": "DG7GMGF0D7FX"}, OwnedSoftware(sku_id="DG7GMGF0D7FX", count=None), id="nothing is made up"
        ),
        pytest.param({"productId": "DZH318Z0BQ3Q", "entitlementType": "reservedInstance"}, None, id="no software"),
    ],
)
def test_reads_perpetual_software(members: dict[str, object], owned: OwnedSoftware | None):
    """An entitlement without a subscription (commerce reference 3.2); what is missing stays unknown."""
    assert read_software(msgspec.json.encode(members)) == owned
