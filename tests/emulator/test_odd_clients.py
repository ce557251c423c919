"""Odd but real clients: paths, casing, re-serialised bodies, superfluous members; legacy and new commerce alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import cast

import httpx2
import pytest

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.wire import pascal
from tests.emulator.commerce import AUDIO, E3, bought, buy, buy_one, line, order_body, orders_path, subscription_path
from tests.emulator.moving import new_commerce, request_body, requested, transfers_path
from tests.emulator.new_commerce import (
    NEW_E3,
    PERPETUAL,
    Client,
    Json,
    acquire,
    cart_line,
    carts_path,
    check_out,
    fill,
    item_id,
    look,
    new_emulator,
)
from tests.emulator.small_world import ALFA, SE, TARGET
from tests.emulator.test_idempotency import agreement

Form = Callable[[object], object]
Spelling = Callable[[str], str]

KNOWN = frozenset(
    {
        "id",
        "offerId",
        "offerName",
        "friendlyName",
        "quantity",
        "unitType",
        "parentSubscriptionId",
        "creationDate",
        "effectiveStartDate",
        "commitmentEndDate",
        "status",
        "autoRenewEnabled",
        "billingType",
        "billingCycle",
        "partnerId",
        "orderId",
        "attributes",
        "links",
        "termDuration",
    }
)
# what an older library has members for, but the service's answer does not
NEVER_SEEN: Json = {"isTrial": False, "hasPurchasableAddons": False, "attentionNeeded": False, "actionTaken": False}
MISSING = (
    "parentSubscriptionId",
    "entitlementId",
    "suspensionReasons",
    "scheduledNextTermInstructions",
    "nextChargeInstructions",
    "refundOptions",
    "refundableQuantity",
    "cancellationAllowedUntilDate",
    "promotionId",
    "partnerId",
    "migratedFromSubscriptionId",
    "contractType",
)


@pytest.fixture
def emulator() -> Emulator:
    """Return both catalogs; provisioning takes no time; Alfa is a customer of both tenants."""
    return new_emulator()


def re_serialised(body: Mapping[str, object]) -> Json:
    """Return a subscription as a library writes it back: less, more and other than what it read."""
    kept = {name: _cut(value) for name, value in body.items() if name in KNOWN}
    return {**dict.fromkeys(MISSING), **NEVER_SEEN, **kept}


def _cut(value: object) -> object:
    """Return times without their fractions of a second."""
    return re.sub(r"(T\d\d:\d\d:\d\d)\.\d+Z$", r"\1Z", value) if isinstance(value, str) else value


def marked(value: object) -> object:
    """Return a body with ``attributes.objectType`` in every object of it."""
    if isinstance(value, dict):
        inner = {name: marked(item) for name, item in value.items()}
        return {"attributes": {"objectType": "Anything"}, **inner}
    return [marked(item) for item in value] if isinstance(value, list) else value


def mixed(text: str) -> str:
    """Return text in which every other letter is upper case."""
    return "".join(sign.upper() if number % 2 else sign.lower() for number, sign in enumerate(text))


def read(answer: httpx2.Response, status: int = 200) -> Json:
    """Return the body of an answer with the status that is expected."""
    assert answer.status_code == status, answer.text
    return cast("Json", answer.json())


async def bought_both(emulator: Emulator, caller: httpx2.AsyncClient) -> tuple[Json, Json]:
    """Buy one subscription of each generation."""
    return await buy_one(caller, E3, 10), await acquire(caller, emulator, NEW_E3, 10)


# -- paths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spell", [str.upper, mixed, str.lower])
async def test_paths_may_be_doubled_and_ended_with_a_slash_in_any_case(
    emulator: Emulator, client: Client, spell: Spelling
):
    """``/v1//customers/ID/.../``: the same answer as the plain path, whatever the case of the GUIDs."""
    caller = client("target")
    legacy, modern = await bought_both(emulator, caller)
    cart = await fill(caller, cart_line(emulator, NEW_E3))
    transfer = await requested(caller)
    rests = [
        "",
        "/profiles/billing",
        "/subscriptions",
        *(f"/subscriptions/{row['id']}" for row in (legacy, modern)),
        *(f"/orders/{row['orderId']}" for row in (legacy, modern)),
        *(f"/orders/{row['orderId']}/provisioningstatus" for row in (legacy, modern)),
        f"/carts/{cart['id']}",
        f"/transfers/{transfer['id']}",
        "/orders",
    ]
    for rest in rests:
        plain = read(await caller.get(f"/v1/customers/{ALFA}{rest}".lower()))
        head, _, tail = rest.rpartition("/")
        odd = await caller.get(
            f"/v1//customers/{spell(ALFA)}{head}//{spell(tail)}/" if rest else f"/v1//customers/{spell(ALFA)}/"
        )
        assert read(odd) == plain, rest


