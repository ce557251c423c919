"""Perpetual software that a customer bought through a partner tenant (domain room, commerce reference 3.2).

It makes an entitlement and no subscription, so no list of subscriptions shows it; nothing of it is transferred (R-151).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedSoftware:
    """One entitlement to perpetual software. ``sku_id`` is ``PRODUCT:SKU``: an entitlement has no name.

    ``count`` is None where Partner Center does not say it; ``status`` is Microsoft's word, empty without one.
    """

    sku_id: str
    count: int | None
    status: str = ""
    order_id: str = ""

    def words(self) -> str:
        """What it is, in a few words."""
        count = "an unknown number" if self.count is None else str(self.count)
        status = self.status if self.status.lower() != "valid" else ""
        more = ", ".join(one for one in (f"order {self.order_id}" if self.order_id else "", status) if one)
        return f"{count} of {self.sku_id}{f' ({more})' if more else ''}"
