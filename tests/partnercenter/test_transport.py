"""What is sent how often, and which of our errors comes out of what."""

from __future__ import annotations

import asyncio
from uuid import UUID

import httpx2
import pytest

from tenantfold.clock import ManualClock
from tenantfold.domain.model import CustomerId, OfferId, OrderLine, SubscriptionId
from tenantfold.errors import (
    AuthError,
    ConflictError,
    NoAnswerError,
    NotFoundError,
    PartnerCenterError,
    RefusedError,
    RoleMissingError,
    ThrottledError,
    UnavailableError,
    UnexpectedAnswerError,
)
from tenantfold.partnercenter import CallRecord, PartnerCenterClient
from tenantfold.partnercenter.auth import SignIn
from tests.partnercenter.fake_microsoft import REFRESH, SECRET, FakeMicrosoft, listing, reply

CUSTOMER = CustomerId("c5757d70-06f3-4f23-8367-5a9e55019f94")
REQUEST = UUID("00000000-0000-4000-8000-000000000001")
ONE = f"/v1/customers/{CUSTOMER}"
ORDERS = f"{ONE}/orders"
LINE = OrderLine(source_subscription_id=SubscriptionId("s"), offer_id=OfferId("O"), license_count=1, friendly_name="f")
ORDER = {"id": "o", "lineItems": [{"offerId": "O", "quantity": 1}], "status": "completed"}
PLACED = reply(ORDER, 201)


async def order(client: PartnerCenterClient) -> None:
    """Make one write."""
    await client.place_order(CUSTOMER, "annual", [LINE], REQUEST)


async def failure_of_read(client: PartnerCenterClient) -> PartnerCenterError:
    """The error of reading a customer."""
    with pytest.raises(PartnerCenterError) as caught:
        await client.customer(CUSTOMER)
    return caught.value


async def failure_of_write(client: PartnerCenterClient) -> PartnerCenterError:
    """The error of placing an order."""
    with pytest.raises(PartnerCenterError) as caught:
        await order(client)
    return caught.value


LOST_ON_THE_WAY = [
    httpx2.ReadTimeout("slow"),
    httpx2.WriteTimeout("slow"),
    httpx2.ReadError("reset"),
    httpx2.WriteError("reset"),
    httpx2.RemoteProtocolError("peer closed connection without sending complete message body"),
    httpx2.DecodingError("bad gzip"),
    httpx2.CloseError("closed"),
]
NEVER_SENT = [httpx2.ConnectError("refused"), httpx2.ConnectTimeout("slow"), httpx2.PoolTimeout("busy")]


@pytest.mark.parametrize("lost", LOST_ON_THE_WAY, ids=lambda error: type(error).__name__)
async def test_sends_a_write_once_and_calls_its_effect_unknown_when_the_answer_is_lost(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, clock: ManualClock, lost: Exception
):
    """The order may have been placed: a second one could be a twin."""
    microsoft.on("POST", ORDERS, lost, PLACED)
    error = await failure_of_write(client)
    assert isinstance(error, NoAnswerError)
    assert len(microsoft.requests) == 1
    assert clock.slept == []
    assert error.facts["request_id"] == str(REQUEST)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_calls_the_effect_of_a_write_unknown_after_an_inner_failure(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, status: int
):
    """A gateway may give up while the order goes through behind it."""
    microsoft.on("POST", ORDERS, reply({"code": 800005, "description": "create failed"}, status), PLACED)
    error = await failure_of_write(client)
    assert isinstance(error, NoAnswerError)
    assert error.facts["http_status"] == status
    assert len(microsoft.requests) == 1


@pytest.mark.parametrize("lost", NEVER_SENT, ids=lambda error: type(error).__name__)
async def test_says_that_a_write_had_no_effect_when_it_never_left(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, lost: Exception
):
    """Without a connection nothing can have happened, and the flow may try again with the same intent."""
    microsoft.on("POST", ORDERS, lost, PLACED)
    assert isinstance(await failure_of_write(client), UnavailableError)
    assert len(microsoft.requests) == 1


