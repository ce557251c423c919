"""Making and deleting customers, indirect partners, validations, qualifications (core reference 5, 6.3)."""

from __future__ import annotations

import json
from urllib.parse import quote

import httpx2
import msgspec
import pytest

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.state.azure import Benefit
from partner_center_emulator.world import World
from tests.emulator.conftest import Client, tenant_by_key
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import ALFA, BRAVO, PLAIN_OFFER, SE, START, TARGET

Json = dict[str, object]
LINK = {"provider": "se", "name": "First Up", "partner_id": "4847383", "country": "SE"}


def new_customer(country: str = "SE", **company: object) -> Json:
    """Return the body that creates a customer."""
    codes = {"SE": "111 22", "HU": "1011", "US": "98052", "PL": "00-001"}
    address = {"country": country, "city": "Place", "addressLine1": "Street 1", "postalCode": codes[country]}
    address |= {"firstName": "Gena", "lastName": "Soto", "phoneNumber": "555010203"}
    billing = {"email": "g@new.example", "culture": "sv-SE", "language": "sv", "companyName": "New AB"}
    profile = {"domain": "brandnew.onmicrosoft.com", "companyName": "New AB"} | company
    return {"CompanyProfile": profile, "BillingProfile": billing | {"DefaultAddress": address}}


async def test_a_customer_is_created_with_credentials_and_delegated_admin(emulator: Emulator, client: Client):
    """201 with everything; it is in the list, in the audit log, and its admin roles are active at once."""
    se = client("se")
    answer = await se.post("/v1/customers", json=new_customer())
    body = answer.json()
    emulator.clock.advance(0)
    read = await se.get(f"/v1/customers/{body['id']}/users")
    listed = (await se.get("/v1/customers")).json()["items"]
    assert answer.status_code == 201
    assert (body["userCredentials"]["userName"], body["relationshipToPartner"]) == ("admin", "reseller")
    assert body["id"] in {row["id"] for row in listed}
    assert read.status_code == 200
    assert "add_customer" in {record.operation_type for record in emulator.world.audit}
    assert "customer.created" in {change.what for change in emulator.world.changes}


