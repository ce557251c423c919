"""What may be known about a customer beside the inventory. None always means: nobody looked (invariant 9).

A rule that needs such a fact and does not have it says "not verified"; it never guesses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tenantfold.domain.model import SubscriptionId


class BillingModel(StrEnum):
    """How a partner tenant is billed: only billing owners may transfer (R-145, R-216)."""

    DIRECT_BILL = "direct_bill"
    INDIRECT_PROVIDER = "indirect_provider"
    INDIRECT_RESELLER = "indirect_reseller"

    @property
    def owns_the_bill(self) -> bool:
        """Whether Microsoft bills this tenant."""
        return self is not BillingModel.INDIRECT_RESELLER


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureCommitment:
    """A reservation or savings plan of the customer. ``is_monthly`` is None where the payment is not known."""

    name: str
    status: str
    is_monthly: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFacts:
    """Optional facts of one customer.

    ``in_open_transfer`` and ``not_transferable`` name source subscriptions; ``seats_elsewhere`` counts by
    ``PRODUCT:SKU`` the seats other partners' subscriptions hold in the customer's tenant (R-123).
    """

    has_agreement: bool | None = None
    in_open_transfer: frozenset[SubscriptionId] | None = None
    not_transferable: frozenset[SubscriptionId] | None = None
    azure_commitments: tuple[AzureCommitment, ...] | None = None
    seats_elsewhere: dict[str, int] | None = None


NO_FACTS = CustomerFacts()
