"""Says in sentences why a customer is where it is, and who must act next."""

from __future__ import annotations

from dataclasses import dataclass

from tenantfold.domain.findings import Finding
from tenantfold.domain.model import Route
from tenantfold.domain.plan import Disposition, PlanItem
from tenantfold.domain.records import Case
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Where a customer stands: the sentence, its reasons with rules, who acts next and how."""

    standing: str
    reasons: tuple[str, ...]
    owner: Owner
    next_action: str


_STANDING = {
    Phase.PLANNED: "is planned and was not invited yet",
    Phase.INVITED: "was invited and has not accepted yet",
    Phase.ACCEPTED: "accepted and waits to be cut over",
    Phase.CUTTING_OVER: "is being cut over",
    Phase.VERIFIED: "stands at the target, verified; its source is being suspended",
    Phase.TRANSFERRING: "is being transferred between the two partners",
    Phase.HANDED_OFF: "was handed off to Microsoft and waits for it",
    Phase.RUNNING_OUT: "waits for the end of a term at the source",
    Phase.BY_HAND: "waits for something only a person can do",
    Phase.MOVED: "has moved",
    Phase.BLOCKED: "is blocked by the plan",
    Phase.NOTHING_TO_MOVE: "has nothing to move",
    Phase.STALE: "changed at the source after the plan was approved",
    Phase.DRIFTED: "does not match on both sides",
    Phase.STRANDED: "has a call without a known outcome",
    Phase.FAILED: "could not be driven on",
}


def explain(case: Case) -> Explanation:
    """Explain one customer from what the ledger knows; nothing is read at Microsoft."""
    progress = case.progress
    standing = f"{case.customer.company_name} {_STANDING[progress.phase]}."
    found = [finding for finding in case.customer.all_findings() if finding.needs_somebody]
    is_found = any(finding.detail == progress.detail for finding in found)
    reasons = [progress.detail] if progress.detail and not is_found else []
    reasons += [_reason(finding) for finding in sorted(found, key=lambda one: one.detail != progress.detail)]
    owner, next_action = _next(case)
    return Explanation(standing=standing, reasons=tuple(reasons), owner=owner, next_action=next_action)


def _reason(finding: Finding) -> str:
    """Severity, rule, what was found, the estimated date, who must act and how."""
    said = f"{finding.severity.value} [{finding.rule}] {finding.detail}{_when(finding)}"
    return f"{said} {finding.owner.value}: {finding.next_action}"


def _when(finding: Finding) -> str:
    """The estimated date, where the sentence does not say it already."""
    day = finding.estimated_on
    return f" (estimated: {day})" if day is not None and str(day) not in finding.detail else ""


def _next(case: Case) -> tuple[Owner, str]:
    progress = case.progress
    if not progress.phase.is_final and case.plan.approved_at is None and case.customer.disposition is Disposition.MOVE:
        return Owner.APPROVER, f"Review the plan and run: tenantfold approve {case.plan.checksum[:12]}"
    return next_step(progress)


def next_step(progress: Progress) -> tuple[Owner, str]:
    """Who must act next and how, from the progress row alone."""
    if progress.phase.is_final:
        return Owner.NOBODY, "Nothing."
    if progress.next_action:
        return progress.owner, progress.next_action
    if progress.phase is Phase.PLANNED:
        return Owner.OPERATIONS, "Run: tenantfold invite"
    if progress.phase is Phase.INVITED:
        return Owner.CUSTOMER, "Remind the customer of the invitation."
    return Owner.TENANTFOLD, "Run: tenantfold run"


def why(company_name: str, progress: Progress) -> str:
    """Why a customer is where it is, in one sentence."""
    return progress.detail or f"{company_name} {_STANDING[progress.phase]}."


_NOT_BEGUN = {
    Route.RECREATE: "not ordered yet",
    Route.TRANSFER: "not transferred yet",
    Route.AZURE_TRANSFER: "not transferred yet",
    Route.AZURE_SUPPORT: "waits for Microsoft",
    Route.EXPIRE_AND_REBUY: "runs to the end of its term",
    Route.MANUAL: "waits for a person",
}
_VERBS = {
    Origin.CREATED: "ordered",
    Origin.ADOPTED: "adopted",
    Origin.TRANSFERRED: "transferred",
    Origin.MERGED: "moved into the target's own",
    Origin.REBOUGHT: "bought again",
    Origin.BY_HAND: "moved by hand",
}


def standing_of(item: PlanItem, counterpart: Counterpart | None) -> str:
    """How far one subscription is, in a few words."""
    if counterpart is None:
        return _NOT_BEGUN.get(item.route, "stays")
    verb = _VERBS[counterpart.origin]
    if counterpart.suspended_at is not None:
        return f"{verb}, verified, source suspended {counterpart.suspended_at:%Y-%m-%d %H:%M} UTC"
    if counterpart.verified_at is not None:
        return f"{verb}, verified {counterpart.verified_at:%Y-%m-%d %H:%M} UTC"
    return f"{verb}, not verified yet"
