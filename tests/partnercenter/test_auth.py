"""Sign-in: which token is asked for, when it is renewed, and what a refusal says."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from tenantfold.clock import ManualClock
from tenantfold.errors import AuthError, ConfigError, PartnerCenterError, ThrottledError, UnavailableError
from tenantfold.partnercenter import Account, ClientOptions, Cloud, MemorySecretStore, SignIn
from tenantfold.partnercenter.sign_in_refusals import _REFUSALS
from tests.partnercenter.fake_microsoft import BASE, REFRESH, SECRET, TENANT, FakeMicrosoft, reply


@pytest.fixture
def sign_in(account: Account, cloud: Cloud, secrets: MemorySecretStore, http: httpx2.AsyncClient, clock: ManualClock):
    """Sign-in to the tenant 'se'."""
    return SignIn(account, cloud=cloud, secrets=secrets, http=http, clock=clock, options=ClientOptions())


def refusal(number: int) -> httpx2.Response:
    """Microsoft Entra's way of saying no."""
    return reply(
        {
            "error": "invalid_client",
            "error_description": f"AADSTS{number}: words that may quote {SECRET}",
            "error_codes": [number],
            "trace_id": "trace-1",
        },
        401,
    )


async def failure(sign_in: SignIn) -> PartnerCenterError:
    """The error of asking for a token."""
    with pytest.raises(PartnerCenterError) as caught:
        await sign_in.token(BASE)
    return caught.value


async def test_redeems_the_refresh_token_for_the_audience(sign_in: SignIn, microsoft: FakeMicrosoft):
    """Secure Application Model, v2 (core reference 1.3)."""
    await sign_in.token(BASE)
    (form,) = microsoft.token_requests
    assert form == {
        "grant_type": "refresh_token",
        "client_id": "11111111-2222-3333-4444-555555555555",
        "client_secret": SECRET,
        "refresh_token": REFRESH,
        "scope": f"{BASE}/.default offline_access",
    }


async def test_signs_in_as_the_application_without_a_refresh_token(
    account: Account, cloud: Cloud, http: httpx2.AsyncClient, clock: ManualClock, microsoft: FakeMicrosoft
):
    """App-only sign-in (core reference 1.4)."""
    secrets = MemorySecretStore({"se": SECRET})
    sign_in = SignIn(account, cloud=cloud, secrets=secrets, http=http, clock=clock, options=ClientOptions())
    await sign_in.token(BASE)
    (form,) = microsoft.token_requests
    assert form["grant_type"] == "client_credentials"
    assert form["scope"] == f"{BASE}/.default"
    assert not await sign_in.has_user()


async def test_keeps_a_token_until_a_minute_before_its_end(
    sign_in: SignIn, clock: ManualClock, microsoft: FakeMicrosoft
):
    """Sixty seconds is longer than any call takes."""
    first = await sign_in.token(BASE)
    clock.move(3539)
    assert await sign_in.token(BASE) == first
    clock.move(1)
    assert await sign_in.token(BASE) != first
    assert len(microsoft.token_requests) == 2


async def test_holds_one_token_per_audience(sign_in: SignIn, microsoft: FakeMicrosoft):
    """Graph and Partner Center want different tokens from the same refresh token."""
    assert await sign_in.token(BASE) != await sign_in.token(f"{BASE}/graph")
    await sign_in.token(BASE)
    assert [form["scope"].split("/.default")[0] for form in microsoft.token_requests] == [BASE, f"{BASE}/graph"]


async def test_keeps_the_rotated_refresh_token_and_uses_it_next(
    sign_in: SignIn, secrets: MemorySecretStore, microsoft: FakeMicrosoft
):
    """Every use issues a new one with a fresh 90 days."""
    await sign_in.token(BASE)
    assert await secrets.refresh_token("se") == "refresh-2"
    await sign_in.token(f"{BASE}/graph")
    assert microsoft.token_requests[1]["refresh_token"] == "refresh-2"


async def test_hands_out_no_token_whose_successor_could_not_be_kept(
    account: Account, cloud: Cloud, http: httpx2.AsyncClient, clock: ManualClock
):
    """A store that cannot write is a fault to see now, not in 90 days."""

    class FullStore(MemorySecretStore):
        async def keep_refresh_token(self, tenant_key: str, token: str) -> None:
            raise ConfigError("The secret store is full.")

    secrets = FullStore({"se": SECRET}, {"se": REFRESH})
    sign_in = SignIn(account, cloud=cloud, secrets=secrets, http=http, clock=clock, options=ClientOptions())
    with pytest.raises(ConfigError):
        await sign_in.token(BASE)


async def test_asks_once_for_many_callers(sign_in: SignIn, microsoft: FakeMicrosoft):
    """Refresh tokens rotate: parallel redemptions would race each other."""
    tokens = await asyncio.gather(*(sign_in.token(BASE) for _ in range(20)))
    assert len(set(tokens)) == 1
    assert len(microsoft.token_requests) == 1


async def test_forgets_only_the_token_that_was_refused(sign_in: SignIn):
    """A late 401 for an old token must not throw the new one away."""
    first = await sign_in.token(BASE)
    sign_in.forget(BASE, first)
    second = await sign_in.token(BASE)
    sign_in.forget(BASE, first)
    assert await sign_in.token(BASE) == second


