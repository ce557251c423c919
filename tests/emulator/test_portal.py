"""A colleague in the portal does what no program may: over the control plane, and without a trace of a call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import httpx2
import pytest

from partner_center_emulator.actors import portal
from partner_center_emulator.app import create_app
from partner_center_emulator.clock import Clock
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.relationships import models as relationships
from partner_center_emulator.seed.mixed import mixed_world
from partner_center_emulator.transfers import modern
from partner_center_emulator.world import Subscription

ACT = "/_emulator/actors/portal"


@pytest.fixture
def office() -> Emulator:
    """Return a mixed world in which everybody is a customer of the target."""
    world = mixed_world(3, 60)
    found = Emulator(world, Options(provisioning_seconds=0.0), Clock(world.started_at, frozen=True))
    target = next(one for one in world.partner_tenants.values() if one.key == "target")
    for customer in world.customers.values():
        customer.direct_signed_agreement = True
        if relationships.obstacle(found, target, customer, is_global_admin=True) is None:
            relationships.accept(found, target, customer, is_global_admin=True)
    return found


@pytest.fixture
async def caller(office: Emulator) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the control plane."""
    transport = httpx2.ASGITransport(app=create_app(office))
    async with httpx2.AsyncClient(transport=transport, base_url=office.options.base_url) as found:
        yield found


def held(office: Emulator, kind: str) -> Subscription:
    """Return the first subscription of a kind."""
    return next(one for one in office.world.subscriptions.values() if office.world.labels.get(one.id) == kind)


async def test_a_colleague_buys_the_same_and_ends_the_old(office: Emulator, caller: httpx2.AsyncClient):
    """Same product, seats and term at the target; the record names no call."""
    old = held(office, "SAAS")
    bought = await caller.post(ACT, json={"subscription": old.id, "does": "buy_alike"})
    ended = await caller.post(ACT, json={"subscription": old.id.upper(), "does": "end"})
    assert (bought.status_code, ended.status_code) == (200, 200)
    new = office.world.subscriptions[cast("str", bought.json()["lines"][0]["subscription_id"])]
    assert (new.offer_name, new.quantity, new.billing_cycle) == (old.offer_name, old.quantity, old.billing_cycle)
    assert old.status == "deleted"
    assert {change.request_id for change in office.world.changes} == {""}


async def test_a_colleague_chooses_the_end_of_a_term(office: Emulator, caller: httpx2.AsyncClient):
    """It ends with its term, even where it would go on in the Extended Service Term."""
    one = held(office, "NOT_TRANSFERABLE")
    await caller.post(ACT, json={"subscription": one.id, "does": "choose_end_of_term"})
    assert (one.auto_renew, office.world.commerce.terms[one.id].end_action) == (False, "cancel")


async def test_a_colleague_hands_azure_to_support(office: Emulator, caller: httpx2.AsyncClient):
    """A service request that names the subscription and the target; some days later it has moved."""
    one = held(office, "LEGACY_AZURE")
    answer = await caller.post(ACT, json={"subscription": one.id, "does": "hand_off"})
    assert answer.json()["title"] == "Change of Cloud Solution Provider"
    office.clock.advance(60 * 86_400)
    assert one.status in {"suspended", "disabled", "deleted"}


async def test_a_colleague_cancels_marketplace_products(office: Emulator, caller: httpx2.AsyncClient):
    """What stands in the way of an Azure subscription is gone, once (R-169)."""
    below = next(one for one in office.world.azure.entitlements.values() if one.has_marketplace_items)
    order = {"subscription": below.subscription_id, "does": "cancel_marketplace"}
    answers = [(await caller.post(ACT, json=order)).json() for _ in range(2)]
    assert answers == [{"canceled": 1}, {"canceled": 0}]
    assert not below.has_marketplace_items


@pytest.mark.parametrize(
    "order",
    [
        {"subscription": "nobody", "does": "end"},
        {"subscription": "nobody", "does": "dance"},
    ],
)
async def test_bad_orders_are_explained(caller: httpx2.AsyncClient, order: dict[str, str]):
    """An unknown subscription or deed."""
    answer = await caller.post(ACT, json=order)
    assert answer.status_code in {400, 404}
    assert answer.json()["error"]


async def test_legacy_licenses_are_none_of_his_business(office: Emulator, caller: httpx2.AsyncClient):
    """Those are the program's."""
    answer = await caller.post(ACT, json={"subscription": held(office, "LEGACY").id, "does": "end"})
    assert answer.status_code == 400


@pytest.mark.parametrize(("rejects", "becomes"), [(True, "Reject"), (False, "Cancel")])
def test_somebody_answers_a_transfer_before_its_time(office: Emulator, *, rejects: bool, becomes: str):
    """The source rejects, or the target cancels."""
    one = held(office, "LICENSE")
    customer = office.world.customers[one.customer_id]
    target = next(tenant for tenant in office.world.partner_tenants.values() if tenant.key == "target")
    wish: dict[str, object] = {"sourcePartnerTenantId": one.tenant_id, "customerEmailId": customer.email}
    made = modern.create(office, target, customer, wish, "somebody")
    portal.answer_transfer(office, made, rejects=rejects)
    assert made.status == becomes
