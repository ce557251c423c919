"""What only new commerce and Azure subscriptions have on the wire (commerce reference 3.2)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from tenantfold.domain.model import CustomerId, ModernTerms, TenantId
from tenantfold.partnercenter.wire_commerce import read_subscription

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