async def test_sends_a_throttled_write_again_with_the_same_request_id(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, clock: ManualClock
):
    """429 means that the call was turned away before it did anything."""
    microsoft.on("POST", ORDERS, reply({"statusCode": 429, "message": "Rate limit"}, 429, Retry_After="57"), PLACED)
    await order(client)
    assert [request.headers["MS-RequestId"] for request in microsoft.requests] == [str(REQUEST)] * 2
    assert sum(clock.slept) >= 57


@pytest.mark.parametrize("lost", [*LOST_ON_THE_WAY, *NEVER_SENT], ids=lambda error: type(error).__name__)
async def test_repeats_a_read_after_a_lost_answer(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, lost: Exception
):
    """Reading twice harms nobody."""
    microsoft.on("GET", ONE, lost, reply({"id": CUSTOMER}))
    assert (await client.customer(CUSTOMER)).value.id == CUSTOMER
    first, second = microsoft.requests
    assert first.headers["MS-RequestId"] != second.headers["MS-RequestId"]
    assert first.headers["MS-CorrelationId"] == second.headers["MS-CorrelationId"]


async def test_gives_up_a_read_after_the_attempts_of_the_policy(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, clock: ManualClock
):
    """Five attempts with growing waits, then the last error."""
    microsoft.on("GET", ONE, reply({"code": 800003, "description": "unexpected"}, 503))
    error = await failure_of_read(client)
    assert isinstance(error, UnavailableError)
    assert error.facts["code"] == "800003"
    assert len(microsoft.requests) == 5
    assert clock.slept == sorted(clock.slept)
    assert 0.5 <= clock.slept[0] < 1


async def test_waits_as_long_as_asked_and_longer_when_throttled_again(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, clock: ManualClock
):
    """Never below Retry-After; refused again, the wait grows (core reference 4)."""
    throttled = reply({"statusCode": 429, "message": "Rate limit"}, 429, Retry_After="2")
    microsoft.on("GET", ONE, throttled, throttled, throttled, throttled, throttled, throttled, reply({"id": CUSTOMER}))
    await client.customer(CUSTOMER)
    assert clock.slept[0] == 2
    assert all(seconds >= 2 for seconds in clock.slept)
    assert clock.slept[-1] >= 8


