"""Use case 8: write invitations, and find out who accepted. Nothing is sent from here; files go out for now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tenantfold.domain.messages import invitation_text
from tenantfold.domain.plan import Disposition, PlanCustomer
from tenantfold.domain.records import Invitation
from tenantfold.flow.approval import approved_plan
from tenantfold.flow.partner_center import PartnerCenter
from tenantfold.flow.ports import Clock, Ledger
from tenantfold.flow.progress import Reporter

WriteMessage = Callable[[PlanCustomer, str], str]
"""Keeps one message somewhere a person can send it from; returns where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteTask:
    """What inviting needs."""

    ledger: Ledger
    target: PartnerCenter
    partner_name: str
    clock: Clock
    write: WriteMessage
    again: bool = False  # write those that were written before once more (lost files, a reminder)


async def invite(task: InviteTask, report: Reporter) -> tuple[Invitation, ...]:
    """Write an invitation for every customer of the approved plan that is not at the target yet. Repeatable.

    The URL is the target tenant's and the same for all (R-16, R-97). Raises PlanNotApprovedError.
    """
    plan = await approved_plan(task.ledger)
    url = await task.target.relationship_url()
    known = await task.ledger.invitations()
    waiting = await task.ledger.waiting_for_acceptance()
    written = []
    async for customer in task.ledger.plan_customers(plan.id, Disposition.MOVE):
        written_before = customer.customer_id in known and not task.again
        if written_before or customer.customer_id not in waiting or customer.at_target_already:
            continue
        place = task.write(customer, invitation_text(customer.company_name, task.partner_name, url))
        invitation = Invitation(customer_id=customer.customer_id, url=url, written_to=place, at=task.clock.now())
        await task.ledger.save_invitation(invitation)
        written.append(invitation)
        report.update("invitations written", len(written), None)
    return tuple(written)


async def poll_acceptance(ledger: Ledger, target: PartnerCenter, clock: Clock) -> int:
    """Find everybody who accepted by one walk over the target's customer list (R-22). Returns how many are new."""
    waiting = await ledger.waiting_for_acceptance()
    if not waiting:
        return 0
    accepted = [
        read.value.id
        async for read in target.customers()
        if read.value.id in waiting and read.value.relationship == "reseller"
    ]
    return await ledger.mark_accepted(accepted, clock.now()) if accepted else 0