@pytest.mark.parametrize("number", [*sorted(_REFUSALS), 99999])
async def test_says_in_one_sentence_what_is_wrong_and_what_to_do(
    sign_in: SignIn, microsoft: FakeMicrosoft, number: int
):
    """The sentence names the tenant by its key, says what to do, and never quotes Microsoft, who may quote secrets."""
    microsoft.token_replies = [refusal(number)]
    error = await failure(sign_in)
    assert isinstance(error, AuthError)
    assert "'se'" in error.message
    assert error.next_step
    assert error.facts["sign_in_code"] == number
    assert error.facts["trace_id"] == "trace-1"
    shown = f"{error!r} {error.facts} {error.next_step} {error.__cause__!r}"
    assert SECRET not in shown
    assert REFRESH not in shown
    assert len(microsoft.token_requests) == 1


async def test_reads_the_number_out_of_the_description_when_the_list_is_missing(
    sign_in: SignIn, microsoft: FakeMicrosoft
):
    """Some proxies shorten the answer."""
    microsoft.token_replies = [reply({"error": "x", "error_description": "AADSTS700082: The refresh token"}, 400)]
    assert "90 days" in (await failure(sign_in)).message


async def test_survives_a_refusal_that_is_no_json(sign_in: SignIn, microsoft: FakeMicrosoft):
    """A captive portal answers in HTML."""
    microsoft.token_replies = [reply(b"<html>sign in to the hotel</html>", 403)]
    assert isinstance(await failure(sign_in), AuthError)


async def test_an_answer_without_a_token_is_not_quoted(sign_in: SignIn, microsoft: FakeMicrosoft):
    """It may hold half a token."""
    microsoft.token_replies = [reply({"refresh_token": "half-a-token"})]
    error = await failure(sign_in)
    assert "half-a-token" not in f"{error!r} {error.facts} {error.__cause__!r} {error.__context__!r}"


async def test_reads_numbers_that_are_strings(sign_in: SignIn, microsoft: FakeMicrosoft, clock: ManualClock):
    """v1 answers write numbers as strings (core reference 1.3)."""
    microsoft.token_replies = [reply({"access_token": "a", "expires_in": "3599"}), reply({"access_token": "b"})]
    assert await sign_in.token(BASE) == "a"
    clock.move(3539)
    assert await sign_in.token(BASE) == "b"


async def test_tries_again_when_sign_in_is_down_and_says_that_nothing_was_sent(
    sign_in: SignIn, microsoft: FakeMicrosoft
):
    """No token, no call: the write behind it had no effect."""
    microsoft.token_replies = [httpx2.ConnectError("down"), reply(None, 503), reply({"access_token": "a"})]
    assert await sign_in.token(BASE) == "a"
    sign_in.forget(BASE, "a")
    microsoft.token_replies = [httpx2.ReadTimeout("slow")]
    error = await failure(sign_in)
    assert isinstance(error, UnavailableError)
    assert error.__cause__ is None


async def test_waits_when_sign_in_is_throttled(sign_in: SignIn, microsoft: FakeMicrosoft, clock: ManualClock):
    """Sign-in has a rate limit of its own."""
    throttled = reply(None, 429, Retry_After="5")
    microsoft.token_replies = [throttled, reply({"access_token": "a"})]
    assert await sign_in.token(BASE) == "a"
    assert clock.slept == [5]
    sign_in.forget(BASE, "a")
    microsoft.token_replies = [throttled]
    assert isinstance(await failure(sign_in), ThrottledError)


async def test_shows_who_is_signed_in(sign_in: SignIn, microsoft: FakeMicrosoft):
    """The name is read from the token for people; an unreadable token has none."""
    assert await sign_in.user_name() == "agent@partner.example"
    sign_in.forget(BASE, await sign_in.token(BASE))
    for token in ("opaque", "a.b.c", "a.%%%.c", "e30.W10.x"):
        microsoft.token_replies = [reply({"access_token": token})]
        sign_in.forget(BASE, await sign_in.token(BASE))
        assert await sign_in.user_name() == ""
        sign_in.forget(BASE, token)


async def test_learns_the_time_from_the_sign_in_answer(
    account: Account,
    cloud: Cloud,
    secrets: MemorySecretStore,
    http: httpx2.AsyncClient,
    clock: ManualClock,
    microsoft: FakeMicrosoft,
):
    """Before the first call the server's time is known already."""
    seen: list[str] = []
    options = ClientOptions(observe_date=lambda date_header_value, round_trip_seconds: seen.append(date_header_value))
    microsoft.token_replies = [reply({"access_token": "a"}, Date="Mon, 02 Mar 2026 08:00:00 GMT")]
    sign_in = SignIn(account, cloud=cloud, secrets=secrets, http=http, clock=clock, options=options)
    await sign_in.token(BASE)
    assert seen == ["Mon, 02 Mar 2026 08:00:00 GMT"]


async def test_asks_the_tenant_it_belongs_to(
    account: Account, cloud: Cloud, secrets: MemorySecretStore, clock: ManualClock
):
    """The directory in the address decides whose token comes back."""
    urls: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        urls.append(str(request.url))
        return reply({"access_token": "a"})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http:
        await SignIn(account, cloud=cloud, secrets=secrets, http=http, clock=clock, options=ClientOptions()).token("x")
    assert urls == [f"{BASE}/{TENANT}/oauth2/v2.0/token"]
