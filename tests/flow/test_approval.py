"""Approval: a person approves the newest plan by its checksum, and nothing runs without (invariant 5)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from tenantfold.domain.model import Tenant, TenantRole
from tenantfold.domain.plan import PlanRecord
from tenantfold.errors import InputError, PlanMissingError, PlanNotApprovedError, PlanStaleError
from tenantfold.flow.approval import approve, approved_plan
from tests.flow.fake_inventory import FakeInventory
from tests.flow.stage import SE, START, Stage


@dataclass
class Desk:
    """A plan on snapshot 1 of the source tenant, waiting for approval."""

    stage: Stage = field(default_factory=Stage)
    inventory: FakeInventory = field(default_factory=FakeInventory)

    async def plan(self) -> PlanRecord:
        """Read once, plan once."""
        self.stage.add(0)
        await self.snapshot()
        record = await self.stage.plan(approved=False)
        record = replace(record, header=replace(record.header, snapshots=((SE, 1),)))
        self.stage.ledger.plans[-1] = (record, self.stage.ledger.plans[-1][1])
        return record

    async def snapshot(self) -> None:
        """One more snapshot of the source tenant."""
        await self.inventory.save_tenant(Tenant(id=SE, key="se", role=TenantRole.SOURCE, name="", country="SE"))
        opened = await self.inventory.open_snapshot(SE, START)
        await self.inventory.complete_snapshot(opened, START)

    async def approve(self, checksum: str, by: str = "Eva") -> PlanRecord:
        """Try to."""
        return await approve(self.stage.ledger, self.inventory, self.stage.clock, checksum=checksum, approved_by=by)


@pytest.mark.parametrize("digits", [8, 12, 64])
async def test_eight_digits_or_more_of_the_checksum_approve(digits: int):
    """Who and when are kept."""
    desk = Desk()
    plan = await desk.plan()
    desk.stage.clock.move(60)
    approved = await desk.approve(f"  {plan.checksum[:digits].upper()} ")
    assert (approved.approved_by, approved.approved_at) == ("Eva", desk.stage.clock.now())
    assert await approved_plan(desk.stage.ledger) == approved


@pytest.mark.parametrize(
    "given",
    ["", "        ", "{0:.7}", "x{0:.8}", "{0}0", "00000000", "*"],
    ids=["empty", "blanks", "seven digits", "shifted", "too long", "another", "a star"],
)
async def test_a_wrong_or_short_checksum_approves_nothing(given: str):
    """The message names the right one; nobody approves by accident."""
    desk = Desk()
    plan = await desk.plan()
    with pytest.raises(InputError, match=plan.checksum[:12]):
        await desk.approve(given.format(plan.checksum))
    with pytest.raises(PlanNotApprovedError, match=plan.checksum[:12]):
        await approved_plan(desk.stage.ledger)


async def test_a_plan_on_old_snapshots_is_not_approved():
    """Somebody took inventory since: plan again."""
    desk = Desk()
    plan = await desk.plan()
    await desk.snapshot()
    with pytest.raises(PlanStaleError, match="snapshot 1 of tenant 'se', but snapshot 2"):
        await desk.approve(plan.checksum)


async def test_a_half_written_newer_snapshot_makes_it_old_as_well():
    """It will say something else than the plan's."""
    desk = Desk()
    plan = await desk.plan()
    await desk.inventory.open_snapshot(SE, START)
    with pytest.raises(PlanStaleError):
        await desk.approve(plan.checksum)


async def test_a_plan_whose_snapshot_is_nowhere_is_not_approved():
    """A ledger that lost its inventory proves nothing."""
    desk = Desk()
    plan = await desk.plan()
    desk.inventory = FakeInventory()
    with pytest.raises(PlanStaleError, match="snapshot none"):
        await desk.approve(plan.checksum)


async def test_approving_twice_keeps_the_first_approver():
    """Idempotent."""
    desk = Desk()
    plan = await desk.plan()
    first = await desk.approve(plan.checksum)
    desk.stage.clock.move(60)
    assert await desk.approve(plan.checksum, by="Sven") == first


async def test_the_checksum_of_an_older_plan_does_not_approve_the_newest():
    """What was made in the meantime must be looked at."""
    desk = Desk()
    old = await desk.plan()
    desk.stage.change(0, license_count=9)
    await desk.stage.plan(approved=False)
    with pytest.raises(InputError):
        await desk.approve(old.checksum)


async def test_a_newer_plan_takes_the_approval_away():
    """The approval belongs to the plan, not to the consolidation."""
    desk = Desk()
    await desk.approve((await desk.plan()).checksum)
    await desk.stage.plan(approved=False)
    with pytest.raises(PlanNotApprovedError):
        await approved_plan(desk.stage.ledger)


async def test_without_a_plan_there_is_nothing_to_approve():
    """It says what to do."""
    desk = Desk()
    with pytest.raises(PlanMissingError) as caught:
        await desk.approve("0123456789")
    assert caught.value.next_step == "Run: tenantfold plan"
    with pytest.raises(PlanMissingError):
        await approved_plan(desk.stage.ledger)