async def test_a_customer_without_default_admin_shows_nothing_of_its_tenant(client: Client):
    """With enableGDAPByDefault false users are 403 900308."""
    se = client("se")
    body = (await se.post("/v1/customers", json=new_customer() | {"enableGDAPByDefault": False})).json()
    answer = await se.get(f"/v1/customers/{body['id']}/users")
    assert (answer.status_code, answer.json()["code"]) == (403, 900308)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (new_customer(domain="brandnew.example"), 2000),
        (new_customer(domain="alfa.onmicrosoft.com"), 2000),
        (new_customer(organizationRegistrationNumber="12345678"), 600002),
        (new_customer("HU"), 600049),
        (new_customer("HU", organizationRegistrationNumber="!"), 600050),
        (new_customer("US"), 2000),
        (new_customer() | {"billingProfile": {}, "BillingProfile": {}}, 2000),
        (new_customer() | {"associatedPartnerId": "22222222-0000-4000-8000-00000000dead"}, 900154),
    ],
)
async def test_what_cannot_become_a_customer_is_refused(emulator: Emulator, client: Client, body: Json, code: int):
    """Domain, registration number, address, members, reseller; nothing is left behind."""
    before = len(emulator.world.customers)
    answer = await client("se").post("/v1/customers", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert len(emulator.world.customers) == before


async def test_a_customer_of_another_region_is_refused(client: Client):
    """The partner does not sell there."""
    body = new_customer("US")
    body["BillingProfile"]["DefaultAddress"]["state"] = "WA"  # type: ignore[index]  # nested by construction
    answer = await client("se").post("/v1/customers", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, 2030)


async def test_the_same_request_id_creates_one_customer(emulator: Emulator, client: Client):
    """Sent twice with one MS-RequestId: one customer, the same answer."""
    se, headers = client("se"), {"MS-RequestId": "0f0f0f0f-0000-4000-8000-000000000001"}
    first, second = [await se.post("/v1/customers", json=new_customer(), headers=headers) for _ in range(2)]
    assert first.json() == second.json()
    assert len(emulator.world.customers) == 6


async def test_only_sandbox_customers_are_deleted(emulator: Emulator, anonymous: httpx2.AsyncClient, client: Client):
    """400 elsewhere; with a reservation 400; then 204 and the tenant is unknown; 75 customers are the limit."""
    se, path = client("se"), f"/v1/customers/{ALFA}"
    elsewhere = await se.delete(path)
    await anonymous.post("/_emulator/tenants/se", json={"is_sandbox": True})
    emulator.world.azure.benefits["b"] = reservation()
    held = await se.delete(path)
    emulator.world.azure.benefits["b"].status = "cancelled"
    gone = await se.delete(path)
    after = await se.get(path)
    assert (elsewhere.json()["code"], held.json()["code"]) == (800042, 3000)
    assert (gone.status_code, after.status_code, after.json()["code"]) == (204, 404, 60003)
    for number in range(71):
        await se.post("/v1/customers", json=new_customer(domain=f"more{number}.onmicrosoft.com"))
    full = await se.post("/v1/customers", json=new_customer())
    assert full.json()["code"] == 800018


def reservation() -> Benefit:
    """Return an active reservation of Alfa at the Swedish tenant."""
    return Benefit(
        id="b",
        customer_id=ALFA,
        tenant_id=SE,
        kind="reservation",
        name="Reserved VM",
        order_id="o",
        product_id="p",
        sku_id="s",
        created_at=START,
        ends_at=START,
        currency="SEK",
    )


async def test_a_reservation_keeps_the_relationship(emulator: Emulator, client: Client):
    """Refused while it is active, done when it is cancelled."""
    se, body = client("se"), {"relationshipToPartner": "none"}
    emulator.world.azure.benefits["b"] = reservation()
    held = await se.patch(f"/v1/customers/{ALFA}", json=body)
    emulator.world.azure.benefits["b"].status = "cancelled"
    gone = await se.patch(f"/v1/customers/{ALFA}", json=body)
    assert (held.status_code, gone.status_code) == (400, 200)


async def test_a_provider_and_its_reseller_see_each_other(
    emulator: Emulator, anonymous: httpx2.AsyncClient, client: Client
):
    """Each in its own way; the filter takes the name; direct partners see nothing."""
    await anonymous.post("/_emulator/partners", json=LINK)
    await anonymous.post("/_emulator/partners", json={"provider": "se", "reseller": "target"})
    se, target = client("se"), client("target")
    url = "/v1/relationships?relationship_type="
    resellers = (await se.get(f"{url}IsIndirectCloudSolutionProviderOf")).json()["items"]
    query = quote(json.dumps({"Field": "Name", "Value": "first", "Operator": "starts_with"}))
    found = (await se.get(f"{url}IsIndirectCloudSolutionProviderOf&filter={query}")).json()["items"]
    providers = (await target.get(f"{url}IsIndirectResellerOf")).json()["items"]
    nothing = (await target.get(f"{url}IsIndirectCloudSolutionProviderOf")).json()["items"]
    assert [row["name"] for row in resellers] == ["First Up", "Fold & Sons IE"]
    assert [(row["mpnId"], row["state"], row["location"]) for row in found] == [("4847383", "Active", "SE")]
    assert [(row["id"], row["relationshipType"]) for row in providers] == [(SE, "is_indirect_reseller_of")]
    assert nothing == []


async def test_a_customer_of_an_indirect_reseller_names_it(anonymous: httpx2.AsyncClient, client: Client):
    """Created for the reseller, shown behind the customer, found by the filter; app-only may not do this."""
    linked = (await anonymous.post("/_emulator/partners", json=LINK)).json()
    se, body = client("se"), new_customer() | {"associatedPartnerId": linked["reseller"].upper()}
    alone = await client("se", None).post("/v1/customers", json=body)
    made = (await se.post("/v1/customers", json=body)).json()
    behind = (await se.get(f"/v1/customers/{made['id']}/relationships")).json()
    direct = (await se.get(f"/v1/customers/{ALFA}/relationships")).json()
    wanted = {"Field": "IndirectReseller", "Value": linked["reseller"], "Operator": "starts_with"}
    query = quote(json.dumps(wanted))
    found = (await se.get(f"/v1/customers?filter={query}")).json()["items"]
    assert (alone.status_code, alone.json()["code"]) == (403, 900329)
    assert made["associatedPartnerId"] == linked["reseller"]
    assert list(missing(sample_body("get-indirect-resellers-of-a-customer"), behind)) == []
    assert direct["items"] == []
    assert [row["id"] for row in found] == [made["id"]]
    sample = sample_body("create-a-customer-for-an-indirect-reseller")
    assert set(missing(sample, made)) == {"/billingProfile/defaultAddress/state: missing"}


async def test_the_partner_agreement_is_looked_up_by_one_of_two_ids(anonymous: httpx2.AsyncClient, client: Client):
    """By number or tenant; both, none and strangers are 400."""
    await anonymous.post("/_emulator/partners", json=LINK | {"agreement_signed": False})
    se, url = client("se"), "/v1/compliance/csp/agreementstatus"
    signed = (await se.get(f"{url}?tenantId={SE}")).json()
    unsigned = (await se.get(f"{url}?mpnId=4847383")).json()
    codes = [(await se.get(f"{url}{query}")).json()["code"] for query in ("", f"?mpnId=1&tenantId={SE}", "?mpnId=9")]
    assert (signed, unsigned) == ({"isAgreementSigned": True}, {"isAgreementSigned": False})
    assert codes == [2000, 2000, 2200]


async def test_the_rules_of_a_country_have_every_member_of_the_recorded_answer(client: Client):
    """The United States exactly so; a Nordic country with its own pattern; no such country is 400."""
    se = client("se", None)
    united = (await se.get("/v1/countryvalidationrules/us")).json()
    sweden = (await se.get("/v1/countryvalidationrules/SE")).json()
    nowhere = await se.get("/v1/countryvalidationrules/XX")
    sample = sample_body("powershell-getpartnercountryvalidation")
    assert united == sample
    assert (sweden["defaultCulture"], sweden["isStateRequired"]) == ("sv-SE", False)
    assert nowhere.status_code == 400


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "VerifiedShippable"),
        ({"addressLine1": "Microsoft Way"}, "StreetPartial"),
        ({"postalCode": "9"}, "None"),
        ({"state": "XX"}, "None"),
    ],
)
async def test_an_address_is_judged(client: Client, changes: Json, status: str):
    """Status, the original, and at most three suggestions."""
    body = {"addressLine1": "1 Microsoft Way", "city": "Redmond", "state": "WA", "postalCode": "98052"}
    answer = (await client("se").post("/v1/validations/address", json=body | {"country": "US"} | changes)).json()
    assert answer["status"] == status
    assert answer["originalAddress"]["city"] == "Redmond"
    assert len(answer["suggestedAddresses"]) == (0 if status == "None" else 1)