async def test_writes_may_be_sent_to_doubled_paths(emulator: Emulator, client: Client):
    """Orders, carts, checkout and PATCH with a double slash, a trailing slash and an upper-case customer."""
    caller = client("target")
    root = f"/v1//customers/{ALFA.upper()}"
    order = read(await caller.post(f"{root}/orders/", json=order_body(line(E3))), 201)
    subscription = read(await caller.get(subscription_path(bought(order)[0])))
    path = f"{root}/subscriptions/{str(subscription['id']).lower()}/"
    assert read(await caller.patch(path, json={**subscription, "quantity": 11}))["quantity"] == 11
    cart = read(await caller.post(f"{root}/carts/", json={"lineItems": [cart_line(emulator, NEW_E3)]}), 201)
    result = read(await caller.post(f"{root}/carts/{str(cart['id']).upper()}/checkout/"), 201)
    assert "orderErrors" not in result


# -- subscriptions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [re_serialised, marked, pascal, lambda body: pascal(re_serialised(body))])
async def test_a_subscription_comes_back_from_a_library_unchanged(emulator: Emulator, client: Client, form: Form):
    """Unknown members dropped, milliseconds cut, false and null for the rest, PascalCase: nothing changes by it."""
    caller = client("target")
    for before in await bought_both(emulator, caller):
        path = subscription_path(str(before["id"]))
        after = read(await caller.patch(path, json=form(before)))
        assert {**after, "attributes": None} == {**before, "attributes": None}


@pytest.mark.parametrize("form", [re_serialised, marked, pascal, lambda body: pascal(re_serialised(body))])
async def test_a_change_through_a_library_changes_what_it_names(emulator: Emulator, client: Client, form: Form):
    """Seats, then auto-renew: exactly these are new."""
    caller = client("target")
    for first in await bought_both(emulator, caller):
        path = subscription_path(str(first["id"]))
        more = read(await caller.patch(path, json=form({**first, "quantity": 12})))
        assert (more["quantity"], more["autoRenewEnabled"], more["status"]) == (12, True, "active")
        off = read(await caller.patch(path, json=form({**more, "autoRenewEnabled": False})))
        assert (off["quantity"], off["autoRenewEnabled"], off["status"]) == (12, False, "active")


async def test_enums_may_be_pascal_case_or_numbers(emulator: Emulator, client: Client):
    """``Status`` and ``BillingCycle`` by name in any case, or by the number of the enum's member."""
    caller = client("target")
    for row in await bought_both(emulator, caller):
        path = subscription_path(str(row["id"]))
        for status, cycle in (("Active", "Monthly"), (1, 1), ("ACTIVE", "MONTHLY"), (0, 0), ("none", "unknown")):
            now = read(await caller.get(path))
            after = read(await caller.patch(path, json={**now, "status": status, "billingCycle": cycle}))
            assert (after["status"], after["billingCycle"]) == ("active", "monthly")
        now = read(await caller.get(path))
        assert read(await caller.patch(path, json={**now, "status": 2}))["status"] == "suspended"


async def test_ids_in_bodies_may_have_any_case(emulator: Emulator, client: Client):
    """The id and the order id of a subscription, the customer of an order, the offer and the parent of a line."""
    caller = client("target")
    for row in await bought_both(emulator, caller):
        body = {**row, "id": mixed(str(row["id"])), "orderId": mixed(str(row["orderId"])), "quantity": 13}
        assert read(await caller.patch(subscription_path(mixed(str(row["id"]))), json=body))["quantity"] == 13
    base = await buy_one(caller, E3, 10)
    add_on = line(mixed(AUDIO), 5, parentSubscriptionId=mixed(str(base["id"])))
    body = {**order_body(add_on), "referenceCustomerId": mixed(ALFA)}
    order = read(await caller.post(orders_path(), json=body), 201)
    row = read(await caller.get(subscription_path(bought(order)[0])))
    assert str(row["parentSubscriptionId"]).lower() == str(base["id"]).lower()
    new = {**cart_line(emulator, NEW_E3), "catalogItemId": item_id(emulator, NEW_E3).lower()}
    assert "orderErrors" not in await check_out(caller, await fill(caller, new))


