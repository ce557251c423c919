"""Azure plans, the Azure subscriptions under them, reservations and usage (commerce reference 5, rules J)."""

from __future__ import annotations

import httpx2
import msgspec
import pytest

from partner_center_emulator.azure import benefits
from partner_center_emulator.azure import models as azure
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.ledger import report
from partner_center_emulator.state.azure import Benefit, Entitlement
from partner_center_emulator.world import Subscription, World
from tests.emulator.commerce import Json, commerce_emulator, refused, subscription_path
from tests.emulator.conftest import Client
from tests.emulator.moving import DAY, MINUTE, lines_of, read_transfer, requested, submitted
from tests.emulator.new_commerce import AZURE_PLAN, acquire
from tests.emulator.samples import first_item, missing, sample_body
from tests.emulator.small_world import ALFA, SE, STRANGER, TARGET


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world with catalogs; Alfa and Bravo are customers of both tenants."""
    return commerce_emulator()


def plan(emulator: Emulator, tenant_id: str = SE, *, with_default: bool = False) -> Subscription:
    """Open Alfa's Azure plan at a partner tenant."""
    tenant, customer = emulator.world.partner_tenants[tenant_id], emulator.world.customers[ALFA]
    return azure.open_plan(emulator, tenant, customer, with_default=with_default)


def benefit(emulator: Emulator, **wish: object) -> Benefit:
    """Buy a reservation or savings plan for Alfa in the Swedish tenant."""
    tenant, customer = emulator.world.partner_tenants[SE], emulator.world.customers[ALFA]
    return benefits.add_benefit(emulator, tenant, customer, msgspec.convert(wish, benefits.BenefitWish))


def entitlements_path(plan_id: str, rest: str = "") -> str:
    """Return where the Azure subscriptions of a plan are."""
    return f"{subscription_path(plan_id)}/azureEntitlements{rest}"


async def transferred(emulator: Emulator, client: Client, *ids: str) -> Json:
    """Move Azure things to the target and return the finished transfer."""
    transfer = await requested(client("target"), transferType=3)
    answer = await submitted(client("se"), transfer, *ids)
    assert answer.status_code == 200, answer.text
    emulator.clock.advance(15 * MINUTE)
    return await read_transfer(client("target"), transfer)


async def ids_under(caller: httpx2.AsyncClient, plan_id: str) -> list[str]:
    """Return the Azure subscriptions that a partner sees under a plan."""
    return [row["id"] for row in (await caller.get(entitlements_path(plan_id))).json()["items"]]


# -- plans and what is under them -------------------------------------------------------------------------------------


async def test_a_new_plan_comes_with_a_default_subscription_and_there_is_one_per_partner(client: Client):
    """R-174; the second plan at the same partner is refused, another partner may have its own."""
    caller = client("se")
    order = {"customer": ALFA, "partner": "se", "kind": "plan"}
    opened = (await caller.post("/_emulator/azure", json=order)).json()
    assert (opened["commitment_end"], opened["unit_type"]) == ("9999-12-10", "Usage-based")
    rows = (await caller.get(entitlements_path(opened["id"]))).json()["items"]
    assert [(row["status"], row["subscriptionId"]) for row in rows] == [("active", opened["id"])]
    assert (await caller.post("/_emulator/azure", json=order)).status_code == 400
    assert (await caller.post("/_emulator/azure", json={**order, "partner": "target"})).status_code == 200


async def test_a_cancelled_azure_subscription_is_inactive_ten_minutes_later(emulator: Emulator, client: Client):
    """The answer still says active; after a reload of the world, too; reactivating is 202."""
    caller, opened = client("se"), plan(emulator)
    row = azure.add_entitlement(emulator, opened, "Shop")
    path = entitlements_path(opened.id, f"/{row.id}")
    answer = await caller.post(f"{path}/cancel", json={"cancellationReason": "compromise"})
    assert (answer.status_code, answer.json()["status"]) == (200, "active")
    assert refused(await caller.post(f"{path}/reactivate")) == (409, 800082)
    emulator.world.clock_at = emulator.clock.now()
    emulator.replace_world(msgspec.json.decode(msgspec.json.encode(emulator.world), type=World))
    emulator.clock.advance(10 * MINUTE)
    assert (await caller.get(path)).json()["status"] == "inactive"
    assert refused(await caller.post(f"{path}/cancel", json={})) == (400, 800002)
    assert (await caller.post(f"{path}/reactivate")).status_code == 202
    assert (await caller.get(path)).json()["status"] == "active"


