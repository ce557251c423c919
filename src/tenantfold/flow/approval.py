"""Use case 9, second half: a person approves the newest plan by its checksum. Nothing runs without (invariant 5)."""

from __future__ import annotations

from tenantfold.domain.plan import PlanRecord
from tenantfold.errors import InputError, PlanMissingError, PlanNotApprovedError, PlanRefusedError, PlanStaleError
from tenantfold.flow.ports import Clock, Inventory, Ledger

SHORTEST_CHECKSUM = 8  # digits a person must at least type


async def approve(ledger: Ledger, inventory: Inventory, clock: Clock, *, checksum: str, approved_by: str) -> PlanRecord:
    """Approve the newest plan by (the beginning of) its checksum.

    Raises InputError, PlanStaleError, PlanMissingError, PlanRefusedError.

    Approving what somebody else made newer in the meantime is impossible: the checksum would not match.
    """
    plan = await newest_plan(ledger)
    given = checksum.strip().lower()
    if len(given) < SHORTEST_CHECKSUM or not plan.checksum.startswith(given):
        raise InputError(
            f"'{checksum}' is not the checksum of the newest plan, which is {plan.checksum[:12]}.",
            next_step="Look at it with: tenantfold show plan. Then approve at least 8 digits of its checksum.",
        )
    keys = {tenant.id: tenant.key for tenant in await inventory.tenants()}
    for tenant_id, number in plan.header.snapshots:
        newest = await inventory.newest_snapshot(tenant_id)
        if newest is None or newest.number != number:
            raise PlanStaleError(
                f"Plan {plan.checksum[:12]} was built on snapshot {number} of tenant "
                f"'{keys.get(tenant_id, tenant_id)}', but snapshot {newest.number if newest else 'none'} is the "
                "newest.",
                next_step="Run: tenantfold plan, look at the new plan and approve that one.",
            )
    if plan.approved_at is not None:
        return plan
    await check_unchanged(ledger, plan)
    return await ledger.approve_plan(plan.id, approved_by, clock.now())


async def newest_plan(ledger: Ledger) -> PlanRecord:
    """The newest plan. Raises PlanMissingError."""
    plan = await ledger.newest_plan()
    if plan is None:
        raise PlanMissingError("There is no plan yet.", next_step="Run: tenantfold plan")
    return plan


async def check_unchanged(ledger: Ledger, plan: PlanRecord) -> None:
    """Refuse a plan that is not byte for byte what was approved: somebody edited the ledger (invariant 5).

    Raises PlanRefusedError. Reads the whole plan: once at the start of a run or of a worker.
    """
    found = await ledger.plan_digest(plan.id)
    if found != plan.checksum:
        raise PlanRefusedError(
            f"Plan {plan.id} was approved as {plan.checksum[:12]}, but what the ledger holds of it has the checksum "
            f"{found[:12]}: it was changed after it was made.",
            next_step="Do not edit plans by hand; make a new one: tenantfold plan",
            plan_id=plan.id,
        )


class Consent:
    """Whether work may be handed out, asked again and again: each new plan is read whole once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._trusted = 0  # the number of the plan that was found to be what was approved

    async def given(self) -> bool:
        """Whether the newest plan is approved, and is what was approved (invariant 5). Raises PlanRefusedError."""
        plan = await self._ledger.newest_plan()
        if plan is None or plan.approved_at is None:
            return False
        if plan.id != self._trusted:
            await check_unchanged(self._ledger, plan)
            self._trusted = plan.id
        return True


async def approved_plan(ledger: Ledger) -> PlanRecord:
    """The newest plan, which somebody approved. Raises PlanMissingError, PlanNotApprovedError."""
    plan = await newest_plan(ledger)
    if plan.approved_at is None:
        raise PlanNotApprovedError(
            f"Plan {plan.checksum[:12]} is not approved.",
            next_step=f"Review it and run: tenantfold approve {plan.checksum[:12]}",
        )
    return plan
