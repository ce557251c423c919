"""How one source subscription gets to the target tenant. Reading order 3.

This version carries out ``recreate`` only; the other routes are named, so that a plan says what is coming.
"""

from __future__ import annotations

from tenantfold.domain.findings import Finding, FindingCode, Severity
from tenantfold.domain.model import CommerceKind, Route, Subscription, WireStatus
from tenantfold.domain.states import Owner

_KNOWN = frozenset(WireStatus) - {WireStatus.NONE}  # "none" is the zero value: it says nothing (commerce 0.1)
_OVER = frozenset({WireStatus.SUSPENDED, WireStatus.DELETED, WireStatus.EXPIRED, WireStatus.DISABLED})

_UNSUPPORTED = {
    CommerceKind.NEW_COMMERCE: (
        Route.TRANSFER,
        "R-145",
        "a new-commerce subscription moves by partner-to-partner transfer",
    ),
    CommerceKind.AZURE: (Route.AZURE_SUPPORT, "R-46", "usage-based Azure is moved by Microsoft"),
    CommerceKind.OTHER: (Route.MANUAL, "R-227", "its kind is not known to this program"),
}


def commerce_kind(subscription: Subscription) -> CommerceKind:
    """Tell the commerce system of a subscription (commerce reference 3.2: ``productType`` is absent on legacy)."""
    if subscription.offer_id.upper().startswith("MS-AZR") or subscription.billing_type == "usage":
        return CommerceKind.AZURE
    if subscription.product_type or ":" in subscription.offer_id:
        return CommerceKind.AZURE if subscription.product_type.lower() == "azure" else CommerceKind.NEW_COMMERCE
    if subscription.billing_type == "license":
        return CommerceKind.LEGACY_LICENSE
    return CommerceKind.OTHER


def choose(subscription: Subscription) -> tuple[Route, Finding | None]:
    """Choose the route of one source subscription, and what an approver must know about the choice.

    Order matters: an unknown status is reported before anything is read into the rest (invariant 9).
    """
    status = subscription.wire_status
    if status not in _KNOWN:
        return Route.MANUAL, _unknown_status(subscription)
    kind = commerce_kind(subscription)
    still_billed = kind is CommerceKind.NEW_COMMERCE and status == WireStatus.SUSPENDED
    if status in _OVER and not still_billed:
        return Route.SKIP, None
    if kind is not CommerceKind.LEGACY_LICENSE:
        route, rule, why = _UNSUPPORTED[kind]
        return route, _unsupported(subscription, route, rule, why)
    if subscription.is_trial:
        return Route.SKIP, None
    if status == WireStatus.PENDING:
        return Route.MANUAL, _unknown_status(subscription)
    return Route.RECREATE, None


def _unknown_status(subscription: Subscription) -> Finding:
    return Finding(
        code=FindingCode.UNKNOWN_STATUS,
        severity=Severity.BLOCKER,
        rule="R-227",
        detail=f"{subscription.offer_name} has the status '{subscription.wire_status}', which proves nothing: "
        "it is neither known to be billed nor known to be off.",
        owner=Owner.OPERATIONS,
        next_action="Look at the subscription in Partner Center, settle its status there, then take inventory again.",
    )


def _unsupported(subscription: Subscription, route: Route, rule: str, why: str) -> Finding:
    return Finding(
        code=FindingCode.ROUTE_NOT_SUPPORTED,
        severity=Severity.BLOCKER,
        rule=rule,
        detail=f"{subscription.offer_name}: {why} (route '{route.value}'), which this version does not carry out yet.",
        owner=Owner.OPERATIONS,
        next_action="Leave this customer for a later version, or move it by hand as the guide says.",
    )