async def test_an_address_without_its_members_is_refused(client: Client):
    """Street, city, postal code and country are required."""
    answer = await client("se").post("/v1/validations/address", json={"country": "US"})
    assert answer.status_code == 400


async def test_a_domain_is_taken_or_free(client: Client):
    """HEAD without a body."""
    se = client("se", None)
    answers = [await se.head(f"/v1/domains/{name}.onmicrosoft.com") for name in ("alfa", "foldse", "nobody")]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b""), (200, b""), (404, b"")]


async def test_the_account_status_is_what_the_control_plane_says(anonymous: httpx2.AsyncClient, client: Client):
    """Never validated is 404 600074 in form B; then the status; another type is 400."""
    se, url = client("se"), f"/v1/customers/{ALFA}/validationStatus"
    never = await se.get(f"{url}?type=account")
    await anonymous.post(f"/_emulator/customers/{ALFA}", json={"account_status": "UnderReview"})
    now = await se.get(f"{url}?type=Account")
    other = await se.get(f"{url}?type=phone")
    assert (never.status_code, never.json()["errorName"]) == (404, "AccountStatusNotFound")
    assert now.json() == {"type": "account", "status": "UnderReview", "lastUpdateDateTime": "2026-03-02T08:00:00"}
    assert other.status_code == 400


