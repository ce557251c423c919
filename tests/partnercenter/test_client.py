"""The client, call by call, against answers written from the reference."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import httpx2
import msgspec
import pytest

from tenantfold.clock import ManualClock
from tenantfold.domain.model import AgreementContact, CustomerId, OfferId, OrderId, OrderLine, SubscriptionId
from tenantfold.errors import ConflictError, NoAnswerError, NotFoundError, RefusedError, UnexpectedAnswerError
from tenantfold.partnercenter import CallRecord, Cloud, MemorySecretStore, PartnerCenterClient, connect
from tenantfold.partnercenter.auth import Account
from tests.partnercenter.fake_microsoft import TENANT, FakeMicrosoft, listing, reply

CUSTOMER = CustomerId("c5757d70-06f3-4f23-8367-5a9e55019f94")
SUBSCRIPTION = SubscriptionId("42226ed6-070a-4e0f-b80c-4cdfb3e97aa7")
ORDER = OrderId("3eddcac6-63b2-4c40-b0b6-f47e18301492")
REQUEST = UUID("00000000-0000-4000-8000-000000000001")
ONE = f"/v1/customers/{CUSTOMER}"
SUBSCRIPTION_PATH = f"{ONE}/subscriptions/{SUBSCRIPTION}"
ETAG = "eyJpZCI6IjEiLCJ2ZXJzaW9uIjoxfQ=="
CONTACT = AgreementContact(first_name="Ada", last_name="Berg", email="ada@berg.example", agreed_on=date(2026, 2, 27))


def subscription_item(**changes: object) -> dict[str, object]:
    """A legacy subscription as it is answered."""
    return {
        "id": SUBSCRIPTION.upper(),
        "offerId": "db2e705f-b82a-4024-a3d5-d88e12f2db35",
        "offerName": "Intune Device",
        "friendlyName": "Intune for the office",
        "quantity": 5,
        "unitType": "Licenses",
        "creationDate": "2025-04-10T23:02:26.0212345Z",
        "commitmentEndDate": "2026-04-09T00:00:00Z",
        "status": "active",
        "autoRenewEnabled": True,
        "billingType": "license",
        "billingCycle": "Monthly",
        "orderId": ORDER.upper(),
        "attributes": {"etag": ETAG, "objectType": "Subscription"},
        **changes,
    }


def line(**changes: object) -> OrderLine:
    """A line of five licenses."""
    given: dict[str, object] = {
        "source_subscription_id": SUBSCRIPTION,
        "offer_id": OfferId("DB2E705F-B82A-4024-A3D5-D88E12F2DB35"),
        "license_count": 5,
        "friendly_name": "Intune for the office",
        **changes,
    }
    return OrderLine(**given)  # type: ignore[arg-type]  # the table above has the types


def order_item(*lines: dict[str, object]) -> dict[str, object]:
    """A completed order as it is answered."""
    return {
        "id": ORDER.upper(),
        "billingCycle": "annual",
        "lineItems": list(lines),
        "creationDate": "2026-03-02T12:00:01.1234567Z",
        "status": "completed",
        "attributes": {"etag": "abc", "objectType": "Order"},
    }


async def test_reads_one_customer_with_country_and_contact(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """By id a customer has everything a plan needs, and its bytes are kept as they came."""
    body = (
        b'{"id":"C5757D70-06F3-4F23-8367-5A9E55019F94","relationshipToPartner":"reseller","allowDelegatedAccess":true,'
        b'"companyProfile":{"domain":"berg.example","companyName":"Berg AB","address":{"country":"se"},"email":"i@b"},'
        b'"billingProfile":{"firstName":"Ada","lastName":"Berg","email":"a@b","culture":"sv-SE","language":"sv"}}'
    )
    microsoft.on("GET", ONE, reply(body))
    read = await client.customer(CUSTOMER)
    assert read.document == body
    assert read.value.id == CUSTOMER
    assert read.value.tenant_id == TENANT
    assert (read.value.country, read.value.email, read.value.first_name) == ("SE", "i@b", "Ada")
    assert (read.value.company_name, read.value.language, read.value.relationship) == ("Berg AB", "sv-SE", "reseller")


async def test_leaves_out_what_is_withheld_and_takes_the_billing_country(
    client: PartnerCenterClient, microsoft: FakeMicrosoft
):
    """Without delegated admin the company's address and e-mail are missing (R-108)."""
    microsoft.on(
        "GET",
        ONE,
        reply({"id": CUSTOMER, "billingProfile": {"email": "pay@b", "defaultAddress": {"country": "NO"}}}),
    )
    value = (await client.customer(CUSTOMER)).value
    assert (value.country, value.email, value.domain) == ("NO", "pay@b", "")


