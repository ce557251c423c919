"""Doing a plan's faults to one call (fault room): what comes before its handler, and what spoils its answer after."""

from __future__ import annotations

import math
from datetime import timedelta
from hashlib import blake2b
from http import HTTPStatus

import msgspec

from partner_center_emulator import idempotency, strict
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, gateway, refusal
from partner_center_emulator.faults import draws
from partner_center_emulator.faults.delivery import Delivery, pass_time
from partner_center_emulator.requests import Call
from partner_center_emulator.state.behaviour import Fault

Answer = tuple[int, dict[str, str], bytes]

_MOST_SPENT_TOKENS = 1000


class CutError(Exception):
    """The connection breaks before the call had any effect."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(delivery.how)
        self.delivery = delivery


class TokenLapsedError(Exception):
    """The access token lapsed before its time."""


async def before(call: Call) -> None:
    """Choose the faults that hit this call and do what comes before its handler.

    Raises ApiError (429, 5xx), CutError or TokenLapsedError. The faults stay in ``call.faults`` for ``after``.
    """
    state = call.world.behaviour.faults
    if state.spent_tokens and _digest(call) in state.spent_tokens:
        raise TokenLapsedError
    if not state.plan.faults:
        return
    customer_id = call.path.get("customer", "")
    call.faults = draws.chosen(call.emulator, call.route.key, call.tenant.id, customer_id)
    for fault in call.faults:
        if fault.kind == "token_expires":
            state.spent_tokens = [*state.spent_tokens[-_MOST_SPENT_TOKENS:], _digest(call)]
            raise TokenLapsedError
        if fault.kind == "throttle_storm":
            error = _storm(call.emulator, fault, call.tenant.id)
            strict.advise(call, float(error.headers["Retry-After"]))
            raise error
        await _strike_first(call.emulator, fault, call.tenant.id)


async def before_page(emulator: Emulator, key: str, tenant_id: str) -> tuple[Fault, ...]:
    """Do the same for a path without bearer token (sign-in); returns the faults for ``spoil``."""
    if not emulator.world.behaviour.faults.plan.faults:
        return ()
    tenant = emulator.world.partner_tenants.get(tenant_id.lower())
    faults = draws.chosen(emulator, key, tenant.id if tenant else "", "")
    for fault in faults:
        await _strike_first(emulator, fault, tenant.id if tenant else "")
    return faults


async def _strike_first(emulator: Emulator, fault: Fault, tenant_id: str) -> None:
    if fault.kind == "latency":
        await pass_time(emulator, draws.delay(emulator, fault), fault.passing)
    elif fault.kind == "throttle_storm":
        raise _storm(emulator, fault, tenant_id)
    elif fault.effect == "before" and fault.kind == "server_error":
        raise server_error(fault)
    elif fault.effect == "before" and fault.kind == "reset":
        raise CutError(Delivery(how="reset"))


def _storm(emulator: Emulator, fault: Fault, tenant_id: str) -> ApiError:
    storms, now = emulator.world.behaviour.faults.storms, emulator.clock.now()
    key = f"{fault.name}/{tenant_id}"
    if key not in storms or storms[key] <= now:
        storms[key] = now + timedelta(seconds=fault.seconds)
    wait = max(1, math.ceil((storms[key] - now).total_seconds()))
    return gateway(429, f"Rate limit is exceeded. Try again in {wait} seconds.", {"Retry-After": str(wait)})


def server_error(fault: Fault) -> ApiError:
    """Return the failure of the service itself: 500 in form A, everything else as the gateway says it."""
    if fault.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return refusal(800003)
    return gateway(fault.status, f"The gateway gives up ({fault.status}).")


def after(call: Call, given: Answer) -> Answer:
    """Spoil the answer of a call that was handled; a write's lost answer is noted for its replay."""
    spoiled, delivery, lost = spoil(call.faults, given)
    call.delivery = delivery
    if lost and call.method in idempotency.WRITES:
        key = idempotency.answer_key(call.tenant.id, call.request_id, call.method, call.raw_path)
        if key in call.world.answers:
            idempotency.mark_lost(call.emulator, key)
    return spoiled


def spoil(faults: tuple[Fault, ...], given: Answer) -> tuple[Answer, Delivery | None, bool]:
    """Return the spoiled answer, how it is delivered, and whether the client never sees the true one.

    An answer that tells the client to wait comes whole and at once: nobody can keep to what has not arrived.
    """
    if "Retry-After" in given[1]:
        return given, None, False
    delivery: Delivery | None = None
    lost = False
    for fault in faults:
        if fault.kind == "server_error" and fault.effect == "after":
            error = server_error(fault)
            headers = {**error.headers, "Content-Type": "application/json; charset=utf-8"}
            given, lost = (error.status, headers, msgspec.json.encode(error.body())), True
        elif fault.kind == "reset" and fault.effect == "after":
            delivery, lost = Delivery(how="reset"), True
        elif fault.kind == "lost_answer":
            delivery, lost = Delivery(how="lost"), True
        elif fault.kind == "truncated_body":
            delivery, lost = Delivery(how="truncated"), True
        elif fault.kind == "truncated_json" and given[2]:
            given, lost = (given[0], given[1], given[2][: len(given[2]) // 2]), True
        elif fault.kind == "slow_body" and delivery is None:
            delivery = Delivery(how="slow", seconds=fault.seconds, passing=fault.passing)
    return given, delivery, lost


def _digest(call: Call) -> str:
    return blake2b(call.headers.get("authorization", "").encode(), digest_size=12).hexdigest()