async def test_a_school_is_vetted_after_a_while(emulator: Emulator, client: Client):
    """In review, then approved, also across a snapshot; the date's name differs between the calls; once is enough."""
    se, url = client("se"), f"/v1/customers/{ALFA}/qualifications"
    body = {"Qualification": "education", "educationSegment": "K12", "website": "school.example"}
    made = await se.post(url, json=body)
    emulator.replace_world(msgspec.json.decode(msgspec.json.encode(emulator.world), type=World))
    waiting = (await se.get(url)).json()
    emulator.clock.advance(3500)
    still = (await se.get(url)).json()[0]["vettingStatus"]
    emulator.clock.advance(100)
    vetted = (await client("se").get(url)).json()
    again = await client("se").post(url, json=body)
    old = (await client("se").get(f"/v1/customers/{ALFA}/qualification")).json()
    assert (made.status_code, made.json()["vettingStatus"], "vettingCreateDate" in made.json()) == (
        201,
        "InReview",
        True,
    )
    assert (waiting[0]["vettingStatus"], still, vetted[0]["vettingStatus"]) == ("InReview", "InReview", "Approved")
    assert "vettingCreatedDate" in vetted[0]
    assert (again.status_code, old) == (400, "education")


async def test_a_denied_school_learns_why_and_may_try_again(emulator: Emulator, client: Client):
    """The outcome is a switch; a denied one does not stand in the way."""
    emulator.options.qualification_outcome = "Denied"
    se, url = client("se"), f"/v1/customers/{ALFA}/qualifications"
    body = {"qualification": "Education", "educationSegment": "HigherEducation", "website": "school.example"}
    await se.post(url, json=body)
    emulator.clock.advance(3600)
    se = client("se")
    denied = (await se.get(url)).json()[0]
    assert (denied["vettingStatus"], denied["vettingReason"]) == ("Denied", "Not eligible")
    assert (await se.post(url, json=body)).status_code == 201


@pytest.mark.parametrize("name", ["None", "Nonprofit", "Circus", ""])
async def test_some_qualifications_cannot_be_set(client: Client, name: str):
    """400 for those and for a school without website."""
    se, url = client("se"), f"/v1/customers/{ALFA}/qualifications"
    assert (await se.post(url, json={"qualification": name})).status_code == 400
    assert (await se.post(url, json={"qualification": "Education"})).status_code == 400


async def test_a_government_customer_uses_up_a_validation_code(anonymous: httpx2.AsyncClient, client: Client):
    """Once per create; used up or unknown is 400; the list tells what remains."""
    order = {"tenant": "se", "organization_name": "Alfa Bygg AB", "validation_id": "123456"}
    await anonymous.post("/_emulator/validationcodes", json=order)
    se, body = client("se"), {"qualification": "GovernmentCommunityCloud", "validationCode": "123456"}
    first = await se.post(f"/v1/customers/{ALFA}/qualifications", json=body)
    second = await se.post(f"/v1/customers/{BRAVO}/qualifications", json=body)
    codes = (await se.get("/v1/customers/all/validations")).json()
    own = (await se.get(f"/v1/customers/{ALFA}/validations")).json()
    assert (first.status_code, first.json()["vettingStatus"], second.status_code) == (201, "Approved", 400)
    assert (codes[0]["remainingCreates"], codes[0]["eTag"][:2], codes == own) == (0, "W/", True)


