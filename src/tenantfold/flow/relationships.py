"""Use case 8: write invitations, and find out who accepted. Nothing is sent from here; files go out for now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tenantfold.domain.facts import BillingModel
from tenantfold.domain.messages import invitation_text
from tenantfold.domain.model import TenantId
from tenantfold.domain.plan import Disposition, PlanCustomer
from tenantfold.domain.records import Invitation
from tenantfold.domain.resellers import NoLink, Reseller, reseller_of
from tenantfold.flow.approval import approved_plan
from tenantfold.flow.partner_center import PartnerCenter
from tenantfold.flow.ports import Clock, Ledger
from tenantfold.flow.progress import Reporter

WriteMessage = Callable[[PlanCustomer, str], str]
"""Keeps one message somewhere a person can send it from; returns where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteTask:
    """What inviting needs. ``billing_model`` is the target's: only a provider's link can name a reseller (R-220)."""

    ledger: Ledger
    target: PartnerCenter
    partner_name: str
    clock: Clock
    write: WriteMessage
    again: bool = False  # write those that were written before once more (lost files, a reminder)
    billing_model: BillingModel = BillingModel.BILLING_OWNER


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """Who was invited, and who needs a person because no link is right for it."""

    written: tuple[Invitation, ...]
    left: tuple[NoLink, ...]


@dataclass(slots=True)
class _Links:
    """The target's links: its own, and those that name a reseller; each is asked for once."""

    target: PartnerCenter
    resellers: tuple[Reseller, ...]
    urls: dict[TenantId | None, str] = field(default_factory=dict)

    async def url(self, reseller_id: TenantId | None) -> str:
        """The link with this reseller in it; the target's own for None."""
        if reseller_id not in self.urls:
            self.urls[reseller_id] = await self.target.relationship_url(reseller_id)
        return self.urls[reseller_id]


async def invite(task: InviteTask, report: Reporter) -> Invited:
    """Write an invitation for every customer of the approved plan that is not at the target yet. Repeatable.

    The URL is the target tenant's and the same for all (R-16, R-97); an indirect provider's names the customer's
    reseller (R-220). Raises PlanNotApprovedError.
    """
    plan = await approved_plan(task.ledger)
    is_provider = task.billing_model is BillingModel.INDIRECT_PROVIDER
    links = _Links(task.target, await task.target.resellers() if is_provider else ())
    await links.url(None)  # who may not ask for it hears so, whoever there is to invite
    known = await task.ledger.invitations()
    waiting = await task.ledger.waiting_for_acceptance()
    written: list[Invitation] = []
    left: list[NoLink] = []
    async for customer in task.ledger.plan_customers(plan.id, Disposition.MOVE):
        written_before = customer.customer_id in known and not task.again
        if written_before or customer.customer_id not in waiting or customer.at_target_already:
            continue
        reseller = reseller_of(customer, links.resellers) if is_provider else None
        if isinstance(reseller, NoLink):
            left.append(reseller)
            continue
        written.append(await _write(task, links, customer, reseller))
        report.update("invitations written", len(written), None)
    return Invited(written=tuple(written), left=tuple(left))


async def _write(task: InviteTask, links: _Links, customer: PlanCustomer, reseller: Reseller | None) -> Invitation:
    url = await links.url(reseller.tenant_id if reseller else None)
    name = reseller.name if reseller else ""
    place = task.write(customer, invitation_text(customer.company_name, task.partner_name, url, name))
    invitation = Invitation(customer_id=customer.customer_id, url=url, written_to=place, at=task.clock.now())
    await task.ledger.save_invitation(invitation)
    return invitation


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
