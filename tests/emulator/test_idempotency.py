"""Writes that are repeated (core reference 2.1)."""

from __future__ import annotations

import httpx2
import pytest

from partner_center_emulator import idempotency
from partner_center_emulator.emulator import Emulator
from tests.emulator.conftest import Client
from tests.emulator.small_world import ALFA, SE, STRANGER

PATH = f"/v1/customers/{ALFA}/agreements"
ONE, TWO = "99999999-0000-4000-8000-00000000000A", "99999999-0000-4000-8000-00000000000b"


def agreement(first_name: str = "Tove") -> dict[str, object]:
    """Return an attestation."""
    return {
        "primaryContact": {"firstName": first_name, "lastName": "Berg", "email": "tove@alfa.example"},
        "templateId": "117a77b0-9360-443b-8795-c6dedc750cf9",
        "dateAgreed": "2026-02-01T00:00:00Z",
        "type": "MicrosoftCustomerAgreement",
    }


async def attest(se: httpx2.AsyncClient, request_id: str, body: dict[str, object] | None = None) -> httpx2.Response:
    """Post an attestation under a request id."""
    return await se.post(PATH, json=body or agreement(), headers={"MS-RequestId": request_id})


async def test_repeats_the_answer_and_not_the_write(emulator: Emulator, client: Client):
    """The same request id in any case gives the same bytes and one agreement."""
    se = client("se")
    first, second = await attest(se, ONE), await attest(se, ONE.lower())
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert len(emulator.world.agreements) == 1


async def test_repeats_a_business_error_too(client: Client):
    """A refusal is an answer: the same id gets it again."""
    se = client("se")
    bad = {**agreement(), "templateId": "nothing"}
    first, second = await attest(se, ONE, bad), await attest(se, ONE, bad)
    assert (first.status_code, first.content) == (400, second.content)


async def test_refuses_another_body_under_the_same_id(client: Client):
    """One id, two bodies: 409."""
    se = client("se")
    await attest(se, ONE)
    assert (await attest(se, ONE, agreement("Another"))).status_code == 409


async def test_a_new_id_is_a_new_write(client: Client):
    """Under a new id the same contact is refused as a duplicate."""
    se = client("se")
    await attest(se, ONE)
    assert (await attest(se, TWO)).json()["code"] == 600061


async def test_the_id_of_a_throttled_write_can_be_used_again(emulator: Emulator, client: Client):
    """A call that was never looked at leaves no answer behind."""
    emulator.options.throttle_limit = 1
    se = client("se")
    profile = (await se.get(f"/v1/customers/{ALFA}/profiles/billing")).json()
    headers = {"MS-RequestId": ONE}
    path = f"/v1/customers/{ALFA}/profiles/billing"
    throttled = await se.put(path, json=profile, headers=headers)
    emulator.clock.advance(60)
    accepted = await se.put(path, json=profile, headers=headers)
    assert [throttled.status_code, accepted.status_code] == [429, 200]


async def test_forgets_after_24_hours(emulator: Emulator, client: Client):
    """A day later the id is new again, and the kept answers do not pile up."""
    await attest(client("se"), ONE)
    emulator.clock.advance(24 * 3600)
    assert (await attest(client("se"), ONE)).json()["code"] == 600061
    assert len(emulator.world.answers) == 1


@pytest.mark.parametrize(("lost", "minutes", "found"), [(True, 14, 1), (True, 16, 0), (False, 1, 0)])
async def test_records_a_write_sent_again_under_a_new_id_after_a_lost_answer(
    emulator: Emulator, client: Client, *, lost: bool, minutes: int, found: int
):
    """Only if the first answer was lost, and only within 15 minutes."""
    se = client("se")
    await attest(se, ONE)
    if lost:
        idempotency.mark_lost(emulator, idempotency.answer_key(SE, ONE, "POST", PATH.lower()))
    emulator.clock.advance(minutes * 60)
    await attest(se, TWO)
    rules = [violation.rule for violation in emulator.world.violations]
    assert rules == ["resent_with_new_id"] * found


async def test_strict_mode_fails_a_write_sent_again_under_a_new_id(emulator: Emulator, client: Client):
    """In strict mode the second write is refused with 409."""
    emulator.options.strict = True
    se = client("se")
    await attest(se, ONE)
    idempotency.mark_lost(emulator, idempotency.answer_key(SE, ONE, "POST", PATH.lower()))
    assert (await attest(se, TWO)).status_code == 409


async def test_refuses_a_body_that_is_no_json(client: Client):
    """Broken JSON is 400 2000."""
    answer = await client("se").post(PATH, content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, 2000)


async def test_a_write_to_a_stranger_is_refused_before_anything_happens(emulator: Emulator, client: Client):
    """An unknown customer is 404 and leaves no agreement."""
    answer = await client("se").post(f"/v1/customers/{STRANGER}/agreements", json=agreement())
    assert (answer.status_code, emulator.world.agreements) == (404, [])
