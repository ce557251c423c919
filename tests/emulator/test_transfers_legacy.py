"""Legacy self-serve transfers: the source offers, the target accepts (commerce reference 4.2, rules I)."""

from __future__ import annotations

from typing import cast

import httpx2
import pytest

from partner_center_emulator.azure import models as azure
from partner_center_emulator.emulator import Emulator
from tests.emulator.commerce import (
    AUDIO,
    E1,
    E3,
    Json,
    buy_one,
    commerce_emulator,
    patch,
    read,
    refused,
    subscription_path,
)
from tests.emulator.conftest import Client
from tests.emulator.moving import lines_of, new_commerce, read_transfer, transfers_path
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import ALFA, SE, STRANGER, TARGET

ELIGIBILITY = f"/v1/customers/{ALFA}/transferseligibility?transferType=directtoindirect"


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world with the real catalog; Alfa and Bravo are customers of both tenants."""
    return commerce_emulator()


def offer_body(*ids: object, **more: object) -> Json:
    """Return the body with which the Swedish tenant offers subscriptions to the target."""
    lines = [{"subscriptionId": item, **more} for item in ids]
    return {"sourcePartnerTenantId": SE, "targetPartnerTenantId": TARGET, "lineItems": lines}


async def offered(source: httpx2.AsyncClient, *ids: object) -> Json:
    """Offer subscriptions and insist on success."""
    answer = await source.post(transfers_path(), json=offer_body(*ids, partnerIdOnRecord="4847383"))
    assert answer.status_code == 201, answer.text
    return cast("Json", answer.json())


async def test_eligibility_names_the_reason(emulator: Emulator, client: Client):
    """A bare array: fine, suspended, of another kind, already in a transfer; add-ons are not listed."""
    source = client("se")
    fine, idle, busy = await buy_one(source), await buy_one(source, E1), await buy_one(source)
    await buy_one(source, AUDIO, 5, parentSubscriptionId=fine["id"])
    await patch(source, idle, status="suspended")
    modern = new_commerce(emulator)
    transfer = await offered(source, busy["id"])
    rows = {row["id"].upper(): row for row in (await source.get(ELIGIBILITY)).json()}
    assert rows[str(fine["id"])] == {"id": str(fine["id"]).lower(), "isEligible": True}
    assert "Suspended" in rows[str(idle["id"])]["reason"]
    assert str(transfer["id"]) in rows[str(busy["id"])]["reason"]
    assert rows[modern.id.upper()]["isEligible"] is False
    assert len(rows) == 4
    assert refused(await source.get(ELIGIBILITY.replace("directtoindirect", "sideways"))) == (400, 900126)


async def test_an_accepted_offer_moves_base_and_add_ons(emulator: Emulator, client: Client):
    """Both are suspended at the source and active at the target; the add-on hangs on the new base."""
    source, target = client("se"), client("target")
    base = await buy_one(source, E3, 20)
    add_on = await buy_one(source, AUDIO, 5, parentSubscriptionId=base["id"])
    transfer = await offered(source, base["id"])
    assert (transfer["status"], len(cast("list[Json]", lines_of(transfer)[0]["addonItems"]))) == ("Active", 1)
    assert lines_of(await read_transfer(target, transfer))[0]["quantity"] == 20
    answer = await target.post(f"{transfers_path(str(transfer['id']))}/accept")
    assert (answer.status_code, answer.json()["transferErrors"]) == (200, [])
    assert [row["lineItems"][0]["quantity"] for row in answer.json()["orders"]] == [20, 5]
    assert [(await read(source, str(row["id"])))["status"] for row in (base, add_on)] == ["suspended", "suspended"]
    new = (await target.get(subscription_path())).json()["items"]
    assert [(row["quantity"], row["status"], row["partnerId"]) for row in new] == [
        (20, "active", "4847383"),
        (5, "active", "4847383"),
    ]
    assert new[1]["parentSubscriptionId"] == new[0]["id"]
    assert (await read_transfer(source, transfer))["status"] == "Complete"
    totals = [row.what for row in emulator.world.changes if row.what.startswith("transfer.")]
    assert totals == ["transfer.created", "transfer.ended", "transfer.completed", "transfer.completed"]


async def test_seats_are_those_of_the_offer(client: Client):
    """R-160: a change after the request is not carried over."""
    source, target = client("se"), client("target")
    base = await buy_one(source, E3, 20)
    transfer = await offered(source, base["id"])
    await patch(source, base, quantity=33)
    await target.post(f"{transfers_path(str(transfer['id']))}/accept")
    assert (await target.get(subscription_path())).json()["items"][0]["quantity"] == 20


async def test_legacy_azure_leaves_the_list_and_keeps_its_azure_subscription(emulator: Emulator, client: Client):
    """R-161: another subscription id, the same entitlement id."""
    source, target = client("se"), client("target")
    old = azure.open_legacy(emulator, emulator.world.partner_tenants[SE], emulator.world.customers[ALFA])
    transfer = await offered(source, old.id)
    await target.post(f"{transfers_path(str(transfer['id']))}/accept")
    assert (await source.get(subscription_path())).json()["items"] == []
    new = (await target.get(subscription_path())).json()["items"][0]
    assert (new["offerId"], new["entitlementId"]) == ("MS-AZR-0145P", old.entitlement_id)
    assert new["id"].lower() != old.id


async def test_a_failed_line_leaves_the_rest_done(emulator: Emulator, client: Client):
    """900103 in transferErrors, PartiallyComplete, the failed one still active at the source."""
    source, target = client("se"), client("target")
    good, bad = await buy_one(source), await buy_one(source, E1)
    await source.post("/_emulator/transfers/stumbles", json={"ids": [bad["id"]]})
    transfer = await offered(source, good["id"], bad["id"])
    answer = await target.post(f"{transfers_path(str(transfer['id']))}/accept")
    assert [row["code"] for row in answer.json()["transferErrors"]] == [900103]
    done = await read_transfer(source, transfer)
    assert (done["status"], [row["status"] for row in lines_of(done)]) == (
        "PartiallyComplete",
        ["Complete", "Failed"],
    )
    assert (await read(source, str(bad["id"])))["status"] == "active"
    assert set(missing(sample_body("accept-a-transfer"), answer.json())) == set()


async def test_the_target_rejects_and_the_source_withdraws(client: Client):
    """Reject for one, 204 and gone for the other; each may do only its own."""
    source, target = client("se"), client("target")
    base = await buy_one(source)
    first = await offered(source, base["id"])
    path = transfers_path(str(first["id"]))
    assert refused(await source.patch(path, json={"status": "reject"})) == (403, 900308)
    assert refused(await source.post(f"{path}/accept")) == (403, 900308)
    rejected = await target.patch(path, json={"id": first["id"], "status": "reject"})
    assert (rejected.status_code, rejected.json()["status"]) == (200, "Reject")
    assert set(missing(sample_body("reject-a-transfer"), rejected.json())) == set()
    second = await offered(source, base["id"])
    path = transfers_path(str(second["id"]))
    assert refused(await target.delete(path)) == (403, 900308)
    assert (await source.delete(path)).status_code == 204
    assert refused(await source.get(path)) == (404, 900100)


async def test_a_transfer_answers_like_the_published_sample(client: Client):
    """Every member of the sample, the odd partnertenantid included."""
    source = client("se")
    transfer = await offered(source, (await buy_one(source))["id"])
    assert set(missing(sample_body("get-transfer-by-id"), await read_transfer(source, transfer))) == set()


async def test_bad_offers_are_refused(emulator: Emulator, client: Client):
    """Unknown subscription or target, twice, an add-on, an unknown reseller, in another transfer, no agreement."""
    source, target = client("se"), client("target")
    base, other = await buy_one(source), await buy_one(source)
    add_on = await buy_one(source, AUDIO, 5, parentSubscriptionId=base["id"])

    async def offer(body: Json) -> tuple[int, int]:
        return refused(await source.post(transfers_path(), json=body))

    assert await offer(offer_body(STRANGER)) == (400, 800078)
    assert await offer(offer_body(add_on["id"])) == (400, 800078)
    assert await offer(offer_body(base["id"], base["id"])) == (400, 2000)
    assert await offer(offer_body(base["id"], partnerIdOnRecord="1")) == (404, 2072)
    assert await offer({**offer_body(base["id"]), "targetPartnerTenantId": STRANGER}) == (400, 2000)
    transfer = await offered(source, base["id"])
    assert await offer(offer_body(base["id"])) == (409, 900104)
    assert await offer(offer_body(other["id"], base["id"])) == (409, 900104)
    emulator.world.customers[ALFA].direct_signed_agreement = False
    assert refused(await target.post(f"{transfers_path(str(transfer['id']))}/accept")) == (403, 13605)


async def test_a_partner_that_became_an_indirect_reseller_may_offer(emulator: Emulator, client: Client):
    """R-156: that is whom this form is for; such a target cannot take anything."""
    base = await buy_one(client("se"))
    emulator.world.partner_tenants[SE].program = "indirect_reseller"
    assert (await offered(client("se"), base["id"]))["status"] == "Active"
    emulator.world.partner_tenants[TARGET].program = "indirect_reseller"
    body = offer_body(base["id"])
    assert refused(await client("se").post(transfers_path(), json=body)) == (403, 900137)
