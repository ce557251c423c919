"""Every error answer and every foreign exception, turned into our errors (partnercenter room): here and nowhere else.

The table follows core reference 2.4-2.5 and commerce reference 2.4. The line that matters most: a write that may have
taken effect is NoAnswerError, so that the flow reconciles it; a write that surely had none is anything else.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import httpx2

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
from tenantfold.partnercenter.wire_errors import Fault, read_fault

_NO_MFA = "900421"
_RETIRED_AUDIENCE = "900420"
_APP_ONLY_NOT_SUPPORTED = "900329"
_STALE_ETAG = "2055"
_ROLE_MISSING = frozenset({"900150", "900308", "2032", "1002", _APP_ONLY_NOT_SUPPORTED, "Authorization_RequestDenied"})
_NO_RELATIONSHIP = frozenset({"20002", "900159"})
# "look again later" in Partner Center's words: an order in progress, an adjustment pending, not ready yet, try tomorrow
_BUSY = frozenset({"800014", "800060", "800064", "800082", "900278"})
_CONFLICTS = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})

# nothing of the call left the machine: no connection, no free connection, or a request that cannot be sent at all
_NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.InvalidURL,
)
FOREIGN = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError)


def lost_call(error: Exception, *, is_write: bool, facts: dict[str, object]) -> PartnerCenterError:
    """The error for a call that ended without a whole answer. Reads are merely unavailable: they have no effect."""
    what = f"{facts['method']} {facts['path']}"
    if isinstance(error, _NOT_SENT):
        return UnavailableError(
            f"Microsoft could not be reached for {what} ({type(error).__name__}); nothing was sent.",
            next_step="Check the network and the service health, then run again.",
            **facts,
        )
    if is_write:
        return NoAnswerError(
            f"No whole answer came back for {what} ({type(error).__name__}); whether it took effect is unknown.",
            next_step="Run again: what happened is looked up before anything is sent again.",
            **facts,
        )
    return UnavailableError(
        f"No whole answer came back for {what} ({type(error).__name__}).", next_step="Run again later.", **facts
    )


def stale_call(waited_seconds: float, facts: dict[str, object]) -> PartnerCenterError:
    """The error for a write that waited too long for its turn and was not sent."""
    return UnavailableError(
        f"{facts['method']} {facts['path']} waited {waited_seconds:.0f} seconds for its turn and was not sent.",
        next_step="Run again: everything is read and decided anew.",
        **facts,
    )


def refused_call(
    status: int, body: bytes, retry_after: str | None, *, is_write: bool, facts: dict[str, object]
) -> PartnerCenterError:
    """The error for an answer that is not 2xx. ``facts`` name the call; status, code and words are added to them."""
    fault = read_fault(body)
    facts = {**facts, "http_status": status, "description": fault.description}
    if fault.code:
        facts["code"] = fault.code
    asked = asked_seconds(retry_after)
    if asked is not None:
        facts["retry_after_seconds"] = asked
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _throttled(facts)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return _failed_inside(status, is_write=is_write, facts=facts)
    if status < HTTPStatus.BAD_REQUEST:
        return unclear_answer(f"Microsoft answered HTTP {status} to", is_write=is_write, facts=facts)
    return _explained(status, fault, facts)


def asked_seconds(retry_after: str | None) -> float | None:
    """What a ``Retry-After`` header asks for, in seconds; None without one (or with a date, which is never sent)."""
    return float(retry_after) if retry_after and retry_after.strip().isdigit() else None


def unclear_answer(beginning: str, *, is_write: bool, facts: dict[str, object]) -> PartnerCenterError:
    """The error for an answer nobody expected; after a write the effect is unknown."""
    what = f"{beginning} {facts['method']} {facts['path']}"
    if is_write:
        return NoAnswerError(
            f"{what}; whether it took effect is unknown.",
            next_step="Run again: what happened is looked up before anything is sent again.",
            **facts,
        )
    return UnexpectedAnswerError(f"{what}, which cannot be read.", next_step="", **facts)


def _throttled(facts: dict[str, object]) -> ThrottledError:
    return ThrottledError(
        f"Microsoft throttles {facts['method']} {facts['path']} (HTTP 429).",
        next_step="Wait some minutes and run again; another program may be using up the limit.",
        **facts,
    )


def _failed_inside(status: int, *, is_write: bool, facts: dict[str, object]) -> PartnerCenterError:
    what = f"Microsoft failed inside (HTTP {status}) at {facts['method']} {facts['path']}"
    if is_write:
        return NoAnswerError(
            f"{what}; whether it took effect is unknown.",
            next_step="Run again: what happened is looked up before anything is sent again.",
            **facts,
        )
    return UnavailableError(f"{what}.", next_step="Run again later.", **facts)


def _explained(status: int, fault: Fault, facts: dict[str, object]) -> PartnerCenterError:
    make = _kind(status, fault.code)
    code = f", code {fault.code}" if fault.code else ""
    words = f": {fault.description}" if fault.description else ""
    message, next_step = _TEXTS[make]
    if fault.code in _OWN_STEPS:
        next_step = _OWN_STEPS[fault.code]
    return make(
        f"{message} {facts['method']} {facts['path']} (HTTP {status}{code}){words}", next_step=next_step, **facts
    )


def _kind(status: int, code: str) -> Callable[..., PartnerCenterError]:
    if status == HTTPStatus.UNAUTHORIZED:
        return AuthError
    if status == HTTPStatus.NOT_FOUND or (status == HTTPStatus.FORBIDDEN and code in _NO_RELATIONSHIP):
        return NotFoundError
    if status == HTTPStatus.FORBIDDEN and code in _ROLE_MISSING:
        return RoleMissingError
    if code in _BUSY:
        return UnavailableError
    if status in _CONFLICTS or (status == HTTPStatus.BAD_REQUEST and code == _STALE_ETAG):
        return ConflictError
    return RefusedError


_TEXTS: dict[Callable[..., PartnerCenterError], tuple[str, str]] = {
    AuthError: ("Microsoft does not accept our sign-in for", "Sign in again with `tenantfold doctor` at hand."),
    NotFoundError: ("Microsoft finds nothing, or no relationship, for", ""),
    RoleMissingError: (
        "The signed-in user lacks the role for",
        "Give the user the Admin agent role in Partner Center.",
    ),
    UnavailableError: ("Microsoft is still busy and does nothing for", "Run again in some minutes."),
    ConflictError: ("The state at Microsoft moved under", "Run again: the present state is read first."),
    RefusedError: ("Microsoft refuses", ""),
}

_OWN_STEPS = {
    _NO_MFA: "The refresh token stems from a sign-in without MFA; sign in again with MFA and store the new token.",
    _RETIRED_AUDIENCE: "The token was asked for a retired audience; correct the cloud's audience in the settings.",
    _APP_ONLY_NOT_SUPPORTED: "This call needs a signed-in user; store a refresh token for this tenant.",
}
