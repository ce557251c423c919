"""Error answers on the wire (partnercenter room, wire): Partner Center's three forms, Graph's, and sign-in's.

Core reference 2.4: form A ``{code, description, data, source}``, form B ``{code, message, description, errorName}``,
form C ``{statusCode, message}``. Codes are numbers in samples and strings in the documents; both are read, as text.
"""

from __future__ import annotations

import re

import msgspec

from tenantfold.errors import UnexpectedAnswerError
from tenantfold.partnercenter.wire import Wire, decode

_SIGN_IN_NUMBER = re.compile(r"AADSTS(\d+)")
_LONGEST = 300  # characters of Microsoft's own words that are kept


class GraphFault(Wire):
    """The inner part of a Graph error."""

    code: str | None = None
    message: str | None = None


class ErrorBody(Wire):
    """All forms in one: whatever is there."""

    code: str | int | None = None
    description: str | None = None
    message: str | None = None
    error_name: str | None = None
    status_code: int | None = None
    error: GraphFault | str | None = None


class SignInErrorBody(msgspec.Struct):
    """What the sign-in service answers instead of a token."""

    error: str = ""
    error_description: str = ""
    error_codes: list[int] = []
    trace_id: str = ""


class TokenBody(msgspec.Struct):
    """What the sign-in service answers; v1 writes numbers as strings."""

    access_token: str
    expires_in: int = 0
    refresh_token: str | None = None


class TokenClaims(msgspec.Struct):
    """The few claims of an access token that we show to people; never used to decide anything."""

    upn: str | None = None
    unique_name: str | None = None
    preferred_username: str | None = None


class Fault(msgspec.Struct, frozen=True):
    """What an error answer says: Microsoft's code as text (empty when there is none) and its words, shortened."""

    code: str
    description: str


def read_fault(body: bytes) -> Fault:
    """The code and words of an error answer in any form; a body that is none of them gives an empty code."""
    try:
        error = decode(body, ErrorBody)
    except UnexpectedAnswerError:
        return Fault("", "")
    if isinstance(error.error, GraphFault):
        return Fault(error.error.code or "", (error.error.message or "")[:_LONGEST])
    words = error.description or error.message or error.error_name or ""
    return Fault("" if error.code is None else str(error.code), words[:_LONGEST])


def read_sign_in_number(body: bytes) -> tuple[int, str]:
    """The AADSTS number of a refused sign-in (0 when there is none) and Microsoft's trace id."""
    try:
        error = _sign_in_form.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0, ""
    if error.error_codes:
        return error.error_codes[0], error.trace_id
    found = _SIGN_IN_NUMBER.search(error.error_description)
    return (int(found.group(1)) if found else 0), error.trace_id


_sign_in_form = msgspec.json.Decoder(SignInErrorBody, strict=False)