# -- orders and carts -------------------------------------------------------------------------------------------------


def full_line(**more: object) -> Json:
    """Return an order line as a library writes it: every member it knows, null or zero if nobody set it."""
    nulls = dict.fromkeys(
        (
            "subscriptionId",
            "parentSubscriptionId",
            "friendlyName",
            "partnerIdOnRecord",
            "promotionId",
            "provisioningContext",
            "links",
            "renewsTo",
            "customTermEndDate",
            "participants",
            "termDuration",
            "transactionType",
        )
    )
    return {**nulls, "lineItemNumber": 0, "attestationAccepted": False, **more}


def full_order(*lines: Json, **more: object) -> Json:
    """Return an order as a library writes it."""
    nulls = dict.fromkeys(("id", "alternateId", "referenceCustomerId", "currencyCode", "creationDate", "links"))
    return {
        **nulls,
        "billingCycle": "monthly",
        "status": None,
        "totalPrice": 0.0,
        "creationDate": "0001-01-01T00:00:00",
        "attributes": {"objectType": "Order"},
        "lineItems": list(lines),
        **more,
    }


@pytest.mark.parametrize("form", [dict, marked, pascal])
@pytest.mark.parametrize("total", [0.0, 0, None])
async def test_orders_are_bought_with_all_members_of_a_library(
    emulator: Emulator, client: Client, form: Form, total: object
):
    """``totalPrice: 0.0``, nulls, the null date, marked objects and PascalCase, for both generations."""
    caller = client("target")
    modern = {"offerId": item_id(emulator, NEW_E3), "quantity": 4, "termDuration": "P1Y"}
    for row in ({"offerId": E3, "quantity": 4}, modern):
        body = form(full_order(full_line(**row), totalPrice=total))
        order = read(await caller.post(orders_path(), json=body), 201)
        (only,) = cast("list[Json]", order["lineItems"])
        assert only["quantity"] == 4


async def test_numbers_may_be_written_with_a_fraction_of_zero(emulator: Emulator, client: Client):
    """``10.0`` seats and line ``0.0``; a line number of null is 0; half a seat is refused all the same."""
    caller = client("target")
    for offer in (E3, item_id(emulator, NEW_E3)):
        row = {**line(offer, 10), "termDuration": "P1Y"}
        for number in (0.0, None):
            body = order_body({**row, "quantity": 10.0, "lineItemNumber": number})
            order = read(await caller.post(orders_path(), json=body), 201)
            assert cast("list[Json]", order["lineItems"])[0]["quantity"] == 10
        half = order_body({**row, "quantity": 10.5})
        assert (await caller.post(orders_path(), json=half)).status_code == 400


@pytest.mark.parametrize("form", [dict, marked, pascal])
async def test_an_order_comes_back_from_a_library_with_an_add_on(client: Client, form: Form):
    """The whole order with its lines as read and one more; then the same again without a new line."""
    caller = client("target")
    order = await buy(caller, line(E3, 10))
    path = f"{orders_path()}/{str(order['id']).upper()}"
    lines = [full_line(**row) for row in cast("list[Json]", order["lineItems"])]
    extra = full_line(offerId=AUDIO, quantity=2, lineItemNumber=1, parentSubscriptionId=bought(order)[0].lower())
    body = full_order(*lines, extra, attributes=order["attributes"])
    grown = read(await caller.patch(path, json=form(body)))
    assert [row["quantity"] for row in cast("list[Json]", grown["lineItems"])] == [10, 2]
    again = read(await caller.patch(path, json=form({**grown, "totalPrice": 0.0})))
    assert len(cast("list[Json]", again["lineItems"])) == 2


async def test_software_is_cancelled_in_any_spelling(emulator: Emulator, client: Client):
    """``Status: Cancelled`` in a PascalCase body with all members of a library."""
    caller = client("target")
    software = cart_line(emulator, PERPETUAL, 3, billingCycle="one_time", termDuration="")
    (order,) = cast("list[Json]", (await check_out(caller, await fill(caller, software)))["orders"])
    body = pascal(marked({**order, "status": "Cancelled", "totalPrice": 0.0}))
    assert read(await caller.patch(f"{orders_path()}/{order['id']}", json=body))["status"] == "cancelled"


