"""What may be known about a customer beside its subscriptions. None always means: nobody looked (invariant 9).

The inventory looks it up where a customer holds what needs it, and the journal of earlier runs teaches the rest. A rule
that needs such a fact and does not have it says "not verified"; it never guesses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from tenantfold.domain.azure import AzureItem
from tenantfold.domain.model import CustomerId, ProductKind, Subscription, SubscriptionId, TenantId, WireStatus
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.products import product_kind
from tenantfold.domain.requests import Transfer
from tenantfold.domain.software import OwnedSoftware


class BillingModel(StrEnum):
    """How a partner tenant is billed: only billing owners may transfer (R-145, R-216).

    ``billing_owner``: one of the first two; the API is open to nobody else (core reference 1), so whoever could be read
    is at least that.
    """

    BILLING_OWNER = "billing_owner"
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

    ``has_agreement``: accepted towards the target, as it was when the target was read; ``in_open_transfer`` and
    ``not_transferable`` name source subscriptions, the first with the day its request expires; ``with_marketplace`` the
    Azure subscriptions that a refusal named for marketplace products below them (R-169); ``seats_elsewhere`` counts by
    ``PRODUCT:SKU`` the seats other partners' subscriptions hold in the customer's tenant (R-123): no call of Partner
    Center shows them; ``software`` is the perpetual software bought through the sources; ``software_unasked`` is set
    where a source with nothing but legacy licenses of the customer did not say, which ``software`` then leaves out.
    """

    has_agreement: bool | None = None
    in_open_transfer: Mapping[SubscriptionId, date | None] | None = None
    not_transferable: frozenset[SubscriptionId] | None = None
    azure_commitments: tuple[AzureCommitment, ...] | None = None
    with_marketplace: frozenset[SubscriptionId] | None = None
    seats_elsewhere: dict[str, int] | None = None
    software: tuple[OwnedSoftware, ...] | None = None
    software_unasked: bool = False


NO_FACTS = CustomerFacts()

NEEDS_TRANSFERS = frozenset(
    {ProductKind.LICENSE, ProductKind.AZURE_PLAN, ProductKind.AZURE_COMMITMENT, ProductKind.LEGACY_AZURE}
)
NEEDS_COMMITMENTS = frozenset({ProductKind.AZURE_PLAN, ProductKind.AZURE_COMMITMENT})
HOLDS_AZURE = frozenset({ProductKind.AZURE_PLAN, ProductKind.LEGACY_AZURE})  # what Azure subscriptions are under


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFacts:
    """What was looked up of one customer at one tenant; None for what was not, or could not be read.

    The agreement is asked at the target, everything else at a source.
    """

    tenant_id: TenantId
    customer_id: CustomerId
    transfers: tuple[Transfer, ...] | None = None
    commitments: tuple[AzureItem, ...] | None = None
    software: tuple[OwnedSoftware, ...] | None = None
    has_agreement: bool | None = None
    azure: tuple[AzureItem, ...] | None = None  # the Azure subscriptions under its plans and legacy subscriptions


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRuns:
    """What the ledger of earlier runs says to a new plan.

    ``refused``: what Microsoft called not available for a transfer, by customer; ``with_marketplace``: what it refused
    for marketplace products below it, likewise; ``under_way``: what we gave to a
    transfer or handed off, and what stands at the target unverified; ``carried``: the same as the newest approved plan
    has it, by customer, for what a source does not list any more; ``promised``: what that plan buys again when its term
    ends, and whose renewal we stopped; ``begun``: the customers of all these but mere promises; ``moved``: those of
    whom anything has moved.
    """

    refused: Mapping[CustomerId, frozenset[SubscriptionId]] = field(default_factory=dict)
    with_marketplace: Mapping[CustomerId, frozenset[SubscriptionId]] = field(default_factory=dict)
    under_way: frozenset[SubscriptionId] = frozenset()
    carried: Mapping[CustomerId, tuple[PlanItem, ...]] = field(default_factory=dict)
    promised: frozenset[SubscriptionId] = frozenset()
    begun: frozenset[CustomerId] = frozenset()
    moved: frozenset[CustomerId] = frozenset()


def holds(subscriptions: Iterable[Subscription], kinds: frozenset[ProductKind]) -> bool:
    """Whether any active subscription is of one of these kinds."""
    return any(one.wire_status == WireStatus.ACTIVE and product_kind(one) in kinds for one in subscriptions)


