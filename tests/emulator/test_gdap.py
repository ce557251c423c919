"""Delegated admin relationships in Graph: their life, assignments, approval, lists (core reference 8)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import msgspec
import pytest

from partner_center_emulator.app import create_app
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.graph.models import GLOBAL_ADMIN_TEMPLATE, group_id
from partner_center_emulator.world import World
from tests.emulator.conftest import access_token, tenant_by_key
from tests.emulator.small_world import ALFA, BRAVO, HELPLESS

ROOT = "/graph/v1.0/tenantRelationships"
LIST = f"{ROOT}/delegatedAdminRelationships"
READER, WRITER = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "9360feb5-f418-4baa-8175-e2a00bac4301"
Json = dict[str, object]


def offer(name: str = "Care", **changes: object) -> Json:
    """Return the body of a new relationship for Alfa."""
    roles = {"unifiedRoles": [{"roleDefinitionId": READER}, {"roleDefinitionId": WRITER}]}
    customer = {"tenantId": ALFA, "displayName": "Alfa"}
    body: Json = {"displayName": name, "duration": "P30D", "customer": customer, "accessDetails": roles}
    return body | changes


@pytest.fixture
async def graph(emulator: Emulator) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a Graph client of the target's admin; its token is renewed by nobody, so keep the clock within an hour."""
    async with graph_client(emulator) as made:
        yield made


def graph_client(emulator: Emulator, user: str | None = "admin") -> httpx2.AsyncClient:
    """Return a Graph client of one of the target's users."""
    token = access_token(emulator, "target", user, "https://graph.microsoft.com")
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=create_app(emulator)),
        base_url=emulator.options.base_url,
        headers={"Authorization": f"Bearer {token}"},
    )


async def make(graph: httpx2.AsyncClient, name: str = "Care", **changes: object) -> Json:
    """Create a relationship and return it."""
    answer = await graph.post(LIST, json=offer(name, **changes))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def lock(graph: httpx2.AsyncClient, made: Json, action: str = "lockForApproval") -> httpx2.Response:
    """Post a request of an action."""
    return await graph.post(f"{LIST}/{made['id']}/requests", json={"action": action})


async def activate(emulator: Emulator, graph: httpx2.AsyncClient, name: str = "Care", **changes: object) -> Json:
    """Create, lock, approve, and walk to active."""
    made = await make(graph, name, **changes)
    await lock(graph, made)
    answer = await graph.post(f"/_emulator/gdap/{made['id']}/approve", json={})
    assert answer.status_code == 200, answer.text
    emulator.clock.advance(0)
    return dict((await graph.get(f"{LIST}/{made['id']}")).json())


async def test_a_relationship_walks_from_created_to_active(emulator: Emulator, graph: httpx2.AsyncClient):
    """Created, waiting, approved, active with an end; each step raises the etag; the audit log has the steps."""
    created = await graph.post(LIST, json=offer())
    made = created.json()
    locked = await lock(graph, made)
    waiting = (await graph.get(f"{LIST}/{made['id']}")).json()
    await graph.post(f"/_emulator/gdap/{made['id']}/approve", json={})
    emulator.clock.advance(0)
    active = (await graph.get(f"{LIST}/{made['id']}")).json()
    assert created.headers["location"].endswith(f"/delegatedAdminRelationships/{made['id']}")
    assert len(made["id"]) == 73
    assert (made["status"], waiting["status"], active["status"]) == ("created", "approvalPending", "active")
    assert (locked.status_code, locked.json()["status"]) == (201, "succeeded")
    assert made["activatedDateTime"] == ""
    assert active["endDateTime"].startswith("2026-04-01")
    assert len({made["@odata.etag"], waiting["@odata.etag"], active["@odata.etag"]}) == 3
    operations = [record.operation_type for record in emulator.world.audit]
    assert operations == ["granular_admin_relationship_approved", "granular_admin_relationship_activated"]


async def test_each_step_takes_its_time_when_asked_to(emulator: Emulator, graph: httpx2.AsyncClient):
    """With a switch the states in between can be seen."""
    emulator.options.gdap_step_seconds = 60
    made = await make(graph)
    await lock(graph, made)
    await graph.post(f"/_emulator/gdap/{made['id']}/approve", json={})
    seen = []
    for _ in range(3):
        seen.append((await graph.get(f"{LIST}/{made['id']}")).json()["status"])
        emulator.clock.advance(60)
    assert seen == ["approved", "activating", "active"]


