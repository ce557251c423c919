"""Invitations are written once, and one walk over the target's list finds everybody who accepted (R-16, R-22, R-97)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from tenantfold.domain.facts import BillingModel
from tenantfold.domain.model import Customer, TenantId
from tenantfold.domain.plan import Disposition, PlanCustomer
from tenantfold.domain.reads import Read
from tenantfold.domain.records import Invitation
from tenantfold.domain.resellers import Reseller
from tenantfold.domain.states import Phase
from tenantfold.errors import PlanNotApprovedError
from tenantfold.flow.progress import Silent
from tenantfold.flow.relationships import Invited, InviteTask, invite, poll_acceptance
from tests.flow.fake_inventory import PagedPartnerCenter
from tests.flow.fakes import TARGET
from tests.flow.stage import Stage, customer_id

FIRST_UP = Reseller(tenant_id=TenantId("first-up"), partner_id="4847383", name="First Up", is_active=True)


@dataclass
class Listed(PagedPartnerCenter):
    """A target whose customers have a relationship of this kind."""

    relationship: str = "reseller"

    async def customers(self) -> AsyncIterator[Read[Customer]]:
        """Everybody."""
        async for read in super().customers():
            yield Read(value=replace(read.value, relationship=self.relationship), document=read.document)


@dataclass
class Desk:
    """Three planned customers; messages are kept in memory."""

    stage: Stage = field(default_factory=Stage)
    written: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nobody has accepted yet."""
        for number in range(3):
            self.stage.add(number, accepted=False)
        self.target = Listed(TARGET, self.stage.world)

    def _write(self, customer: PlanCustomer, text: str) -> str:
        self.written.append((customer.customer_id, text))
        return f"invitations/{customer.customer_id}.txt"

    async def invite(self) -> tuple[Invitation, ...]:
        """Invite everybody who is to be; nobody is left."""
        invited = await self.invite_of(BillingModel.BILLING_OWNER)
        assert invited.left == ()
        return invited.written

    async def invite_of(self, model: BillingModel) -> Invited:
        """Invite as a target that is billed so."""
        task = InviteTask(
            ledger=self.stage.ledger,
            target=self.target,
            partner_name="Nordwind",
            clock=self.stage.clock,
            write=self._write,
            billing_model=model,
        )
        return await invite(task, Silent())

    async def poll(self) -> int:
        """Look who accepted."""
        return await poll_acceptance(self.stage.ledger, self.target, self.stage.clock)


async def test_writes_one_message_for_every_customer_to_move():
    """With the target tenant's own link, the same for all, and the customer's name."""
    desk = Desk()
    await desk.stage.plan()
    invitations = await desk.invite()
    url = await desk.target.relationship_url()
    assert [one.customer_id for one in invitations] == [customer_id(number) for number in range(3)]
    assert {one.url for one in invitations} == {url}
    assert [one.written_to for one in invitations] == [f"invitations/{customer_id(n)}.txt" for n in range(3)]
    assert all(url in text and f"{who} AB" in text and "Nordwind" in text for who, text in desk.written)
    assert [desk.stage.phase(number) for number in range(3)] == [Phase.INVITED] * 3


async def test_a_provider_names_the_reseller_whose_customer_it_stays():
    """R-220: one link for all customers of a reseller, the provider's own for those that have none."""
    desk = Desk()
    for number, partner_id in enumerate((FIRST_UP.partner_id, "", FIRST_UP.partner_id)):
        desk.stage.change(number, partner_id_on_record=partner_id)
    desk.stage.world.resellers = (FIRST_UP,)
    await desk.stage.plan()
    invited = await desk.invite_of(BillingModel.INDIRECT_PROVIDER)
    assert [one.url.partition("msppId=")[2] for one in invited.written] == ["first-up", "0", "first-up"]
    assert [FIRST_UP.name in text for _, text in desk.written] == [True, False, True]
    assert desk.target.calls["relationship_url"] == 2


