"""The actions a cutover is made of: what the shell is asked to carry out, one at a time."""

from __future__ import annotations

from dataclasses import dataclass

from tenantfold.domain.guards import Refusal
from tenantfold.domain.journal import Intent, Outcome
from tenantfold.domain.model import AgreementContact, OrderId, OrderLine, SubscriptionId, TenantId
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.requests import ServiceRequestWish, Transfer, TransferWish
from tenantfold.domain.states import Counterpart, Phase


@dataclass(frozen=True, slots=True)
class Observe:
    """Read both sides fresh; nothing may be decided on older facts.

    ``sources_only``: what was suspended is read back; the target was not written to since it was read.
    ``target_only``: what was ordered is read back; each source is suspended only if it is still as it was read (eTag).
    """

    sources_only: bool = False
    target_only: bool = False


@dataclass(frozen=True, slots=True)
class Attest:
    """State towards Microsoft that the customer accepted the agreement (R-112, R-113)."""

    contact: AgreementContact


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Order base subscriptions of one billing cycle in one order (R-27)."""

    billing_cycle: str
    lines: tuple[OrderLine, ...]


@dataclass(frozen=True, slots=True)
class BuyAddOns:
    """Add add-ons to the order of their bases, which stand by now (R-124)."""

    order_id: OrderId
    billing_cycle: str
    lines: tuple[OrderLine, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """Note counterparts found by reading: adopted ones, and ids that came later than their order's answer."""

    counterparts: tuple[Counterpart, ...]


@dataclass(frozen=True, slots=True)
class MarkVerified:
    """Note that every counterpart was read back active and equal, all of the customer's together (R-32)."""

    counterparts: tuple[Counterpart, ...]


@dataclass(frozen=True, slots=True)
class Suspend:
    """Suspend one source subscription; its guard was asked on this observation (R-33, R-39)."""

    item: PlanItem


@dataclass(frozen=True, slots=True)
class MarkSuspended:
    """Note that sources were read back suspended (R-41, R-43); ``finished``: the customer has moved."""

    counterparts: tuple[Counterpart, ...]
    finished: bool


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Suspend a target subscription of a late cutover, whose source still runs: free within 30 days (R-188)."""

    counterpart: Counterpart


@dataclass(frozen=True, slots=True)
class MarkWithdrawn:
    """Note that all targets of a late cutover were read back suspended; it begins again at ``refusal.due_at``."""

    counterparts: tuple[Counterpart, ...]
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Reactivate:
    """Take a withdrawn target subscription up again: the cutover of a new day."""

    counterpart: Counterpart


@dataclass(frozen=True, slots=True)
class RequestTransfer:
    """Ask a source, as the target, for a customer's subscriptions (R-146)."""

    subjects: tuple[SubscriptionId, ...]
    wish: TransferWish


@dataclass(frozen=True, slots=True)
class SubmitTransfer:
    """Give, as the source, what was asked for: ``entries`` are the items chosen, for the planned ``subjects``."""

    transfer: Transfer
    subjects: tuple[SubscriptionId, ...]
    entries: tuple[SubscriptionId, ...]


@dataclass(frozen=True, slots=True)
class CancelTransfer:
    """Take a pending request back that cannot hold what the plan wants."""

    transfer: Transfer
    subjects: tuple[SubscriptionId, ...]


@dataclass(frozen=True, slots=True)
class BuyAzurePlan:
    """Buy the Azure plan that the target needs before it may take Azure (R-164)."""

    subjects: tuple[SubscriptionId, ...]


@dataclass(frozen=True, slots=True)
class CancelAzureDefault:
    """Cancel the empty Azure subscription that came with the plan we bought (R-174)."""

    plan_id: SubscriptionId
    item_id: SubscriptionId


@dataclass(frozen=True, slots=True)
class OpenServiceRequest:
    """Ask Microsoft's support, as the source, to move usage-based Azure (R-179, R-180)."""

    tenant_id: TenantId
    subjects: tuple[SubscriptionId, ...]
    wish: ServiceRequestWish


@dataclass(frozen=True, slots=True)
class StopRenewal:
    """Turn the auto-renewal of a source subscription off, so that its term ends (R-132)."""

    item: PlanItem


@dataclass(frozen=True, slots=True)
class BuyAgain:
    """Buy at the target what ends at the source (R-132)."""

    billing_cycle: str
    lines: tuple[OrderLine, ...]


@dataclass(frozen=True, slots=True)
class MarkArrived:
    """Note what was read at the target of items whose route suspends nothing; ``phase``: how far that is."""

    counterparts: tuple[Counterpart, ...]
    phase: Phase


@dataclass(frozen=True, slots=True)
class AdoptOutcome:
    """An intent without outcome was found done at Microsoft: write its outcome, call nothing."""

    intent: Intent
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Resend:
    """An intent without outcome surely had no effect: send it again, same request id."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing to do now; the refusal says why, who acts next and when to look again."""

    refusal: Refusal


Action = (
    Observe
    | Attest
    | PlaceOrder
    | BuyAddOns
    | Link
    | MarkVerified
    | Suspend
    | MarkSuspended
    | Withdraw
    | MarkWithdrawn
    | Reactivate
    | RequestTransfer
    | SubmitTransfer
    | CancelTransfer
    | BuyAzurePlan
    | CancelAzureDefault
    | OpenServiceRequest
    | StopRenewal
    | BuyAgain
    | MarkArrived
    | AdoptOutcome
    | Resend
    | Pause
)

Note = Link | MarkVerified | MarkSuspended | MarkWithdrawn | MarkArrived
"""The actions that only write down what was read."""

RouteWrite = (
    RequestTransfer
    | SubmitTransfer
    | CancelTransfer
    | BuyAzurePlan
    | CancelAzureDefault
    | OpenServiceRequest
    | StopRenewal
    | BuyAgain
)
"""The writes of the routes beside ``recreate``: none of them must end on its day."""

Write = Attest | PlaceOrder | BuyAddOns | Suspend | Withdraw | Reactivate | RouteWrite
"""The actions that change something at Microsoft: each gets an intent before its call."""