@pytest.mark.parametrize(("extend", "after"), [("PT0S", "expired"), ("P180D", "active")])
async def test_a_relationship_ends_at_its_date_unless_it_is_extended(
    emulator: Emulator, graph: httpx2.AsyncClient, extend: str, after: str
):
    """180 days more each time, or expired."""
    made = await activate(emulator, graph, autoExtendDuration=extend)
    emulator.clock.advance(31 * 86400)
    async with graph_client(emulator) as later:
        found = (await later.get(f"{LIST}/{made['id']}")).json()
    assert found["status"] == after
    assert (found["endDateTime"] > made["endDateTime"]) == (after == "active")


async def test_a_request_that_nobody_answers_lapses_after_ninety_days(emulator: Emulator, graph: httpx2.AsyncClient):
    """Also when the world was saved and loaded meanwhile."""
    made = await make(graph)
    await lock(graph, made)
    text = msgspec.json.encode(emulator.world)
    emulator.replace_world(msgspec.json.decode(text, type=World))
    emulator.clock.advance(90 * 86400)
    assert emulator.world.gdap.relationships[str(made["id"])].status == "expired"


async def test_a_relationship_is_terminated_on_request(emulator: Emulator, graph: httpx2.AsyncClient):
    """Only an active one; its customer leaves the list of customers."""
    made = await make(graph)
    early = await lock(graph, made, "terminate")
    active = await activate(emulator, graph, name="Other")
    before = (await graph.get(f"{ROOT}/delegatedAdminCustomers")).json()["value"]
    await lock(graph, active, "terminate")
    emulator.clock.advance(0)
    found = (await graph.get(f"{LIST}/{active['id']}")).json()
    after = (await graph.get(f"{ROOT}/delegatedAdminCustomers")).json()["value"]
    assert (early.status_code, early.json()["error"]["code"]) == (409, "Conflict")
    assert found["status"] == "terminated"
    assert before == [{"id": ALFA, "tenantId": ALFA, "displayName": "Alfa Bygg AB"}]
    assert after == []


@pytest.mark.parametrize(
    "changes",
    [
        {"displayName": ""},
        {"displayName": "x" * 51},
        {"duration": "P3Y"},
        {"duration": "PT1H"},
        {"duration": "soon"},
        {"accessDetails": {"unifiedRoles": []}},
        {"accessDetails": {"unifiedRoles": ["x"]}},
        {"customer": {"tenantId": "22222222-0000-4000-8000-00000000dead"}},
        {"autoExtendDuration": "P1D"},
        {
            "accessDetails": {"unifiedRoles": [{"roleDefinitionId": GLOBAL_ADMIN_TEMPLATE}]},
            "autoExtendDuration": "P180D",
        },
    ],
)
async def test_what_cannot_be_offered_is_refused_in_graphs_form(graph: httpx2.AsyncClient, changes: Json):
    """400 with code, message and inner error."""
    answer = await graph.post(LIST, json=offer() | changes)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "message", "innerError"}


async def test_a_name_is_unique_over_all_relationships_of_the_partner(graph: httpx2.AsyncClient):
    """409 for a second one, also when renaming."""
    await make(graph)
    other = await make(graph, name="Other")
    again = await graph.post(LIST, json=offer())
    headers = {"If-Match": str(other["@odata.etag"])}
    renamed = await graph.patch(f"{LIST}/{other['id']}", json={"displayName": "Care"}, headers=headers)
    assert (again.status_code, renamed.status_code) == (409, 409)


async def test_changes_need_the_present_etag(graph: httpx2.AsyncClient):
    """Missing 400, stale 412, present 200; deleting only in the state created."""
    made = await make(graph)
    url, body = f"{LIST}/{made['id']}", {"displayName": "New name", "duration": "P60D"}
    missing = await graph.patch(url, json=body)
    right = await graph.patch(url, json=body, headers={"If-Match": str(made["@odata.etag"])})
    stale = await graph.delete(url, headers={"If-Match": str(made["@odata.etag"])})
    gone = await graph.delete(url, headers={"If-Match": right.json()["@odata.etag"]})
    after = await graph.get(url)
    assert [row.status_code for row in (missing, right, stale, gone, after)] == [400, 200, 412, 204, 404]
    assert (right.json()["displayName"], right.json()["duration"]) == ("New name", "P60D")


