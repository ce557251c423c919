"""What happens to a call before and after its handler (wire room).

The order is the one of core reference 10a.2: token (401 code 400), audience (401 900420), multifactor (401 900421),
app-only on a user's row (403 900329), role (403 900150), rate limit, replay of a write, then the handler with its own
rules (403 20002 and what follows). Nothing here knows a resource.
"""

from __future__ import annotations

import msgspec

from partner_center_emulator import idempotency, pace, strict
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, gateway, refusal
from partner_center_emulator.faults import answers as faulty_answers
from partner_center_emulator.faults import hooks, strike
from partner_center_emulator.requests import Call, Principal
from partner_center_emulator.signin import clouds, reports
from partner_center_emulator.signin import models as signin
from partner_center_emulator.throttle import Throttle
from partner_center_emulator.wire import BOM, prefix_links
from partner_center_emulator.world import PartnerTenant, RequestTally

JSON = "application/json; charset=utf-8"

behaviour(
    "pipeline", source="documented", page="core 2.5", note="401 400, 401 900420, 401 900421, 403 900329, 403 900150"
)
behaviour("pipeline", source="assumed", page="core 10a.2", note="The order of these checks")
behaviour(
    "pipeline", source="assumed", page="core 1.6", note="isMfaCompliant is a response header, on ValidateMfa: true"
)
behaviour(
    "pipeline",
    source="documented",
    page="core 2.2",
    note="MS-RequestId and MS-CorrelationId echoed, MS-CV and MS-ServerId given, some answers begin with a BOM",
)

Answer = tuple[int, dict[str, str], bytes]


def tally(emulator: Emulator, key: str, status: int) -> None:
    """Count one answered call under its route's key."""
    counts = emulator.world.tallies.get(key)
    if counts is None:
        counts = emulator.world.tallies[key] = RequestTally()
    counts.calls += 1
    if status == 429:  # noqa: PLR2004 - the number of HTTP itself
        counts.throttled += 1
    elif status >= 400:  # noqa: PLR2004 - the number of HTTP itself
        counts.errors += 1


async def answer(call: Call) -> Answer:
    """Run the call through every check and its handler; returns status, extra headers and body bytes."""
    emulator = call.emulator
    try:
        _authenticate(call)
        strict.admit(call)
        await strike.before(call)
        if call.route.resource is not None and emulator.options.throttling:
            emulator.derived(Throttle).admit(emulator, call.tenant.id, call.route.resource)
        if call.method in idempotency.WRITES:
            given = await _write(call)
        else:
            given = await _handle(call)
    except strike.TokenLapsedError:
        given = _error(call, _unauthorized(call, refusal(400)))
    except strike.CutError as cut:
        call.delivery = cut.delivery
        given = _error(call, gateway(502, "The connection was cut."))
        strict.note_unanswered(call)
    except ApiError as error:
        given = _error(call, error)
        if error.status >= 500:  # noqa: PLR2004 - the number of HTTP itself
            strict.note_unanswered(call)
    else:
        if call.faults:
            given = strike.after(call, given)
        pace.settle(call)
    tally(emulator, call.route.key, given[0])
    return given


async def _write(call: Call) -> Answer:
    """Handle a write once per request id; a repeat gets the kept answer."""
    emulator = call.emulator
    path = call.raw_path
    key = idempotency.answer_key(call.tenant.id, call.request_id, call.method, path)
    body_digest = idempotency.digest(call.raw_body)
    kept = idempotency.replay(emulator, key, body_digest)
    if kept is not None:
        return kept.status, dict(kept.headers), kept.body
    if emulator.world.behaviour.faults.plan.faults:
        await faulty_answers.keep_images(call)
    try:
        _parse_body(call)
        given = await _handle(call)
    except ApiError as error:
        given = _error(call, error)
    if given[0] < 500 and given[0] != 429:  # noqa: PLR2004 - the numbers of HTTP itself
        idempotency.keep(emulator, key, body_digest, given)
    return given


async def _handle(call: Call) -> Answer:
    token = hooks.striking.set(call.faults)
    try:
        reply = await call.route.handler(call)
    finally:
        hooks.striking.reset(token)
    options = call.emulator.options
    headers = dict(reply.headers) if reply.headers else {}
    if reply.body is None:
        return reply.status, headers, b""
    if isinstance(reply.body, bytes):
        return reply.status, headers, reply.body  # a document; its content type is among the reply's headers
    headers["Content-Type"] = JSON
    shown = faulty_answers.alter(call, reply.body)
    strict.note_list(call, shown)
    shown = prefix_links(shown) if options.link_prefix else shown
    body = msgspec.json.encode(shown)
    if options.bom == "always" or (reply.bom and options.bom == "per-endpoint"):
        body = BOM + body
    return reply.status, headers, body


def _parse_body(call: Call) -> None:
    if not call.raw_body:
        return
    try:
        call.body = msgspec.json.decode(call.raw_body.removeprefix(BOM))
    except (msgspec.DecodeError, RecursionError):
        raise refusal(2000, "The body is not valid JSON.") from None


def _error(call: Call, error: ApiError) -> Answer:
    if call.route.audience == "graph" and error.form in {"A", "B"}:
        # Graph never answers in Partner Center's forms, whoever noticed the mistake
        name = "badRequest" if error.status == 400 else "accessDenied"  # noqa: PLR2004 - the number of HTTP itself
        error = ApiError(error.status, 0, error.description, "graph", name=name, headers=error.headers)
    headers = {**error.headers, "Content-Type": JSON}
    body = error.body(integer_code=call.emulator.options.integer_code)
    return error.status, headers, msgspec.json.encode(body)


def _authenticate(call: Call) -> None:
    """Find out who calls and whether this row of the table is open to them; raises 401 or 403."""
    route, emulator = call.route, call.emulator
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    principal = signin.verify(emulator, token.strip()) if scheme.lower() == "bearer" else None
    if principal is None:
        raise _unauthorized(call, refusal(400))
    call.tenant = emulator.world.partner_tenants[principal.tenant_id]
    if principal.audience != route.audience or (route.audience == "graph" and call.tenant.cloud != call.cloud):
        raise _unauthorized(call, refusal(900420))
    call.principal = principal
    if call.tenant.cloud != "commercial":
        clouds.check_capability(route, emulator.options)
    if principal.is_user:
        reports.log(call)
        if not principal.has_mfa and _checks_mfa(emulator, call.tenant):
            raise _unauthorized(call, refusal(900421))
        if route.roles and not route.roles & principal.roles:
            raise refusal(900150)
    elif route.auth == "AU":
        raise refusal(900329)


def _checks_mfa(emulator: Emulator, tenant: PartnerTenant) -> bool:
    """Whether this call is among those whose tokens must prove multifactor authentication (core reference 1.6)."""
    options = emulator.options
    if options.mfa == "progressive":
        return emulator.next_request_number() % 100 < options.mfa_percent
    return options.mfa == "on" or (options.mfa == "sandbox" and tenant.is_sandbox)


def _unauthorized(call: Call, error: ApiError) -> ApiError:
    if call.route.audience == "graph":
        return ApiError(401, 0, error.description, "graph", name="InvalidAuthenticationToken")
    error.headers["WWW-Authenticate"] = "OAuth realm=urn:cpsvc:cpid:emulator"
    return error


def mfa_header(call: Call, principal: Principal | None) -> str | None:
    """Return the value of ``isMfaCompliant`` if the client asked with ``ValidateMfa: true``, else None."""
    if principal is None or call.headers.get("validatemfa", "").lower() != "true":
        return None
    return "true" if principal.has_mfa or not principal.is_user else "false"
