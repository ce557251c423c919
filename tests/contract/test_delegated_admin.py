"""The client and the emulator agree on delegated admin access in Graph (core reference 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from partner_center_emulator.graph import gdap
from partner_center_emulator.graph.models import group_id
from partner_center_emulator.state.gdap import GdapRelationship
from tenantfold.domain.gdap import (
    AccessState,
    GroupAccess,
    RelationshipId,
    RelationshipState,
    RelationshipWish,
    RoleId,
)
from tenantfold.domain.gdap_roles import GLOBAL_ADMINISTRATOR, ROLES
from tenantfold.domain.model import CustomerId
from tenantfold.errors import ConflictError, NoAnswerError, NotFoundError, RefusedError
from tests.contract.stage import Stage, wish

READERS, SUPPORT = ROLES["Directory readers"], ROLES["Service support administrator"]


def offer(stage: Stage, name: str = "care", roles: Sequence[RoleId] = (READERS, SUPPORT)) -> RelationshipWish:
    """What a customer of the demo's world is offered."""
    return RelationshipWish(
        name=name, customer_id=stage.cast("seat_change"), roles=tuple(roles), duration_days=30, auto_extend=False
    )


def stands(stage: Stage, relationship_id: RelationshipId) -> GdapRelationship:
    """The relationship as the emulator has it."""
    return stage.emulator.world.gdap.relationships[relationship_id]


def approve(stage: Stage, relationship_id: RelationshipId) -> None:
    """Let the customer approve, and Microsoft take its steps."""
    found = stands(stage, relationship_id)
    gdap.approve(stage.emulator, found, stage.emulator.world.customers[found.customer_id])
    stage.emulator.clock.advance(0)


async def test_a_relationship_goes_from_draft_to_access(stage: Stage):
    """Offered, sent, approved, given to a group; each state reads as what it means."""
    target = stage.client("target")
    made = await target.offer_admin_relationship(offer(stage), wish("offer"))
    assert (made.state, made.name, made.customer_id) == (RelationshipState.CREATED, "care", offer(stage).customer_id)
    assert (made.roles, made.activated_at, made.ends_at) == ((READERS, SUPPORT), None, None)
    assert stands(stage, made.id).duration == "P30D"
    await target.request_approval(made.id, wish("lock"))
    waiting = await target.admin_relationship(made.id)
    assert waiting.state is RelationshipState.APPROVAL_PENDING
    assert waiting.status == "approvalPending"
    approve(stage, made.id)
    active = await target.admin_relationship(made.id)
    assert active.state is RelationshipState.ACTIVE
    assert active.activated_at is not None
    assert active.ends_at is not None
    assert (active.ends_at - active.activated_at).days == 30
    access = GroupAccess(group_id=group_id(stage.tenant("target"), "helpdesk_agent"), roles=(READERS,))
    given = await target.assign_access(made.id, access, wish("assign"))
    stage.emulator.clock.advance(0)
    (seen,) = await target.access_assignments(made.id)
    assert (given.state, seen.state) == (AccessState.PENDING, AccessState.ACTIVE)
    assert (seen.group_id, seen.roles) == (access.group_id, access.roles)
    assert stage.violations() == []


async def test_all_relationships_are_listed_page_after_page_and_one_customer_is_asked_for(stage: Stage):
    """More than the 300 of one page; the filter names a customer."""
    target = stage.client("target")
    for number in range(305):
        await target.offer_admin_relationship(offer(stage, f"care-{number}"), wish(f"offer-{number}"))
    other = replace(offer(stage, "other"), customer_id=stage.cast("never_accepts"))
    await target.offer_admin_relationship(other, wish("other"))
    names = [one.name for one in await target.admin_relationships()]
    assert len(set(names)) == 306
    (found,) = await target.admin_relationships(stage.cast("never_accepts"))
    assert found.name == "other"
    assert await target.admin_relationships(CustomerId("00000000-0000-4000-8000-000000000000")) == ()


async def test_a_second_one_of_the_same_name_is_refused_as_a_conflict(stage: Stage):
    """That is what makes a resend harmless: the partner has the name once."""
    target = stage.client("target")
    await target.offer_admin_relationship(offer(stage), wish("offer"))
    with pytest.raises(ConflictError):
        await target.offer_admin_relationship(offer(stage), wish("again"))
    assert len(stage.emulator.world.gdap.relationships) == 1


async def test_what_is_out_of_turn_conflicts_and_what_is_not_allowed_is_refused(stage: Stage):
    """Locked twice, assigned too early, extended with Global administrator, asked for by a wrong id."""
    target = stage.client("target")
    made = await target.offer_admin_relationship(offer(stage), wish("offer"))
    access = GroupAccess(group_id="11111111-1111-4111-8111-111111111111", roles=(READERS,))
    with pytest.raises(ConflictError):
        await target.assign_access(made.id, access, wish("early"))
    await target.request_approval(made.id, wish("lock"))
    with pytest.raises(ConflictError):
        await target.request_approval(made.id, wish("lock again"))
    with pytest.raises(RefusedError, match="Global Administrator"):
        await target.offer_admin_relationship(
            replace(offer(stage, "all", (GLOBAL_ADMINISTRATOR,)), auto_extend=True), wish("all")
        )
    with pytest.raises(NotFoundError):
        await target.admin_relationship(RelationshipId("nothing"))


async def test_a_lost_answer_leaves_the_effect_unknown(stage: Stage):
    """The relationship stands there, and a look at the customer's list finds it by its name."""
    target = stage.client("target")
    assert await target.admin_relationships() == ()
    stage.wire.losing = "POST"
    with pytest.raises(NoAnswerError):
        await target.offer_admin_relationship(offer(stage), wish("offer"))
    stage.wire.losing = ""
    (found,) = await target.admin_relationships(offer(stage).customer_id)
    assert found.name == "care"


async def test_a_status_nobody_knows_is_kept_and_counts_as_unknown(stage: Stage):
    """Neither active nor over (invariant 9)."""
    target = stage.client("target")
    made = await target.offer_admin_relationship(offer(stage), wish("offer"))
    stands(stage, made.id).status = "onHold"
    found = await target.admin_relationship(made.id)
    assert (found.status, found.state) == ("onHold", RelationshipState.UNKNOWN)