async def test_drops_a_byte_order_mark_before_reading(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """Some answers begin with U+FEFF (core reference 2.2); what is kept can be sent back as JSON."""
    microsoft.on("GET", ONE, reply(b"\xef\xbb\xbf" + msgspec.json.encode({"id": CUSTOMER})))
    assert (await client.customer(CUSTOMER)).document.startswith(b"{")


async def test_follows_the_token_in_the_headers_of_the_next_link(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """The continuation token is a header, not a part of the address (core reference 3)."""
    next_link = {
        "uri": "/v1/customers?size=500&seekOperation=Next",
        "method": "GET",
        "headers": [{"key": "MS-ContinuationToken", "value": "AQAAAA=="}],
    }
    microsoft.on("GET", "/v1/customers", listing({"id": "A1"}, next_link=next_link), listing({"id": "b2"}))
    assert [read.value.id async for read in client.customers()] == ["a1", "b2"]
    first, second = microsoft.requests
    assert first.url.query == b"size=500"
    assert second.url.path == "/v1/customers"
    assert second.url.query == b"size=500&seekOperation=Next"
    assert second.headers["MS-ContinuationToken"] == "AQAAAA=="


async def test_resumes_from_a_kept_next_link(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """A next link is text that another process can go on with."""
    next_link = {"uri": "/customers?size=500", "headers": [{"key": "MS-ContinuationToken", "value": "two"}]}
    microsoft.on("GET", "/v1/customers", listing({"id": "a"}, next_link=next_link), listing({"id": "b"}))
    page = await client.customer_page()
    assert isinstance(page.next_link, str)
    rest = await client.customer_page(page.next_link)
    assert [read.value.id for read in rest.items] == ["b"]
    assert rest.next_link is None
    assert microsoft.requests[1].headers["MS-ContinuationToken"] == "two"


async def test_refuses_to_read_in_a_circle(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """The same next page twice would never end."""
    circle = {"uri": "/customers?size=500", "headers": [{"key": "MS-ContinuationToken", "value": "same"}]}
    microsoft.on("GET", "/v1/customers", listing({"id": "a"}, next_link=circle))
    with pytest.raises(UnexpectedAnswerError, match="twice"):
        _ = [read async for read in client.customers()]
    assert len(microsoft.requests) == 2


async def test_reads_subscriptions_in_every_status_with_their_own_bytes(
    client: PartnerCenterClient, microsoft: FakeMicrosoft
):
    """Each subscription keeps exactly the bytes it came in, unknown members and unknown statuses included."""
    item = b'{"id":"%s","status":"pending_review_hold", "quantity":3,"brandNew":{"deep":1.50}}' % SUBSCRIPTION.encode()
    microsoft.on("GET", f"{ONE}/subscriptions", reply(b'{"totalCount":37,"items":[' + item + b"]}"))
    (read,) = await client.subscriptions(CUSTOMER)
    assert read.document == item
    assert read.value.wire_status == "pending_review_hold"
    assert read.value.offer_id == ""


async def test_normalizes_ids_words_and_times_of_a_subscription(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """Ids lower, offers upper, known words in snake case, seven digits of a second cut to six."""
    microsoft.on("GET", SUBSCRIPTION_PATH, reply(subscription_item(parentSubscriptionId="AB-CD")))
    value = (await client.subscription(CUSTOMER, SUBSCRIPTION)).value
    assert value.id == SUBSCRIPTION
    assert value.offer_id == "DB2E705F-B82A-4024-A3D5-D88E12F2DB35"
    assert value.order_id == ORDER
    assert value.billing_cycle == "monthly"
    assert value.created_at == datetime(2025, 4, 10, 23, 2, 26, 21234, tzinfo=UTC)
    assert value.commitment_end_on == date(2026, 4, 9)
    assert value.parent_id == "ab-cd"
    assert value.is_add_on
    assert (value.etag, value.license_count, value.auto_renew) == (ETAG, 5, True)


async def test_reads_the_catalog_of_a_country_over_all_pages(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """Offers come in one answer or in several; an offer that does not say it is sold counts as not sold."""
    first = {
        "id": "031c9e47-4802-4248-838e-778fb1d2cc05",
        "name": "Business Premium",
        "country": "SE",
        "minimumQuantity": 1,
        "maximumQuantity": 300,
        "isAvailableForPurchase": True,
        "supportedBillingCycles": ["Annual", "monthly"],
        "prerequisiteOffers": ["db2e705f-b82a-4024-a3d5-d88e12f2db35"],
        "limitUnitOfMeasure": "Concurrent",
        "limit": 2,
    }
    pages = (listing(first, next_link={"uri": "/offers?country=SE&offset=1"}), listing({"id": "MS-AZR-0145P"}))
    microsoft.on("GET", "/v1/offers", *pages)
    one, two = [read.value for read in await client.offers("SE")]
    assert one.id == "031C9E47-4802-4248-838E-778FB1D2CC05"
    assert one.billing_cycles == ("annual", "monthly")
    assert (one.maximum_quantity, one.limit_unit, one.limit) == (300, "Concurrent", 2)
    assert one.prerequisite_offers == ("DB2E705F-B82A-4024-A3D5-D88E12F2DB35",)
    assert (two.id, two.is_available, two.country) == ("MS-AZR-0145P", False, "SE")


async def test_orders_every_line_once_with_the_given_request_id(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """One order, lines numbered from zero, the same request id that the intent was written with."""
    first = {"lineItemNumber": 0, "offerId": "db2e705f-b82a-4024-a3d5-d88e12f2db35", "quantity": 5}
    second = {**first, "lineItemNumber": 1, "subscriptionId": "69829602-C219-40FD-A3D5-4150FCA41A19"}
    microsoft.on("POST", f"{ONE}/orders", reply(order_item(second, first), 201))
    placed = await client.place_order(CUSTOMER, "annual", [line(), line(partner_id_on_record="873452")], REQUEST)
    (request,) = microsoft.sent("POST")
    assert request.headers["MS-RequestId"] == str(REQUEST)
    body = msgspec.json.decode(request.content)
    assert body["billingCycle"] == "annual"
    assert body["referenceCustomerId"] == CUSTOMER
    assert [item["lineItemNumber"] for item in body["lineItems"]] == [0, 1]
    assert "partnerIdOnRecord" not in body["lineItems"][0]
    assert body["lineItems"][1]["partnerIdOnRecord"] == "873452"
    assert placed.id == ORDER
    assert [item.subscription_id for item in placed.lines] == [None, "69829602-c219-40fd-a3d5-4150fca41a19"]
    assert placed.status == "completed"


async def test_buys_add_ons_by_changing_the_order_of_their_bases(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """Add-ons are lines with a parent, patched into the base's order (commerce reference 2.3)."""
    item = {"lineItemNumber": 0, "offerId": "x", "quantity": 1, "subscriptionId": SUBSCRIPTION}
    microsoft.on("PATCH", f"{ONE}/orders/{ORDER}", reply(order_item(item)))
    await client.buy_add_ons(CUSTOMER, ORDER, [line(parent_target_id=SUBSCRIPTION)], REQUEST)
    body = msgspec.json.decode(microsoft.sent("PATCH")[0].content)
    assert body["id"] == ORDER
    assert body["lineItems"][0]["parentSubscriptionId"] == SUBSCRIPTION


async def test_suspends_with_the_whole_document_and_its_etag(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """Members left out of the PATCH would be reset (commerce reference 0.6)."""
    item = subscription_item(scheduledNextTermInstructions={"quantity": 4}, brandNew=[1, 2])
    microsoft.on("GET", SUBSCRIPTION_PATH, reply(item))
    microsoft.on("PATCH", SUBSCRIPTION_PATH, lambda request: reply(request.content))
    read = await client.subscription(CUSTOMER, SUBSCRIPTION)
    after = await client.suspend(CUSTOMER, read, REQUEST)
    (request,) = microsoft.sent("PATCH")
    assert msgspec.json.decode(request.content) == {**item, "status": "suspended"}
    assert request.headers["If-Match"] == f'"{ETAG}"'
    assert request.headers["MS-RequestId"] == str(REQUEST)
    assert after.value.wire_status == "suspended"


async def test_reads_what_became_of_a_suspension_that_was_only_accepted(
    client: PartnerCenterClient, microsoft: FakeMicrosoft
):
    """202 means that the change is under way: the caller sees what a read shows."""
    microsoft.on("GET", SUBSCRIPTION_PATH, reply(subscription_item()))
    microsoft.on("PATCH", SUBSCRIPTION_PATH, reply(None, 202))
    read = await client.subscription(CUSTOMER, SUBSCRIPTION)
    assert (await client.suspend(CUSTOMER, read, REQUEST)).value.wire_status == "active"


async def test_never_says_that_an_accepted_suspension_had_no_effect(
    client: PartnerCenterClient, microsoft: FakeMicrosoft
):
    """When the look after a 202 fails, the effect is unknown, whatever the look's own error says."""
    microsoft.on("GET", SUBSCRIPTION_PATH, reply(subscription_item()), httpx2.ConnectError("down"))
    microsoft.on("PATCH", SUBSCRIPTION_PATH, reply(None, 202))
    read = await client.subscription(CUSTOMER, SUBSCRIPTION)
    with pytest.raises(NoAnswerError):
        await client.suspend(CUSTOMER, read, REQUEST)


async def test_reports_a_stale_etag_as_a_conflict(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """Partner Center says 400 with code 2055, not 412."""
    microsoft.on("GET", SUBSCRIPTION_PATH, reply(subscription_item()))
    microsoft.on("PATCH", SUBSCRIPTION_PATH, reply({"code": 2055, "description": "ETag mismatch"}, 400))
    read = await client.subscription(CUSTOMER, SUBSCRIPTION)
    with pytest.raises(ConflictError) as caught:
        await client.suspend(CUSTOMER, read, REQUEST)
    assert caught.value.facts["code"] == "2055"


@pytest.mark.parametrize("body", [b"", b'{"id":', b'{"id":"x"}', b"<html>busy</html>"])
async def test_calls_the_effect_unknown_when_the_answer_of_an_order_cannot_be_read(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, body: bytes
):
    """A 201 that cannot be read may well have bought something: reconcile, don't report a bad answer."""
    microsoft.on("POST", f"{ONE}/orders", reply(body, 201))
    with pytest.raises(NoAnswerError):
        await client.place_order(CUSTOMER, "annual", [line()], REQUEST)


async def test_knows_an_attested_agreement(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """One attestation on file is enough; nobody asks whether the customer signed, too."""
    microsoft.on("GET", f"{ONE}/agreements", listing({"templateId": "t", "type": "MicrosoftCustomerAgreement"}))
    assert await client.has_agreement(CUSTOMER)
    assert microsoft.requests[0].url.query == b"agreementType=MicrosoftCustomerAgreement"


@pytest.mark.parametrize("answer", [True, False])
async def test_asks_whether_the_customer_signed_when_nothing_is_attested(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, answer: object
):
    """Purchases accept the customer's own signature as well (core reference 7)."""
    microsoft.on("GET", f"{ONE}/agreements", listing({"type": "MicrosoftCloudAgreement"}))
    path = f"{ONE}/directSignedMicrosoftCustomerAgreementStatus"
    microsoft.on("GET", path, reply({"isSigned": answer}))
    assert await client.has_agreement(CUSTOMER) is answer


async def test_attests_with_the_newest_template_and_asks_for_it_once(
    client: PartnerCenterClient, microsoft: FakeMicrosoft
):
    """Template ids are read from the service, never written into the program."""
    kind = "MicrosoftCustomerAgreement"
    templates = [{"templateId": n, "agreementType": kind, "versionRank": r} for n, r in (("old", 0), ("new", 1))]
    microsoft.on("GET", "/v1/agreements", listing(*templates))
    microsoft.on("POST", f"{ONE}/agreements", reply({}, 201))
    await client.attest_agreement(CUSTOMER, CONTACT, REQUEST)
    await client.attest_agreement(CUSTOMER, CONTACT, REQUEST)
    body = msgspec.json.decode(microsoft.sent("POST")[0].content)
    assert body == {
        "primaryContact": {"firstName": "Ada", "lastName": "Berg", "email": "ada@berg.example"},
        "templateId": "new",
        "dateAgreed": "2026-02-27T00:00:00.000Z",
        "type": kind,
    }
    assert len(microsoft.sent("GET")) == 1


@pytest.mark.parametrize("status", [400, 409])
async def test_counts_an_identical_attestation_as_success(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, status: int
):
    """600061 says that the very same statement is on file (core reference 7)."""
    microsoft.on("GET", "/v1/agreements", listing({"templateId": "t", "agreementType": "MicrosoftCustomerAgreement"}))
    fault = {"code": 600061, "message": "exists", "errorName": "PartnerConfirmedAgreementAlreadyExists"}
    microsoft.on("POST", f"{ONE}/agreements", reply(fault, status))
    await client.attest_agreement(CUSTOMER, CONTACT, REQUEST)
    assert len(microsoft.sent("POST")) == 1


async def test_passes_on_every_other_refusal_of_an_attestation(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """A date in the future is the person's mistake and must be seen."""
    microsoft.on("GET", "/v1/agreements", listing({"templateId": "t", "agreementType": "MicrosoftCustomerAgreement"}))
    microsoft.on("POST", f"{ONE}/agreements", reply({"code": 2000, "description": "future"}, 400))
    with pytest.raises(RefusedError):
        await client.attest_agreement(CUSTOMER, CONTACT, REQUEST)


async def test_needs_no_agreement_where_the_cloud_has_none(
    account: Account,
    cloud: Cloud,
    secrets: MemorySecretStore,
    http: httpx2.AsyncClient,
    clock: ManualClock,
    microsoft: FakeMicrosoft,
):
    """The agreements API exists in the commercial cloud only: no call is made elsewhere."""
    government = cloud.with_overrides({"has_agreements": False, "has_relationship_requests": False})
    client = connect(account, cloud=government, secrets=secrets, clock=clock, http=http)
    assert await client.has_agreement(CUSTOMER)
    with pytest.raises(RefusedError):
        await client.attest_agreement(CUSTOMER, CONTACT, REQUEST)
    with pytest.raises(RefusedError):
        await client.relationship_url()
    assert microsoft.requests == []


async def test_reads_the_relationship_url_as_it_is(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """The address is opaque and the same for all customers (R-97)."""
    microsoft.on("GET", "/v1/customers/relationshiprequests", reply({"url": "https://a/?partnerId=1#/x"}))
    assert await client.relationship_url() == "https://a/?partnerId=1#/x"


async def test_a_provider_asks_for_its_resellers_and_for_a_link_with_one(
    client: PartnerCenterClient, microsoft: FakeMicrosoft
):
    """Core reference 6.1, 6.3: the wire says mpnId, the docs partnerId; a state that is missing is not active."""
    rows = [
        {"id": "AA11", "name": "First Up", "mpnId": "4847383", "state": "Active"},
        {"id": "bb22", "name": "Second", "partnerId": 4512000, "state": "Terminated"},
        {"id": "cc33", "name": "Third"},
    ]
    microsoft.on("GET", "/v1/relationships", reply({"totalCount": 3, "items": rows}))
    found = await client.resellers()
    assert [(one.tenant_id, one.partner_id, one.is_active) for one in found] == [
        ("aa11", "4847383", True),
        ("bb22", "4512000", False),
        ("cc33", "", False),
    ]
    microsoft.on("GET", "/v1/customers/relationshiprequests", reply({"url": "https://a/?msppId=aa11"}))
    assert await client.relationship_url(found[0].tenant_id) == "https://a/?msppId=aa11"
    asked = [str(one.url.query, "ascii") for one in microsoft.requests]
    assert asked[-2:] == ["relationship_type=IsIndirectCloudSolutionProviderOf", "indirectResellerId=aa11"]


async def test_says_that_there_is_no_relationship_when_microsoft_does(
    client: PartnerCenterClient, microsoft: FakeMicrosoft
):
    """403 with 20002 means that the customer is not ours (any more), not that a role is missing."""
    microsoft.on("GET", ONE, reply({"code": "20002", "description": "no commerce relationship"}, 403))
    with pytest.raises(NotFoundError):
        await client.customer(CUSTOMER)


async def test_quotes_ids_so_that_they_stay_one_part_of_the_path(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """An id out of a file must not lead to another address."""
    with pytest.raises(NotFoundError):
        await client.customer(CustomerId("a/../../b?x=1"))
    assert microsoft.requests[0].url.raw_path == b"/v1/customers/a%2F..%2F..%2Fb%3Fx%3D1"


async def test_counts_calls_by_route(client: PartnerCenterClient, microsoft: FakeMicrosoft, records: list[CallRecord]):
    """Reports name calls by template, not by customer."""
    microsoft.on("GET", ONE, reply({"id": CUSTOMER}))
    await client.customer(CUSTOMER)
    assert client.calls == {"GET /v1/customers/{customer}": 1}
    assert [(record.tenant_key, record.status) for record in records] == [("se", 200)]