async def test_an_active_relationship_changes_only_its_extension(emulator: Emulator, graph: httpx2.AsyncClient):
    """Everything else is 409, and so is deleting."""
    made = await activate(emulator, graph)
    url, headers = f"{LIST}/{made['id']}", {"If-Match": "*"}
    answers = [
        await graph.patch(url, json={"autoExtendDuration": "P180D"}, headers=headers),
        await graph.patch(url, json={"displayName": "Else"}, headers=headers),
        await graph.delete(url, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [200, 409, 409]


async def test_global_administrator_leaves_by_a_long_running_operation(emulator: Emulator, graph: httpx2.AsyncClient):
    """202 with the operation's address; when it has succeeded, the role is gone."""
    roles = [{"roleDefinitionId": role} for role in (GLOBAL_ADMIN_TEMPLATE, READER)]
    made = await activate(emulator, graph, accessDetails={"unifiedRoles": roles})
    body = {"accessDetails": {"unifiedRoles": roles[1:]}}
    answer = await graph.patch(f"{LIST}/{made['id']}", json=body, headers={"If-Match": "*"})
    emulator.clock.advance(0)
    operations = (await graph.get(f"{LIST}/{made['id']}/operations")).json()["value"]
    found = (await graph.get(f"{LIST}/{made['id']}")).json()
    assert (answer.status_code, answer.headers["location"].endswith(operations[0]["id"])) == (202, True)
    assert operations[0]["status"] == "succeeded"
    assert found["accessDetails"]["unifiedRoles"] == roles[1:]


async def test_an_assignment_is_made_changed_and_taken_away(emulator: Emulator, graph: httpx2.AsyncClient):
    """Pending, active, with other roles, deleted; a group has one; roles must be the relationship's."""
    made = await activate(emulator, graph)
    url = f"{LIST}/{made['id']}/accessAssignments"
    container = {"accessContainerId": group_id(tenant_by_key(emulator, "target"), "admin_agent")}
    body: Json = {"accessContainer": container | {"accessContainerType": "securityGroup"}}
    reader = {"accessDetails": {"unifiedRoles": [{"roleDefinitionId": READER}]}}
    created = await graph.post(url, json=body | reader)
    twice = await graph.post(url, json=body | reader)
    foreign = {"accessDetails": {"unifiedRoles": [{"roleDefinitionId": GLOBAL_ADMIN_TEMPLATE}]}}
    wider = await graph.post(url, json={"accessContainer": container | {"accessContainerType": "user"}} | reader)
    emulator.clock.advance(0)
    (active,) = (await graph.get(url)).json()["value"]
    one = f"{url}/{active['id']}"
    too_much = await graph.patch(one, json=foreign, headers={"If-Match": "*"})
    writer = {"accessDetails": {"unifiedRoles": [{"roleDefinitionId": WRITER}]}}
    changed = await graph.patch(one, json=writer, headers={"If-Match": active["@odata.etag"]})
    stale = await graph.delete(one, headers={"If-Match": active["@odata.etag"]})
    removed = await graph.delete(one, headers={"If-Match": "*"})
    emulator.clock.advance(0)
    after = (await graph.get(one)).json()
    statuses = [row.status_code for row in (created, twice, wider, too_much, changed, stale, removed)]
    assert statuses == [201, 409, 400, 400, 200, 412, 204]
    assert (created.json()["status"], active["status"], after["status"]) == ("pending", "active", "deleted")
    assert changed.json()["accessDetails"] == writer["accessDetails"]


async def test_an_assignment_needs_an_active_relationship(graph: httpx2.AsyncClient):
    """409 before the customer has approved."""
    made = await make(graph)
    container = {"accessContainerId": "g", "accessContainerType": "securityGroup"}
    body = {"accessContainer": container, "accessDetails": {"unifiedRoles": [{"roleDefinitionId": READER}]}}
    answer = await graph.post(f"{LIST}/{made['id']}/accessAssignments", json=body)
    assert answer.status_code == 409


async def test_only_admin_agents_write_and_everybody_reads(emulator: Emulator, graph: httpx2.AsyncClient):
    """A sales agent gets 403 on writing; an application alone may write."""
    async with graph_client(emulator, "seller") as seller, graph_client(emulator, None) as alone:
        answers = [
            await seller.post(LIST, json=offer()),
            await seller.get(LIST),
            await alone.post(LIST, json=offer()),
        ]
    assert [answer.status_code for answer in answers] == [403, 200, 201]


async def test_lists_are_paged_filtered_and_sorted(graph: httpx2.AsyncClient):
    """$top with a next link, $filter on status, name and customer, $orderby, $select and $count."""
    names = ["Alpha", "Beta", "Beta two", "Gamma"]
    for name in names:
        await make(graph, name=name)
    first = (await graph.get(f"{LIST}?$top=3&$orderby=displayName desc")).json()
    second = (await graph.get(first["@odata.nextLink"])).json()
    filtered = f"startswith(displayName,'beta') and status eq 'created' and customer/tenantId eq '{ALFA.upper()}'"
    found = (await graph.get(LIST, params={"$filter": filtered, "$count": "true", "$select": "displayName"})).json()
    assert [row["displayName"] for row in (*first["value"], *second["value"])] == names[::-1]
    assert "@odata.nextLink" not in second
    assert found["@odata.count"] == 2
    assert set(found["value"][0]) == {"@odata.etag", "id", "displayName"}


@pytest.mark.parametrize(
    "query", ["$top=301", "$top=0", "$top=x", "$filter=nonsense", "$skipToken=!", "$orderby=a sideways", "$apply=x"]
)
async def test_list_options_that_are_not_understood_are_refused(graph: httpx2.AsyncClient, query: str):
    """400 in Graph's form."""
    answer = await graph.get(f"{LIST}?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


async def test_another_partner_sees_nothing_of_it(emulator: Emulator, graph: httpx2.AsyncClient):
    """404 by id and an empty list."""
    made = await make(graph)
    token = access_token(emulator, "se", resource="https://graph.microsoft.com")
    headers = {"Authorization": f"Bearer {token}"}
    assert (await graph.get(f"{LIST}/{made['id']}", headers=headers)).status_code == 404
    assert (await graph.get(LIST, headers=headers)).json()["value"] == []


async def test_the_customer_approves_on_the_page(emulator: Emulator, graph: httpx2.AsyncClient):
    """The published link leads to a landing page, that to the request; name, box, done."""
    made = await make(graph)
    page = f"/AdminPortal/partners/invitation/granularAdminRelationships/{made['id']}"
    too_early = await graph.get(page)
    await lock(graph, made)
    landing = await graph.get("/AdminPortal/Home")
    pasted = await graph.get(
        "/Adminportal/partners/invitation/granularAdminRelationships",
        params={"link": f"https://x/AdminPortal/Home#/partners/invitation/granularAdminRelationships/{made['id']}"},
    )
    asked = await graph.get(page)
    unticked = await graph.post(page, data={"user_name": "admin@alfa.onmicrosoft.com"})
    done = await graph.post(page, data={"user_name": "admin@alfa.onmicrosoft.com", "agreed": "yes"})
    after = await graph.get(page)
    assert (too_early.status_code, unticked.status_code, done.status_code) == (404, 422, 303)
    assert "/Adminportal/invitation.js" in landing.text
    assert pasted.headers["location"].lower() == page.lower()
    assert ("Care" in asked.text, READER in asked.text) == (True, True)
    assert "active" in after.text


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("nobody@nowhere.example", "no such user"),
        ("someone@alfa.onmicrosoft.com", "Only a Global admin"),
        ("admin@bravo.onmicrosoft.com", "another customer"),
        ("admin@helpless.onmicrosoft.com", "Only a Global admin"),
    ],
)
async def test_the_wrong_person_cannot_approve(emulator: Emulator, graph: httpx2.AsyncClient, user: str, reason: str):
    """The page says why, and nothing changes."""
    made = await make(graph)
    await lock(graph, made)
    page = f"/AdminPortal/partners/invitation/granularAdminRelationships/{made['id']}"
    answer = await graph.post(page, data={"user_name": user, "agreed": "yes"})
    assert answer.status_code == 422
    assert reason in answer.text
    assert emulator.world.gdap.relationships[str(made["id"])].status == "approvalPending"


async def test_an_offer_to_anybody_becomes_the_approvers(emulator: Emulator, graph: httpx2.AsyncClient):
    """Without a customer in the body whoever approves is the customer."""
    made = await make(graph, customer=None)
    await lock(graph, made)
    await graph.post(f"/_emulator/gdap/{made['id']}/approve", json={"customer": BRAVO})
    emulator.clock.advance(0)
    found = (await graph.get(f"{LIST}/{made['id']}")).json()
    assert made["customer"] is None
    assert (found["customer"]["tenantId"], found["status"]) == (BRAVO, "active")


async def test_approving_by_hand_explains_what_is_wrong(graph: httpx2.AsyncClient):
    """Unknown relationship 404; not waiting, or for another customer, 400."""
    made = await make(graph)
    unknown = await graph.post("/_emulator/gdap/nothing/approve", json={})
    too_early = await graph.post(f"/_emulator/gdap/{made['id']}/approve", json={})
    await lock(graph, made)
    other = await graph.post(f"/_emulator/gdap/{made['id']}/approve", json={"customer": HELPLESS})
    assert [answer.status_code for answer in (unknown, too_early, other)] == [404, 400, 400]
