"""The rate limit and those who ignore it (core reference 4)."""

from __future__ import annotations

from partner_center_emulator.emulator import Emulator
from tests.emulator.conftest import Client
from tests.emulator.small_world import ALFA, BRAVO


async def test_answers_429_with_retry_after_in_form_c(emulator: Emulator, client: Client):
    """The call over the limit is refused by the gateway, with the seconds to wait in header and text."""
    emulator.options.throttle_limit = 3
    se = client("se")
    statuses = [(await se.get(f"/v1/customers/{ALFA}")).status_code for _ in range(3)]
    answer = await se.get(f"/v1/customers/{BRAVO}")
    assert statuses == [200, 200, 200]
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert answer.json() == {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 60 seconds."}
    tally = emulator.world.tallies["GET /v1/customers/{customer}"]
    assert (tally.calls, tally.throttled, tally.errors) == (4, 1, 0)


async def test_a_client_that_waits_as_told_gets_through(emulator: Emulator, client: Client):
    """After Retry-After the next call is answered, and nothing is held against the client."""
    emulator.options.throttle_limit = 3
    se = client("se")
    for _ in range(3):
        await se.get(f"/v1/customers/{ALFA}")
        emulator.clock.advance(5)
    wait = int((await se.get(f"/v1/customers/{ALFA}")).headers["Retry-After"])
    emulator.clock.advance(wait)
    assert (await se.get(f"/v1/customers/{ALFA}")).status_code == 200
    assert emulator.world.violations == []


async def test_rejected_calls_count_too(emulator: Emulator, client: Client):
    """Hammering on keeps the door closed longer."""
    emulator.options.throttle_limit = 2
    se = client("se")
    for _ in range(2):
        await se.get(f"/v1/customers/{ALFA}")
    emulator.clock.advance(59)
    waits = [(await se.get(f"/v1/customers/{ALFA}")).headers["Retry-After"] for _ in range(2)]
    assert waits == ["1", "60"]


async def test_the_list_and_other_tenants_are_not_limited(emulator: Emulator, client: Client):
    """The customer list has no limit, and one tenant's calls do not close another's door."""
    emulator.options.throttle_limit = 1
    se = client("se")
    lists = [(await se.get("/v1/customers")).status_code for _ in range(5)]
    mine = [(await se.get(f"/v1/customers/{ALFA}")).status_code for _ in range(2)]
    other = await client("target").get(f"/v1/customers/{ALFA}")
    assert lists == [200] * 5
    assert mine == [200, 429]
    assert other.status_code == 403


async def test_records_a_client_that_ignores_retry_after(emulator: Emulator, client: Client):
    """A call well after the 429 and before its time is a violation."""
    emulator.options.throttle_limit = 1
    se = client("se")
    for _ in range(2):
        await se.get(f"/v1/customers/{ALFA}")
    emulator.clock.advance(10)
    await se.get(f"/v1/customers/{ALFA}")
    assert [violation.rule for violation in emulator.world.violations] == ["ignored_retry_after"]


async def test_calls_on_their_way_when_the_429_left_are_no_violation(emulator: Emulator, client: Client):
    """Within the grace second up to the allowed number of calls are forgiven, the next one is not."""
    emulator.options.throttle_limit = 1
    emulator.options.retry_after_in_flight = 5
    se = client("se")
    for _ in range(7):
        await se.get(f"/v1/customers/{ALFA}")
    assert emulator.world.violations == []
    await se.get(f"/v1/customers/{ALFA}")
    assert len(emulator.world.violations) == 1


async def test_strict_mode_fails_a_client_that_ignores_retry_after(emulator: Emulator, client: Client):
    """In strict mode the offending call gets 400 instead of another 429."""
    emulator.options.throttle_limit = 1
    emulator.options.strict = True
    se = client("se")
    for _ in range(2):
        await se.get(f"/v1/customers/{ALFA}")
    emulator.clock.advance(10)
    assert (await se.get(f"/v1/customers/{ALFA}")).status_code == 400


async def test_throttling_can_be_switched_off(emulator: Emulator, client: Client):
    """Without throttling nothing is refused."""
    emulator.options.throttle_limit = 1
    emulator.options.throttling = False
    se = client("se")
    assert {(await se.get(f"/v1/customers/{ALFA}")).status_code for _ in range(3)} == {200}
