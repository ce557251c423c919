"""Delegated admin relationships on Graph's wire: odd documents, pages, and what is sent (core reference 8)."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from tenantfold.domain.gdap import (
    AccessState,
    GroupAccess,
    RelationshipId,
    RelationshipState,
    RelationshipWish,
    RoleId,
    approval_link,
)
from tenantfold.domain.model import CustomerId
from tenantfold.errors import NoAnswerError, UnexpectedAnswerError
from tenantfold.partnercenter import PartnerCenterClient
from tenantfold.partnercenter.wire_delegated_admin import read_assignment, read_relationship
from tests.partnercenter.fake_microsoft import BASE, FakeMicrosoft, reply

LIST = "/graph/v1.0/tenantRelationships/delegatedAdminRelationships"
REQUEST = UUID("11111111-1111-4111-8111-111111111111")
WISH = RelationshipWish(
    name="north-1", customer_id=CustomerId("alfa"), roles=(RoleId("r-1"),), duration_days=730, auto_extend=True
)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("created", RelationshipState.CREATED),
        ("approvalPending", RelationshipState.APPROVAL_PENDING),
        ("terminationRequested", RelationshipState.TERMINATION_REQUESTED),
        ("Active", RelationshipState.ACTIVE),
        ("unknownFutureValue", RelationshipState.UNKNOWN),
        ("unknown", RelationshipState.UNKNOWN),
        (None, RelationshipState.UNKNOWN),
    ],
)
def test_a_status_is_what_it_means_and_nothing_else_is_guessed(status: str | None, state: RelationshipState):
    """Written in any case; a new word is kept and unknown (invariant 9)."""
    read = read_relationship(msgspec.json.encode({"id": "R-1", "status": status}))
    assert (read.state, read.status) == (state, status or "")


def test_what_is_missing_stays_missing():
    """No customer, no roles, no name, times as empty texts: nothing breaks, and nothing is taken as there."""
    bare: dict[str, object] = {
        "id": "R-1",
        "customer": None,
        "accessDetails": {},
        "activatedDateTime": "",
        "endDateTime": "",
    }
    read = read_relationship(msgspec.json.encode(bare))
    assert (read.id, read.name, read.customer_id, read.roles) == ("r-1", "", "", ())
    assert (read.changed_at, read.activated_at, read.ends_at) == (None, None, None)
    given = read_assignment(msgspec.json.encode({"id": "a", "status": "half"}))
    assert (given.group_id, given.state, given.roles) == ("", AccessState.UNKNOWN, ())


async def test_sends_what_the_reference_says(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """Name, duration, customer, roles and extension; an action; a group with its roles."""
    microsoft.on("POST", LIST, reply({"id": "R-9", "status": "created"}, 201))
    microsoft.on("POST", f"{LIST}/r-9/requests", reply({"status": "created"}, 201))
    microsoft.on("POST", f"{LIST}/r-9/accessAssignments", reply({"id": "a", "status": "pending"}, 201))
    made = await client.offer_admin_relationship(WISH, REQUEST)
    await client.request_approval(made.id, REQUEST)
    given = await client.assign_access(made.id, GroupAccess(group_id="g", roles=WISH.roles), REQUEST)
    roles = {"unifiedRoles": [{"roleDefinitionId": "r-1"}]}
    assert [msgspec.json.decode(request.content) for request in microsoft.sent("POST")] == [
        {
            "displayName": "north-1",
            "duration": "P730D",
            "customer": {"tenantId": "alfa"},
            "accessDetails": roles,
            "autoExtendDuration": "P180D",
        },
        {"action": "lockForApproval"},
        {
            "accessContainer": {"accessContainerId": "g", "accessContainerType": "securityGroup"},
            "accessDetails": roles,
        },
    ]
    assert given.state is AccessState.PENDING


async def test_an_answer_nobody_can_read_leaves_a_creation_in_doubt(
    client: PartnerCenterClient, microsoft: FakeMicrosoft
):
    """It may stand there: it has to be looked up."""
    microsoft.on("POST", LIST, reply(b"<html>", 201))
    with pytest.raises(NoAnswerError):
        await client.offer_admin_relationship(WISH, REQUEST)
    assert len(microsoft.sent("POST")) == 1


@pytest.mark.parametrize("next_link", [f"{BASE}{LIST}?%24top=300", "https://evil.example/x"])
async def test_pages_that_go_in_a_circle_or_to_another_host_are_not_followed(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, next_link: str
):
    """Our token stays with Microsoft, and half a list is never taken for a whole one."""
    microsoft.on("GET", LIST, reply({"value": [{"id": "R-1"}], "@odata.nextLink": next_link}))
    with pytest.raises(UnexpectedAnswerError):
        await client.admin_relationships()
    assert {request.url.host for request in microsoft.sent("GET")} == {"partner.example"}


async def test_a_customer_is_named_in_the_filter_and_cannot_break_out_of_it(
    client: PartnerCenterClient, microsoft: FakeMicrosoft
):
    """A quote inside is doubled."""
    microsoft.on("GET", LIST, reply({"value": []}))
    assert await client.admin_relationships(CustomerId("a' or 'b")) == ()
    assert microsoft.sent("GET")[0].url.params["$filter"] == "customer/tenantId eq 'a'' or ''b'"


def test_the_link_names_the_relationship_and_cannot_lead_elsewhere():
    """The id is quoted; the rest is the admin center's published page."""
    link = approval_link("https://admin.microsoft.com", RelationshipId("r-1/../x?y"))
    assert link.startswith("https://admin.microsoft.com/AdminPortal/Home#/partners/invitation/")
    assert link.endswith("/r-1%2F..%2Fx%3Fy")