async def test_gives_up_when_throttled_for_too_long(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """Somebody must be told that another program uses up the limit."""
    microsoft.on("GET", ONE, reply({"statusCode": 429, "message": "Rate limit"}, 429))
    error = await failure_of_read(client)
    assert isinstance(error, ThrottledError)
    assert len(microsoft.requests) == 8
    assert error.next_step


async def test_lets_nobody_call_a_throttled_resource_before_the_wait_is_over(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, clock: ManualClock
):
    """One 429 stops all callers of that resource, and only of that one."""
    started_at = clock.now()
    asked_at: list[float] = []

    def note(request: httpx2.Request) -> httpx2.Response:
        asked_at.append((clock.now() - started_at).total_seconds())
        return reply({"id": CUSTOMER}) if len(asked_at) > 1 else reply(None, 429, Retry_After="30")

    microsoft.on("GET", ONE, note)
    microsoft.on("GET", "/v1/customers", listing())
    await asyncio.gather(client.customer(CUSTOMER), client.customer_page())
    await asyncio.gather(*(client.customer(CUSTOMER) for _ in range(5)))
    assert asked_at[0] == 0
    assert all(seconds >= 30 for seconds in asked_at[1:])


async def test_gets_a_new_token_once_when_one_is_not_accepted(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """A token can end early; a write that was answered 401 did nothing and keeps its request id."""
    microsoft.on("POST", ORDERS, reply(None, 401), PLACED)
    await order(client)
    first, second = microsoft.requests
    assert first.headers["Authorization"] != second.headers["Authorization"]
    assert first.headers["MS-RequestId"] == second.headers["MS-RequestId"]
    assert len(microsoft.token_requests) == 2


async def test_stops_when_the_new_token_is_not_accepted_either(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """900421: the sign-in had no MFA; trying on would only lock the account."""
    microsoft.on("GET", ONE, reply({"code": 900421, "description": "MFA required"}, 401))
    error = await failure_of_read(client)
    assert isinstance(error, AuthError)
    assert "MFA" in error.next_step
    assert len(microsoft.requests) == 2


async def test_many_rejected_callers_share_one_new_token(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """Sixty calls with an ended token must not start sixty sign-ins."""

    def by_token(request: httpx2.Request) -> httpx2.Response:
        return reply(None, 401) if request.headers["Authorization"].endswith("token-1") else reply({"id": CUSTOMER})

    microsoft.on("GET", ONE, by_token)
    await asyncio.gather(*(client.customer(CUSTOMER) for _ in range(20)))
    assert len(microsoft.token_requests) == 2


KINDS: list[tuple[int, object, type[PartnerCenterError], str]] = [
    (401, {"code": 400, "description": "access denied"}, AuthError, "400"),
    (403, {"code": 900150, "description": "role lacks the right"}, RoleMissingError, "900150"),
    (403, {"code": "900308", "description": "insufficient"}, RoleMissingError, "900308"),
    (403, {"code": 2032}, RoleMissingError, "2032"),
    (403, {"code": 900329}, RoleMissingError, "900329"),
    (403, {"code": 20002, "source": "PartnerFD"}, NotFoundError, "20002"),
    (403, {"code": 900159}, NotFoundError, "900159"),
    (403, {"code": 13605, "description": "agreement"}, RefusedError, "13605"),
    (404, {"code": 60003}, NotFoundError, "60003"),
    (404, {"statusCode": 404, "message": "Resource not found"}, NotFoundError, ""),
    (409, {"code": 27009}, ConflictError, "27009"),
    (412, None, ConflictError, ""),
    (400, {"code": 2055}, ConflictError, "2055"),
    (400, {"Code": 2002, "Description": "out of range"}, RefusedError, "2002"),
    (400, {"code": 600061, "message": "m", "errorName": "n", "parameters": {}}, RefusedError, "600061"),
    (417, b"<html>", RefusedError, ""),
    (400, {"code": {"odd": 1}, "description": 7}, RefusedError, ""),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), KINDS)
async def test_turns_every_refusal_into_the_error_that_fits(
    client: PartnerCenterClient,
    microsoft: FakeMicrosoft,
    status: int,
    body: object,
    kind: type[PartnerCenterError],
    code: str,
):
    """The same table for reads and writes: a 4xx had no effect."""
    microsoft.on("GET", ONE, reply(body, status))
    microsoft.on("POST", ORDERS, reply(body, status))
    for error in (await failure_of_read(client), await failure_of_write(client)):
        assert type(error) is kind
        assert error.facts.get("code", "") == code
        assert error.facts["http_status"] == status
        assert error.facts["tenant"] == "se"
        assert {"request_id", "correlation_id", "method", "path", "description"} <= error.facts.keys()


@pytest.mark.parametrize(("status", "code"), [(409, 800060), (409, "900278"), (409, 800082), (400, 800014)])
async def test_a_busy_microsoft_is_asked_again_later_and_not_at_once(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, status: int, code: object
):
    """'Order in progress' had no effect, but reading again this second would find nothing new either."""
    microsoft.on("POST", ORDERS, reply({"code": code, "description": "try again later"}, status))
    error = await failure_of_write(client)
    assert type(error) is UnavailableError
    assert len(microsoft.requests) == 1


async def test_a_throttled_write_does_not_outlive_its_guards(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """After three answers of 429 the flow asks its guards again instead of writing minutes later."""
    microsoft.on("POST", ORDERS, reply(None, 429, Retry_After="60"))
    assert isinstance(await failure_of_write(client), ThrottledError)
    assert len(microsoft.requests) == 3


async def test_waits_as_long_as_an_overloaded_service_asks(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, clock: ManualClock
):
    """503 may carry Retry-After as well."""
    microsoft.on("GET", ONE, reply(None, 503, Retry_After="20"), reply({"id": CUSTOMER}))
    await client.customer(CUSTOMER)
    assert clock.slept == [20]


@pytest.mark.parametrize("status", [301, 304])
async def test_follows_no_redirect(client: PartnerCenterClient, microsoft: FakeMicrosoft, status: int):
    """Our token goes to the host we know, and a redirected write is in doubt."""
    microsoft.on("GET", ONE, reply(None, status, Location="https://elsewhere.example"))
    microsoft.on("POST", ORDERS, reply(None, status, Location="https://elsewhere.example"))
    assert isinstance(await failure_of_read(client), UnexpectedAnswerError)
    assert isinstance(await failure_of_write(client), NoAnswerError)
    assert {request.url.host for request in microsoft.requests} == {"partner.example"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"relationshipToPartner":"reseller"}'])
async def test_calls_an_answer_unexpected_when_it_cannot_be_read(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, body: bytes
):
    """Half a page is never read as fine."""
    microsoft.on("GET", ONE, reply(body))
    assert isinstance(await failure_of_read(client), UnexpectedAnswerError)
    assert len(microsoft.requests) == 1


async def test_no_error_shows_a_secret(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """Neither messages, facts, causes nor tracebacks' exceptions carry tokens (invariant 10)."""
    microsoft.on("GET", ONE, reply({"code": 2000}, 400))
    microsoft.on("POST", ORDERS, httpx2.ReadTimeout("slow"))
    for error in (await failure_of_read(client), await failure_of_write(client)):
        seen: BaseException | None = error
        while seen is not None:
            shown = f"{seen!r} {getattr(seen, 'facts', '')} {getattr(seen, 'request', '')}"
            assert not any(word in shown for word in (SECRET, REFRESH, "token-1", "Bearer"))
            seen = seen.__cause__


async def test_sends_the_headers_partner_center_documents(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """Core reference 2.1; a read without a body says nothing about a body's type."""
    microsoft.on("GET", ONE, reply({"id": CUSTOMER}))
    microsoft.on("POST", ORDERS, PLACED)
    await client.customer(CUSTOMER)
    await order(client)
    read, write = microsoft.requests
    for request in (read, write):
        assert request.headers["Authorization"].startswith("Bearer ")
        assert request.headers["Accept"] == "application/json"
        assert request.headers["X-Locale"] == "en-US"
        assert request.headers["MS-PartnerCenter-Application"] == "tenantfold"
        assert UUID(request.headers["MS-CorrelationId"]) != REQUEST
    assert "Content-Type" not in read.headers
    assert write.headers["Content-Type"] == "application/json"


async def test_tells_the_hook_about_every_exchange_also_those_without_an_answer(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, records: list[CallRecord]
):
    """Counts and metrics see what really left."""
    microsoft.on("GET", ONE, httpx2.ReadTimeout("slow"), reply(None, 429, Retry_After="1"), reply({"id": CUSTOMER}))
    await client.customer(CUSTOMER)
    assert [record.status for record in records] == [0, 429, 200]
    assert client.calls == {"GET /v1/customers/{customer}": 3}


async def test_a_write_that_waited_too_long_does_not_leave(
    client: PartnerCenterClient, microsoft: FakeMicrosoft, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    """A process that stood still between its intent and its call sends nothing any more: others may have concluded."""
    microsoft.on("POST", ORDERS, PLACED)
    token = SignIn.token

    async def stands_still(sign_in: SignIn, audience: str) -> str:
        found = await token(sign_in, audience)
        clock.move(3_600)
        return found

    monkeypatch.setattr(SignIn, "token", stands_still)
    error = await failure_of_write(client)
    assert isinstance(error, UnavailableError)
    assert "not sent" in error.message
    assert microsoft.sent("POST") == [one for one in microsoft.sent("POST") if "token" in str(one.url)]