async def test_what_is_no_azure_has_no_entitlements(emulator: Emulator, client: Client):
    """404 for an unknown one, 403 for a sales agent that cancels."""
    opened = plan(emulator)
    row = azure.add_entitlement(emulator, opened, "Shop")
    assert refused(await client("se").get(entitlements_path(opened.id, f"/{STRANGER}"))) == (404, 800111)
    path = entitlements_path(opened.id, f"/{row.id}/cancel")
    assert refused(await client("se", "seller").post(path, json={})) == (403, 900150)


async def test_a_bought_plan_comes_with_a_default_subscription_too(emulator: Emulator, client: Client):
    """R-174, whichever way the plan was opened."""
    emulator.options.provisioning_seconds = 0.0
    terms: Json = {"billingCycle": "one_time", "termDuration": ""}
    bought = await acquire(client("se"), emulator, AZURE_PLAN, 1, **terms)
    assert len(await ids_under(client("se"), str(bought["id"]))) == 1


async def test_a_plan_with_active_items_cannot_be_suspended(emulator: Emulator, client: Client):
    """403 code 900115 until every Azure subscription is inactive."""
    opened = plan(emulator)
    row = azure.add_entitlement(emulator, opened, "Shop")
    caller, path = client("se"), subscription_path(opened.id)
    shown = (await caller.get(path)).json()
    assert refused(await caller.patch(path, json={**shown, "status": "suspended"})) == (403, 900115)
    azure.set_entitlement_status(emulator, row, "inactive", "")
    assert (await caller.patch(path, json={**shown, "status": "suspended"})).json()["status"] == "suspended"


async def test_an_azure_subscription_is_registered_for_reservations(emulator: Emulator, client: Client):
    """202 with the address of the status, which says Registering for ten minutes."""
    opened, caller = plan(emulator), client("se")
    path = subscription_path(opened.id)
    before = (await caller.get(f"{path}/registrationstatus")).json()
    assert before["status"] == "NotRegistered"
    assert set(missing(sample_body("get-subscription-registration-status"), before)) == set()
    asked = await caller.post(f"{path}/registrations")
    assert (asked.status_code, f"/v1{asked.headers['Location']}") == (202, f"{path}/registrationstatus")
    assert (await caller.get(f"{path}/registrationstatus")).json()["status"] == "Registering"
    emulator.clock.advance(10 * MINUTE)
    assert (await caller.get(f"{path}/registrationstatus")).json()["status"] == "Registered"


# -- transfer of billing ownership ------------------------------------------------------------------------------------


async def test_billing_moves_and_roles_stay(emulator: Emulator, client: Client):
    """Same Azure subscription under the target's plan; the old partner still is Owner, the new one nothing."""
    old, new = plan(emulator), plan(emulator, TARGET)
    row, stays = azure.add_entitlement(emulator, old, "Shop"), azure.add_entitlement(emulator, old, "Lab")
    roles = msgspec.to_builtins(row.roles)
    done = await transferred(emulator, client, row.id)
    assert (done["status"], lines_of(done)[0]["entitlementId"]) == ("Complete", row.id)
    assert await ids_under(client("se"), old.id) == [stays.id]
    assert await ids_under(client("target"), new.id) == [row.id]
    shown = (await client("se").get(f"/_emulator/azure/customers/{ALFA}")).json()["entitlements"][0]
    assert shown["tenant_id"] == TARGET
    assert msgspec.to_builtins(row.roles) == roles
    assert {entry["tenant_id"] for entry in shown["roles"]} == {ALFA, SE}