async def test_who_no_link_is_right_for_is_left_with_a_reason_and_found_again():
    """Under a wrong link it would become the provider's own customer; once the reseller is there, it is invited."""
    desk = Desk()
    desk.stage.change(0, partner_id_on_record=FIRST_UP.partner_id)
    await desk.stage.plan()
    invited = await desk.invite_of(BillingModel.INDIRECT_PROVIDER)
    (left,) = invited.left
    assert (left.customer_id, len(invited.written)) == (customer_id(0), 2)
    assert FIRST_UP.partner_id in left.detail
    assert left.next_action
    assert desk.stage.phase(0) is Phase.PLANNED
    desk.stage.world.resellers = (FIRST_UP,)
    again = await desk.invite_of(BillingModel.INDIRECT_PROVIDER)
    assert [one.customer_id for one in again.written] == [customer_id(0)]


async def test_a_direct_partner_has_one_link_whoever_is_on_record():
    """R-97; nobody is asked for resellers it cannot have."""
    desk = Desk()
    desk.stage.change(0, partner_id_on_record=FIRST_UP.partner_id)
    desk.stage.world.resellers = (FIRST_UP,)
    await desk.stage.plan()
    assert len({one.url for one in await desk.invite()}) == 1


async def test_invites_nobody_twice():
    """A second time only who is new in the plan."""
    desk = Desk()
    await desk.stage.plan()
    await desk.invite()
    assert await desk.invite() == ()
    desk.stage.add(3, accepted=False)
    await desk.stage.plan()
    assert [one.customer_id for one in await desk.invite()] == [customer_id(3)]
    assert len(desk.written) == 4


@pytest.mark.parametrize(
    "fields",
    [
        {"disposition": Disposition.BLOCKED},
        {"disposition": Disposition.NOTHING_TO_MOVE},
        {"disposition": Disposition.MOVED},
        {"at_target_already": True},
    ],
    ids=str,
)
async def test_asks_nobody_who_does_not_move_or_is_there(fields: dict[str, object]):
    """Customers are not bothered for nothing."""
    desk = Desk()
    await desk.stage.plan(**fields)  # type: ignore[arg-type]  # fields of the plan's customers
    assert await desk.invite() == ()
    assert desk.written == []


async def test_who_accepted_without_an_invitation_gets_none():
    """Somebody sent the link by hand."""
    desk = Desk()
    await desk.stage.plan()
    desk.stage.world.related.add((TARGET, customer_id(1)))
    await desk.poll()
    assert [one.customer_id for one in await desk.invite()] == [customer_id(0), customer_id(2)]


async def test_nothing_is_written_before_the_plan_is_approved():
    """Invariant 5: an invitation is a promise."""
    desk = Desk()
    await desk.stage.plan(approved=False)
    with pytest.raises(PlanNotApprovedError):
        await desk.invite()
    assert desk.written == []


async def test_one_walk_over_the_list_answers_for_everybody():
    """Not one call per customer (DESIGN 10)."""
    desk = Desk()
    await desk.stage.plan()
    desk.stage.world.related |= {(TARGET, customer_id(0)), (TARGET, customer_id(2))}
    assert await desk.poll() == 2
    assert desk.target.calls == {"walks": 1}
    assert [desk.stage.phase(number) for number in range(3)] == [Phase.ACCEPTED, Phase.PLANNED, Phase.ACCEPTED]
    assert desk.stage.ledger.rows[customer_id(0)].accepted_at == desk.stage.clock.now()
    assert await desk.poll() == 0


async def test_nothing_is_asked_when_nobody_is_waited_for():
    """Everybody accepted: no call."""
    desk = Desk()
    await desk.stage.plan()
    desk.stage.world.related |= {(TARGET, customer_id(number)) for number in range(3)}
    assert await desk.poll() == 3
    desk.target.calls.clear()
    assert await desk.poll() == 0
    assert desk.target.calls == {}


async def test_customers_of_the_target_that_are_not_in_the_plan_do_not_matter():
    """The target has customers of its own."""
    desk = Desk()
    await desk.stage.plan()
    desk.stage.world.related.add((TARGET, customer_id(99)))
    assert await desk.poll() == 0


@pytest.mark.parametrize("relationship", ["none", "", "advisor", "indirect"])
async def test_only_a_reseller_relationship_is_an_acceptance(relationship: str):
    """Anything else in the list proves nothing (invariant 9)."""
    desk = Desk()
    await desk.stage.plan()
    desk.stage.world.related.add((TARGET, customer_id(0)))
    desk.target.relationship = relationship
    assert await desk.poll() == 0
    assert desk.stage.phase(0) is Phase.PLANNED
