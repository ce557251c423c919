"""Conduct of clients (truth room): who ignores advice, sends a write again under a new id, or reads half a list.

``Options.strict``: False records what the throttle and the idempotency store notice anyway; "record" judges polling and
unread pages as well; "fail" (or True) also answers the rule breaker with an error. Advice that came with a 429 is
judged always.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Literal

from partner_center_emulator import idempotency
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError
from partner_center_emulator.requests import Call
from partner_center_emulator.state.behaviour import Advice, OpenList, Unanswered
from partner_center_emulator.wire import Json

TOLD_ABOUT_ANOTHER = ", told in a call about another customer"
"""How a violation ends whose client could not be sure: limits are the tenant's or one customer's (core reference 4)."""

Rule = Literal["ignored_retry_after", "polled_too_fast"]

_PAGING = frozenset({"offset", "size", "seekoperation"})
_MOST_UNANSWERED = 1000

behaviour("strict", source="documented", page="core 4", note="A client waits as long as `Retry-After` says")
behaviour(
    "strict", source="documented", page="core 2.1", note="A write whose answer is missing keeps its `MS-RequestId`"
)
behaviour(
    "strict",
    source="assumed",
    page="core 3",
    note="A list is read to its end within `next_page_seconds`; something unfinished is not asked for again within "
    "`poll_seconds`",
)


def admit(call: Call) -> None:
    """Judge a call before it is handled; raises ApiError when the emulator fails rule breakers."""
    conduct = call.world.behaviour.conduct
    if conduct.charges and call.emulator.options.fails_rule_breakers:
        sentence = conduct.charges.pop(call.tenant.id, "")
        if sentence:
            raise ApiError(400, 0, f"Strict mode: {sentence}", "C")
    if conduct.advice:
        _check_advice(call, _retry_key(call))
        if call.method == "GET":
            _check_advice(call, _poll_key(call))
    if conduct.unanswered and call.method in idempotency.WRITES:
        _check_resend(call)


def advise(call: Call, seconds: float, rule: Rule = "ignored_retry_after") -> None:
    """Note that this client was told to wait: for calls of this kind, or (``polled_too_fast``) for this path."""
    now = call.clock.now()
    key = _retry_key(call) if rule == "ignored_retry_after" else _poll_key(call)
    known = call.world.behaviour.conduct.advice.get(key)
    until = now + timedelta(seconds=seconds)
    going_on = known if known is not None and known.until > now else None
    customers = sorted({*(going_on.customers if going_on is not None else ()), _customer_of(call)})
    if known is not None and known.until >= until:
        known.customers = customers
        return
    call.world.behaviour.conduct.advice[key] = Advice(
        until=until,
        given_at=going_on.given_at if going_on is not None else now,
        rule=rule,
        calls_since=going_on.calls_since if going_on is not None else 0,
        customers=customers,
    )


def advise_poll(call: Call, seconds: float | None = None) -> None:
    """Tell the client not to read this path again within ``seconds`` (the option ``poll_seconds`` if left out)."""
    options = call.emulator.options
    if options.judges_conduct:
        advise(call, options.poll_seconds if seconds is None else seconds, "polled_too_fast")


def note_unanswered(call: Call) -> None:
    """Note a write that got no answer before it was looked at: the client cannot know, so its id must stay."""
    if call.method not in idempotency.WRITES:
        return
    unanswered = call.world.behaviour.conduct.unanswered
    if len(unanswered) >= _MOST_UNANSWERED:
        del unanswered[next(iter(unanswered))]
    unanswered[_content_key(call)] = Unanswered(at=call.clock.now(), request_id=call.request_id.lower())


def note_list(call: Call, body: object) -> None:
    """Note a list with a next page as open, and one that was read to its end as closed."""
    if not call.emulator.options.judges_conduct or not isinstance(body, dict) or "items" not in body:
        return
    conduct, key = call.world.behaviour.conduct, _list_key(call)
    links = body.get("links")
    if not isinstance(links, dict) or "next" not in links:
        conduct.open_lists.pop(key, None)
        return
    opened = OpenList(since=call.clock.now(), tenant_id=call.tenant.id, path=call.raw_path)
    conduct.open_lists[key] = opened
    _arm(call.emulator, key, opened)


def rearm(emulator: Emulator) -> None:
    """Put the judgment of the open lists back on the clock."""
    for key, opened in emulator.world.behaviour.conduct.open_lists.items():
        _arm(emulator, key, opened)


def _arm(emulator: Emulator, key: str, opened: OpenList) -> None:
    def judge_if_still_open() -> None:
        conduct = emulator.world.behaviour.conduct
        if conduct.open_lists.get(key) is not opened:
            return
        del conduct.open_lists[key]
        sentence = f"the list {opened.path} was left with pages unread."
        emulator.violate(opened.tenant_id, "left_pages_unread", sentence)
        if emulator.options.fails_rule_breakers:
            conduct.charges[opened.tenant_id] = sentence

    due = opened.since + timedelta(seconds=emulator.options.next_page_seconds)
    emulator.clock.at(due, f"open list {key}", judge_if_still_open)


def _check_advice(call: Call, key: str) -> None:
    advice = call.world.behaviour.conduct.advice.get(key)
    if advice is None:
        return
    now = call.clock.now()
    if now >= advice.until:
        del call.world.behaviour.conduct.advice[key]
        return
    advice.calls_since += 1
    if advice.rule == "ignored_retry_after" and _was_on_its_way(call, advice, now):
        return
    wait = math.ceil((advice.until - now).total_seconds())
    is_sure = "" in advice.customers or _customer_of(call) in advice.customers
    told = "" if is_sure else TOLD_ABOUT_ANOTHER
    call.emulator.violate(
        call.tenant.id, advice.rule, f"{call.method} {call.raw_path}: called {wait} s too early{told}"
    )
    if call.emulator.options.fails_rule_breakers:
        raise ApiError(400, 0, f"Strict mode: the call came {wait} seconds before it was advised.", "C")


def _was_on_its_way(call: Call, advice: Advice, now: datetime) -> bool:
    options = call.emulator.options
    grace = options.retry_after_grace_seconds * max(1.0, call.clock.speed)
    return (now - advice.given_at).total_seconds() < grace and advice.calls_since <= options.retry_after_in_flight


def _check_resend(call: Call) -> None:
    unanswered = call.world.behaviour.conduct.unanswered
    earlier = unanswered.pop(_content_key(call), None)
    if earlier is None or earlier.request_id == call.request_id.lower():
        return
    age = call.clock.now() - earlier.at
    if age > timedelta(minutes=call.emulator.options.resend_minutes):
        return
    detail = f"{call.method} {call.raw_path}: same body {age.seconds} s after a call without an answer"
    call.emulator.violate(call.tenant.id, "resent_with_new_id", detail)
    if call.emulator.options.fails_rule_breakers:
        raise ApiError(409, 800002, "Strict mode: a write without an answer was sent again under a new request id.")


def _customer_of(call: Call) -> str:
    return call.path.get("customer", "").lower()


def _retry_key(call: Call) -> str:
    return f"{call.tenant.id}/{call.route.resource or call.route.key}"


def _poll_key(call: Call) -> str:
    return f"{call.tenant.id}/GET {call.raw_path}"


def _content_key(call: Call) -> str:
    return f"{call.tenant.id}/{call.method}/{call.raw_path}/{idempotency.digest(call.raw_body)}"


def _list_key(call: Call) -> str:
    query: Json = {name: value for name, value in call.query.items() if name not in _PAGING}
    return f"{call.tenant.id}/{call.raw_path}?{sorted(query.items())}"