async def test_the_truth_ledger_takes_no_azure_for_seats(emulator: Emulator, client: Client):
    """Neither the target's plan nor a converted legacy subscription is a twin, a gap or a difference."""
    tenant, customer = emulator.world.partner_tenants[SE], emulator.world.customers[ALFA]
    old = azure.open_legacy(emulator, tenant, customer)
    plan(emulator, TARGET)
    await transferred(emulator, client, old.id)
    totals = report(emulator).totals
    assert (totals.twins, totals.gaps, totals.unequal, totals.overlap_seat_days) == (0, 0, 0, 0)


async def test_the_customer_changes_the_roles_afterwards(emulator: Emulator, client: Client):
    """The control plane plays the customer: the old partner out, the new one in."""
    row = azure.add_entitlement(emulator, plan(emulator), "Shop")
    entry = {
        "principal_id": "group/target",
        "principal_name": "AdminAgents",
        "role": "Owner",
        "tenant_id": TARGET,
        "since": "2026-03-02T08:00:00Z",
    }
    await client("se").post(f"/_emulator/azure/items/{row.id}", json={"roles": [entry]})
    assert [assigned.tenant_id for assigned in row.roles] == [TARGET]
    assert emulator.world.changes[-1].what == "entitlement.roles"


async def test_legacy_azure_becomes_part_of_the_targets_plan(emulator: Emulator, client: Client):
    """R-170: no longer listed at the source, an Azure subscription with the same id at the target."""
    tenant, customer = emulator.world.partner_tenants[SE], emulator.world.customers[ALFA]
    old, new = azure.open_legacy(emulator, tenant, customer), plan(emulator, TARGET)
    await transferred(emulator, client, old.id)
    assert (await client("se").get(subscription_path())).json()["items"] == []
    assert await ids_under(client("target"), new.id) == [old.entitlement_id]


async def test_an_inactive_reservation_fails_the_whole_acceptance(emulator: Emulator, client: Client):
    """R-167: nothing moves, the transfer stays pending."""
    row, idle = azure.add_entitlement(emulator, plan(emulator), "Shop"), benefit(emulator)
    plan(emulator, TARGET)
    await client("se").post(f"/_emulator/azure/items/{idle.id}", json={"status": "inactive"})
    transfer = await requested(client("target"))
    assert refused(await submitted(client("se"), transfer, row.id, idle.id)) == (400, 900145)
    assert (await read_transfer(client("se"), transfer))["status"] == "Pending"


async def test_monthly_paid_benefits_end_when_the_currency_changes(emulator: Emulator, client: Client):
    """R-168: cancelled at the next cycle, SEK to EUR; those paid in advance live on."""
    plan(emulator, TARGET)
    monthly = [benefit(emulator, is_monthly=True), benefit(emulator, kind="savings_plan", is_monthly=True)]
    upfront = benefit(emulator)
    await transferred(emulator, client, upfront.id, *(row.id for row in monthly))
    assert {row.tenant_id for row in (upfront, *monthly)} == {TARGET}
    emulator.clock.advance(30 * DAY)
    assert [row.status for row in monthly] == ["active", "active"]
    emulator.world.clock_at = emulator.clock.now()
    emulator.replace_world(msgspec.json.decode(msgspec.json.encode(emulator.world), type=World))
    emulator.clock.advance(2 * DAY)
    assert [row.status for row in emulator.world.azure.benefits.values()] == ["cancelled", "cancelled", "active"]


async def test_monthly_paid_benefits_go_on_in_the_same_currency(emulator: Emulator, client: Client):
    """No currency change, no cancellation; at the end of its year it expires."""
    emulator.world.partner_tenants[TARGET].currency = "SEK"
    plan(emulator, TARGET)
    row = benefit(emulator, is_monthly=True)
    await transferred(emulator, client, row.id)
    emulator.clock.advance(200 * DAY)
    statuses = [row.status]
    emulator.clock.advance(200 * DAY)
    statuses.append(row.status)
    assert statuses == ["active", "expired"]