@pytest.mark.parametrize("form", [dict, marked, pascal])
async def test_carts_are_filled_and_replaced_by_a_library(emulator: Emulator, client: Client, form: Form):
    """POST and PUT of the whole cart, with nulls for all that was never set and the cycle in PascalCase."""
    caller = client("target")
    nulls = dict.fromkeys(
        ("addonItems", "error", "orderGroup", "participants", "provisioningContext", "renewsTo", "customTermEndDate")
    )
    row = {**nulls, **cart_line(emulator, NEW_E3), "currencyCode": None, "promotionId": None, "billingCycle": "Monthly"}
    body = {"id": None, "status": None, "creationTimestamp": None, "lineItems": [row]}
    cart = read(await caller.post(carts_path(), json=form(body)), 201)
    assert cast("list[Json]", cart["lineItems"])[0].get("error") is None
    lines = [{**nulls, **found, "quantity": 7} for found in cast("list[Json]", cart["lineItems"])]
    changed = read(await caller.put(carts_path(str(cart["id"]).upper()), json=form({**cart, "lineItems": lines})), 201)
    assert cast("list[Json]", changed["lineItems"])[0]["quantity"] == 7
    assert "orderErrors" not in await check_out(caller, changed)


# -- people and transfers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [dict, marked, pascal])
async def test_profiles_and_agreements_take_marked_and_pascal_case_bodies(client: Client, form: Form):
    """PUT of the billing profile as it was read; an attestation with every object marked."""
    caller = client("se")
    path = f"/v1/customers/{ALFA.upper()}/profiles/billing"
    profile = read(await caller.get(path))
    keep = cast("Json", profile["attributes"])["etag"]
    body = cast("Json", form({**profile, "companyName": "Alfa Bygg & Co", "attributes": {"etag": keep}}))
    answer = read(await caller.put(path, json=body))
    assert {str(name).lower(): value for name, value in answer.items()}["companyname"] == "Alfa Bygg & Co"
    read(await caller.post(f"/v1//customers/{mixed(ALFA)}/agreements/", json=form(agreement())), 201)


@pytest.mark.parametrize("form", [dict, marked, pascal])
async def test_a_transfer_is_asked_for_and_answered_in_any_form(emulator: Emulator, client: Client, form: Form):
    """Upper-case tenants and subscriptions in the bodies of both partners."""
    row = new_commerce(emulator)
    nulls = dict.fromkeys(("id", "status", "lineItems", "customerName", "targetPartnerEmailId", "partnerOnRecord"))
    body = {**nulls, **request_body(sourcePartnerTenantId=SE.upper(), targetPartnerTenantId=mixed(TARGET))}
    transfer = read(await client("target").post(transfers_path(), json=form(body)), 201)
    lines = [{"subscriptionId": row.id.upper(), "id": None, "status": None}]
    answer = {**transfer, "status": "inprogress", "lineItems": lines}
    path = transfers_path(str(transfer["id"]).upper())
    after = read(await client("se").patch(path, json=form(answer)))
    assert after["status"] == "InProgress"


async def test_a_relationship_ends_with_a_pascal_case_body(emulator: Emulator, client: Client):
    """``RelationshipToPartner: None`` with marked objects on a doubled path."""
    body = pascal(marked({"id": ALFA.upper(), "relationshipToPartner": "None", "allowDelegatedAccess": None}))
    answer = await client("target").patch(f"/v1//customers/{ALFA.upper()}/", json=body)
    assert read(answer)["RelationshipToPartner"] == "none"
    assert f"{TARGET}/{ALFA}" not in emulator.world.relationships


async def test_what_a_subscription_is_called_survives_every_form(emulator: Emulator, client: Client):
    """A friendly name with capitals and a colon in it is no member name: its letters stay."""
    caller = client("target")
    for row in await bought_both(emulator, caller):
        path = subscription_path(str(row["id"]))
        body = pascal(marked({**row, "friendlyName": "attributes.objectType: Kök & Bad"}))
        read(await caller.patch(path, json=body))
        assert (await look(caller, row["id"]))["friendlyName"] == "attributes.objectType: Kök & Bad"