async def test_the_control_pages_explain_bad_input(anonymous: httpx2.AsyncClient):
    """Each is 400 with a sentence."""
    answers = [
        await anonymous.post("/_emulator/partners", json={"provider": "se"}),
        await anonymous.post("/_emulator/partners", json={"provider": "nowhere", "reseller": "se"}),
        await anonymous.post(f"/_emulator/customers/{ALFA}", json={"account_status": "Fine"}),
        await anonymous.post(f"/_emulator/customers/{ALFA}", json={"delegated_access": "target"}),
    ]
    assert [answer.status_code for answer in answers] == [400] * 4


async def test_an_indirect_partnership_that_ended_takes_no_new_customers(
    emulator: Emulator, anonymous: httpx2.AsyncClient, client: Client
):
    """The link is there, but not active."""
    linked = (await anonymous.post("/_emulator/partners", json=LINK | {"state": "Terminated"})).json()
    answer = await client("se").post("/v1/customers", json=new_customer() | {"associatedPartnerId": linked["reseller"]})
    assert answer.json()["code"] == 900154
    assert tenant_by_key(emulator, "se").program == "indirect_provider"


async def test_a_customer_accepts_provider_and_reseller_together(
    emulator: Emulator, anonymous: httpx2.AsyncClient, client: Client
):
    """The link names both, whoever of them asks; after the acceptance the reseller stands behind the customer."""
    await anonymous.post("/_emulator/partners", json={"provider": "target", "reseller": "se"})
    url = "/v1/customers/relationshiprequests"
    by_provider = (await client("target").get(f"{url}?indirectResellerId={SE}")).json()["url"]
    by_reseller = (await client("se").get(f"{url}?indirectCloudSolutionProviderId={TARGET}")).json()["url"]
    stranger = await client("target").get(f"{url}?indirectResellerId={ALFA}")
    page = by_provider.removeprefix(emulator.options.base_url).partition("#")[0]
    form = {"step": "accept", "user_name": "admin@alfa.onmicrosoft.com", "agreed": "yes"}
    await anonymous.post(page, data=form)
    assert by_provider == by_reseller
    assert f"partnerId={TARGET}&msppId={SE}" in by_provider
    assert (stranger.status_code, stranger.json()["code"]) == (400, 900154)
    assert emulator.world.relationships[f"{TARGET}/{ALFA}"].associated_partner_id == SE


@pytest.mark.parametrize(("status", "code"), [("UnderReview", 800073), ("NotAllowed", 800075), ("Unknown", 800073)])
async def test_an_account_that_did_not_pass_validation_buys_nothing(
    emulator: Emulator, anonymous: httpx2.AsyncClient, client: Client, status: str, code: int
):
    """403 for an order; allowed again, it goes through."""
    se, url = client("se"), f"/v1/customers/{ALFA}/orders"
    line = {"lineItemNumber": 0, "offerId": PLAIN_OFFER, "quantity": 1}
    order = {"referenceCustomerId": ALFA, "billingCycle": "monthly", "lineItems": [line]}
    await anonymous.post(f"/_emulator/customers/{ALFA}", json={"account_status": status})
    refused = await se.post(url, json=order)
    await anonymous.post(f"/_emulator/customers/{ALFA}", json={"account_status": "Allowed"})
    placed = await se.post(url, json=order, headers={"MS-RequestId": "0f0f0f0f-0000-4000-8000-00000000000f"})
    assert (refused.status_code, refused.json()["code"], placed.status_code) == (403, code, 201)


async def test_a_search_by_name_and_an_unknown_partner_answer_like_the_published_samples(client: Client):
    """Thin items in a collection; form A with code, description, data and source."""
    se = client("se")
    query = quote(json.dumps({"Field": "CompanyName", "Value": "alfa", "Operator": "starts_with"}))
    found = (await se.get(f"/v1/customers?size=0&filter={query}")).json()
    unknown = await se.get("/v1/profiles/mpn?mpnId=9999999")
    assert list(missing(sample_body("get-a-customer-by-name"), found)) == []
    assert list(missing(sample_body("get-partner-by-mpn-id-2"), unknown.json())) == []
    assert (unknown.status_code, unknown.json()["code"]) == (404, 3000)