async def test_azure_prerequisites_are_checked(emulator: Emulator, client: Client):
    """No plan 900139, marketplace items 900146, suspended plan 900132, legacy Azure at the target 900131."""
    row: Entitlement = azure.add_entitlement(emulator, plan(emulator), "Shop")
    transfer = await requested(client("target"))
    assert refused(await submitted(client("se"), transfer, row.id)) == (403, 900139)
    theirs = plan(emulator, TARGET)
    row.has_marketplace_items = True
    assert refused(await submitted(client("se"), transfer, row.id)) == (400, 900146)
    row.has_marketplace_items, theirs.status = False, "suspended"
    assert refused(await submitted(client("se"), transfer, row.id)) == (400, 900132)
    tenant, customer = emulator.world.partner_tenants[TARGET], emulator.world.customers[ALFA]
    azure.open_legacy(emulator, tenant, customer)
    assert refused(await submitted(client("se"), transfer, row.id)) == (400, 900131)


async def test_only_the_product_types_asked_for_may_be_selected(emulator: Emulator, client: Client):
    """400 code 900134 for an Azure subscription when reservations were asked for."""
    row = azure.add_entitlement(emulator, plan(emulator), "Shop")
    plan(emulator, TARGET)
    transfer = await requested(client("target"), targetProductTypes=["azureReservation"])
    assert refused(await submitted(client("se"), transfer, row.id)) == (400, 900134)


# -- entitlements of the customer, usage ------------------------------------------------------------------------------


async def test_reservations_are_entitlements_of_the_customer(emulator: Emulator, client: Client):
    """With expiry on request, at the partner tenant that has it."""
    row = benefit(emulator, quantity=3)
    path = f"/v1/customers/{ALFA}/entitlements"
    shown = (await client("se").get(f"{path}?entitlementType=reservedInstance&showExpiry=true")).json()["items"]
    assert [(item["quantity"], item["entitledArtifacts"][0]["resourceId"]) for item in shown] == [(3, row.id)]
    assert shown[0]["expiryDate"].startswith("2027-03-01T23:59:59")
    assert (await client("target").get(path)).json()["items"] == []
    assert (await client("se").get(f"{path}?entitlementType=software")).json()["items"] == []
    assert refused(await client("se").get(f"{path}?entitlementType=hats")) == (400, 900126)


async def test_usage_answers_like_the_published_samples(emulator: Emulator, client: Client):
    """Plan and legacy have different currency members; the cost is the share of the month that is over."""
    caller, opened = client("se"), plan(emulator)
    order = {"customer": ALFA, "partner": "se", "kind": "subscription", "monthly_cost": "310"}
    await caller.post("/_emulator/azure", json=order)
    emulator.clock.advance(DAY)
    caller = client("se")
    base = f"/v1/customers/{ALFA}"
    records = (await caller.get(f"{base}/subscriptions/usagerecords")).json()
    assert [item["totalCost"] for item in records["items"]] == [10.0]
    sample = sample_body("get-a-customer-subscription-s-usage-records-2")
    assert set(missing(sample, records)) == set()
    every = (await caller.get("/v1/customers/usagerecords")).json()
    sample = sample_body("get-a-customer-s-usage-records")
    # the sample's first row is a customer of legacy Azure, ours has a plan
    assert set(missing(first_item(sample), first_item(every))) == {"/currencyLocale: missing"}
    one = (await caller.get(f"{base}/subscriptions/{opened.id}/usagesummary")).json()
    sample = sample_body("get-a-customer-subscription-usage-summary")
    assert set(missing(sample, one)) == {"/currencyLocale: missing"}


async def test_usage_of_legacy_azure_answers_like_the_published_samples(emulator: Emulator, client: Client):
    """With the locale of the currency, the misspelt budget included."""
    tenant, customer = emulator.world.partner_tenants[SE], emulator.world.customers[ALFA]
    old = azure.open_legacy(emulator, tenant, customer)
    base = f"/v1/customers/{ALFA}"
    for name, path in (
        ("get-a-customer-usage-summary", f"{base}/usagesummary"),
        ("get-a-customer-subscription-s-usage-records", f"{base}/subscriptions/usagerecords"),
        ("get-a-customer-subscription-usage-summary", f"{base}/subscriptions/{old.id}/usagesummary"),
        ("get-a-customer-s-usage-records", "/v1/customers/usagerecords"),
    ):
        assert set(missing(sample_body(name), (await client("se").get(path)).json())) == set(), name
