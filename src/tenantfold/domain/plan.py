"""The plan: for every customer what will be done with each source subscription, why, and what stands in the way.

Reading order 4. ``build_customer`` is pure and works on one customer at a time, so that a plan over 100,000
customers is a stream; ``checksum`` is what a person approves.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from tenantfold.domain.findings import Finding, Severity
from tenantfold.domain.model import (
    AgreementContact,
    CustomerId,
    OfferId,
    ProductKind,
    Route,
    SkuTerm,
    SubscriptionId,
    TenantId,
)
from tenantfold.domain.products import is_modern_offer
from tenantfold.errors import PlanRefusedError


class Disposition(StrEnum):
    """What the plan means for a customer as a whole (all or nothing, R-32)."""

    MOVE = "move"
    BLOCKED = "blocked"
    NOTHING_TO_MOVE = "nothing_to_move"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTerms:
    """What the choice of a route rests on beside the kind; None on an item is an ordinary legacy license.

    ``promotion_id`` and ``is_transferable`` are None where nobody knows, an empty promotion is none;
    ``cancellable_until`` is None where no window is open (R-138).
    """

    is_trial: bool = False
    auto_renew: bool = False
    promotion_id: str | None = ""
    cancellable_until: datetime | None = None
    entitlement_id: str = ""
    is_transferable: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanItem:
    """One source subscription and its route. The source fields are what the approver saw: a change makes it stale.

    ``target_id`` names the counterpart that exists already: planned adoption, or an earlier run's order. ``sold_as`` is
    the term and billing of a new-commerce SKU that an approved mapping orders.

    Making one that would suspend new commerce or Azure at the source raises PlanRefusedError, whoever makes it: the
    planner, or the reader of a plan that was edited by hand (invariant 7).
    """

    subscription_id: SubscriptionId
    tenant_id: TenantId
    offer_id: OfferId
    offer_name: str
    friendly_name: str
    license_count: int
    billing_cycle: str
    wire_status: str
    route: Route
    target_offer_id: OfferId | None = None
    target_offer_name: str = ""
    target_id: SubscriptionId | None = None
    parent_id: SubscriptionId | None = None
    partner_id_on_record: str = ""
    term_duration: str = ""
    kind: ProductKind = ProductKind.LEGACY_LICENSE
    ends_on: date | None = None
    terms: ItemTerms | None = None
    sold_as: SkuTerm | None = None
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.route is not Route.RECREATE:
            return
        if self.kind is not ProductKind.LEGACY_LICENSE or is_modern_offer(self.offer_id):
            raise PlanRefusedError(
                f"The plan would suspend {self.offer_name} ({self.subscription_id}) at the source. It is no legacy "
                "license: suspending it would lock people out and not stop its bill (R-135).",
                next_step="Do not edit plans by hand; make a new one: tenantfold plan",
                subscription_id=self.subscription_id,
            )

    @property
    def moves(self) -> bool:
        """Whether this subscription is to be ordered (or adopted) at the target and suspended at the source."""
        return self.route is Route.RECREATE

    @property
    def is_carried_out(self) -> bool:
        """Whether something is done for it until it stands at the target, by whichever route."""
        return self.route.is_carried_out

    @property
    def is_add_on(self) -> bool:
        """Whether it follows a base subscription (R-124)."""
        return self.parent_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCustomer:
    """One customer's part of the plan, with everything found about it.

    ``email`` is the customer's own address at its source: a transfer request names it (commerce reference 4.1).
    """

    customer_id: CustomerId
    company_name: str
    country: str
    source_tenant_ids: tuple[TenantId, ...]
    disposition: Disposition
    items: tuple[PlanItem, ...]
    findings: tuple[Finding, ...] = ()
    contact: AgreementContact | None = None
    at_target_already: bool = False
    email: str = ""

    def all_findings(self) -> tuple[Finding, ...]:
        """The customer's own findings, then those of its items."""
        return self.findings + tuple(finding for item in self.items for finding in item.findings)

    def blockers(self) -> tuple[Finding, ...]:
        """The findings that keep this customer where it is."""
        return tuple(finding for finding in self.all_findings() if finding.severity is Severity.BLOCKER)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHeader:
    """What a plan was built on. ``snapshots`` pairs each tenant with the number of the snapshot that was used."""

    consolidation: str
    target_id: TenantId
    snapshots: tuple[tuple[TenantId, int], ...]
    mapping_digest: str
    selection_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRecord:
    """A saved plan and who approved it."""

    id: int
    header: PlanHeader
    checksum: str
    created_at: datetime
    approved_at: datetime | None = None
    approved_by: str = ""
    customers: int = 0
    to_move: int = 0
    blocked: int = 0


class ChecksumBuilder:
    """Computes the checksum of a plan while it streams by: SHA-256 over lines, the header's and then each customer's.

    A line is the JSON text that the ledger keeps and a newline: what is approved is byte for byte what is carried out,
    and anybody can compute it again from the ledger. Members stand in the order of their definition and hold no
    fractions or local times, so the same plan has the same checksum on every machine.
    """

    def __init__(self, header: str) -> None:
        self._hash = hashlib.sha256()
        self.add(header)

    def add(self, customer: str) -> None:
        """Take one customer's text into the checksum. Customers must come in the order of their ids."""
        self._hash.update(customer.encode() + b"\n")

    def result(self) -> str:
        """The checksum as 64 hex digits."""
        return self._hash.hexdigest()
