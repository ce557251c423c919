"""Replays of writes (wire room): the same ``MS-RequestId`` gets the same answer for 24 hours.

Documented: the id is the idempotency key of a retried write. How long it is remembered and what another body does is
not published (core reference 2.1): 24 hours and 409 are our choice. Answers to rejected calls (token, role, throttle)
are not kept, because the write was never looked at; 5xx are not kept either.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError
from partner_center_emulator.world import StoredAnswer, World

behaviour(
    "idempotency",
    source="documented",
    page="core 2.1",
    note="A write repeated with the same MS-RequestId is done once and answered alike",
)
behaviour(
    "idempotency",
    source="assumed",
    page="core 2.1",
    note="Remembered 24 hours per tenant, id, method and path; another body under the same id is 409",
)

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class LastWrites:
    """The last write per tenant, method, path and body; obtained with ``emulator.derived(LastWrites)``."""

    def __init__(self, world: World) -> None:
        self.by_content: dict[str, str] = {}  # "{tenant}/{METHOD}/{path}/{digest}" -> key of the stored answer
        for key, answer in world.answers.items():
            self.by_content[_content_key(key, answer.body_digest)] = key


def answer_key(tenant_id: str, request_id: str, method: str, path: str) -> str:
    """Return the key under which the answer to a write is kept."""
    return f"{tenant_id}/{request_id.lower()}/{method}/{path}"


def digest(body: bytes) -> str:
    """Return a short digest of a request body; spaces and order of members are part of it."""
    return blake2b(body, digest_size=16).hexdigest()


def replay(emulator: Emulator, key: str, body_digest: str) -> StoredAnswer | None:
    """Return the kept answer for ``key``, or None if this write is new.

    Raises 409 when the same id came with another body; in strict mode also when a write whose answer was lost is sent
    again under a new id.
    """
    _forget_old(emulator)
    kept = emulator.world.answers.get(key)
    if kept is None:
        _judge_resend(emulator, key, body_digest)
        return None
    if kept.body_digest != body_digest:
        raise ApiError(409, 800002, "The request id was already used for another request.")
    return kept


def keep(emulator: Emulator, key: str, body_digest: str, answer: tuple[int, dict[str, str], bytes]) -> None:
    """Remember the answer (status, headers, body) to a write."""
    status, headers, body = answer
    emulator.world.answers[key] = StoredAnswer(
        stored_at=emulator.clock.now(), body_digest=body_digest, status=status, headers=headers, body=body
    )
    emulator.derived(LastWrites).by_content[_content_key(key, body_digest)] = key


def mark_lost(emulator: Emulator, key: str) -> None:
    """Note that the answer kept under ``key`` never reached the client; raises KeyError if there is none."""
    emulator.world.answers[key].lost = True


def _content_key(key: str, body_digest: str) -> str:
    tenant_id, _, method_and_path = key.split("/", 2)
    return f"{tenant_id}/{method_and_path}/{body_digest}"


def _forget_old(emulator: Emulator) -> None:
    """Drop answers past their time; the mapping is in order of storing, so only the front is looked at."""
    answers = emulator.world.answers
    horizon = emulator.clock.now() - timedelta(hours=emulator.options.idempotency_hours)
    last_writes = emulator.derived(LastWrites).by_content
    while answers:
        key = next(iter(answers))
        if answers[key].stored_at > horizon:
            return
        content = _content_key(key, answers.pop(key).body_digest)
        if last_writes.get(content) == key:
            del last_writes[content]


def _judge_resend(emulator: Emulator, key: str, body_digest: str) -> None:
    """Record a write sent again under a new id although the first took effect and its answer was lost."""
    earlier = emulator.derived(LastWrites).by_content.get(_content_key(key, body_digest))
    answer = emulator.world.answers.get(earlier) if earlier else None
    if answer is None or not answer.lost:
        return
    age = emulator.clock.now() - answer.stored_at
    if age > timedelta(minutes=emulator.options.resend_minutes):
        return
    tenant_id, _, method_and_path = key.split("/", 2)
    emulator.violate(
        tenant_id, "resent_with_new_id", f"{method_and_path}: same body {age.seconds} s after a lost answer"
    )
    if emulator.options.fails_rule_breakers:
        raise ApiError(409, 800002, "Strict mode: a write without an answer was sent again under a new request id.")