class LegacySoftware(StrEnum):
    """Which customers that hold nothing but legacy licenses at a source are asked for perpetual software (R-151).

    One call each, beside the two that the inventory makes of every customer.
    """

    NO = "no"
    PLANNED = "planned"
    EVERYBODY = "everybody"


def may_own_software(held: Sequence[ProductKind]) -> bool:
    """Whether a customer of a source may have bought perpetual software, which no list of subscriptions shows (R-151).

    Software is bought as products are. Who holds legacy licenses and nothing else may have bought some, too, but asking
    is one call for each of most customers: ``LegacySoftware`` decides. ``held``: the kinds of what it holds there.
    """
    return set(held) != {ProductKind.LEGACY_LICENSE}


def together(
    looked_up: Sequence[TenantFacts], held: Sequence[Subscription], target_id: TenantId, known: CustomerFacts
) -> CustomerFacts:
    """The facts of a customer from those of its tenants; one source that could not be read leaves them open."""
    if not looked_up:
        return known
    by_tenant = {one.tenant_id: one for one in looked_up}
    at_sources = [one for one in held if one.tenant_id != target_id]
    transfers = [one.transfers for one in _of_holders(by_tenant, at_sources, NEEDS_TRANSFERS)]
    commitments = [one.commitments for one in _of_holders(by_tenant, at_sources, NEEDS_COMMITMENTS)]
    opened = None if None in transfers else _in_open_transfer(transfers, at_sources, target_id)
    bought = None if None in commitments else tuple(_commitment(item) for some in commitments for item in some or ())
    at_target = by_tenant.get(target_id)
    return replace(
        known,
        has_agreement=at_target.has_agreement if at_target is not None else known.has_agreement,
        in_open_transfer=opened,
        azure_commitments=bought,
        software=_software(by_tenant, at_sources, target_id),
        software_unasked=_is_unasked(by_tenant, at_sources),
    )


def _software(
    by_tenant: Mapping[TenantId, TenantFacts], at_sources: Sequence[Subscription], target_id: TenantId
) -> tuple[OwnedSoftware, ...] | None:
    """The software of all sources; None where one of them that is always asked did not say."""
    found: list[OwnedSoftware] = []
    for tenant_id in dict.fromkeys([*by_tenant, *(one.tenant_id for one in at_sources)]):
        if tenant_id == target_id:
            continue
        facts = by_tenant.get(tenant_id)
        if facts is not None and facts.software is not None:
            found += facts.software
        elif may_own_software([product_kind(one) for one in at_sources if one.tenant_id == tenant_id]):
            return None
    return tuple(found)


def _is_unasked(by_tenant: Mapping[TenantId, TenantFacts], at_sources: Sequence[Subscription]) -> bool:
    """Whether a source where the customer holds something did not say what software it bought there."""
    sources = {one.tenant_id for one in at_sources}
    return any(one not in by_tenant or by_tenant[one].software is None for one in sources)


def _of_holders(
    by_tenant: Mapping[TenantId, TenantFacts], held: Sequence[Subscription], kinds: frozenset[ProductKind]
) -> list[TenantFacts]:
    """What the tenants that hold such a thing know; a tenant that was not asked knows nothing."""
    holders = {one.tenant_id: one.customer_id for one in held if holds([one], kinds)}
    return [
        by_tenant.get(tenant_id, TenantFacts(tenant_id=tenant_id, customer_id=customer_id))
        for tenant_id, customer_id in holders.items()
    ]


def _in_open_transfer(
    transfers: Iterable[tuple[Transfer, ...] | None], held: Sequence[Subscription], target_id: TenantId
) -> dict[SubscriptionId, date | None]:
    """What stands in an open request of somebody else and until when; our own requests are the engine's to follow.

    An Azure subscription stands under a plan: which one a request does not say, so it counts for all of that tenant.
    """
    ids = {one.id for one in held}
    found: dict[SubscriptionId, date | None] = {}
    for transfer in (one for some in transfers for one in some or ()):
        if transfer.state.is_over or transfer.target_id == target_id:
            continue
        for line in transfer.lines:
            plans = [
                one.id
                for one in held
                if one.tenant_id == transfer.source_id and product_kind(one) is ProductKind.AZURE_PLAN
            ]
            found.update(dict.fromkeys([line.id] if line.id in ids else plans, transfer.expires_on))
    return found


def _commitment(item: AzureItem) -> AzureCommitment:
    status = WireStatus.ACTIVE.value if item.is_active else item.status
    return AzureCommitment(name=item.name, status=status, is_monthly=item.is_monthly)
