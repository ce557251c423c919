"""Errors of the emulated surface (wire room): one exception, the table of codes, and the three body forms.

Form A is the documented body, form B the one of newer services, form C the gateway's (core reference 2.4). The texts
are our own words; clients must look at the number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

Form = Literal["A", "B", "C", "graph"]


class Code(msgspec.Struct, frozen=True):
    """One row of the table of error codes: the usual HTTP status, and a sentence with ``{0}``-style places."""

    status: int
    text: str
    name: str = ""  # errorName of form B


CODES: Mapping[int, Code] = {
    400: Code(401, "Access denied."),
    1000: Code(404, "Not found."),
    2000: Code(400, "{0}"),
    2001: Code(400, "The quantity cannot change while the subscription is suspended."),
    2002: Code(400, "The quantity {0} is out of range: it must lie between {1} and {2}."),
    2006: Code(403, "The partner may not sell the offer {0}."),
    2011: Code(400, "A deleted subscription cannot be updated."),
    2032: Code(403, "Access denied."),
    2054: Code(400, "The billing cycle must be changed through the order."),
    2055: Code(400, "The ETag does not match: the resource has changed since it was read."),
    2072: Code(404, "The partner on record {0} was not found."),
    2085: Code(403, "The offer {0} is not eligible."),
    2091: Code(403, "The offer {0} is no longer sold."),
    2100: Code(400, "Use the products API for the id {0}."),
    3000: Code(404, "The partner organization with id {0} was not found."),
    6000: Code(400, "The billing cycle was not changed: the order has an inactive subscription."),
    6001: Code(400, "The offer {0} does not support the billing cycle {1}."),
    13605: Code(403, "The acceptance of the Microsoft Customer Agreement by the customer is not confirmed."),
    20000: Code(404, "The order {0} was not found."),
    20002: Code(403, "The partner {0} has no commerce relationship with the customer {1}."),
    20003: Code(404, "The subscription {0} was not found."),
    27006: Code(400, "The use limit of the offer {0} is reached."),
    27009: Code(409, "The child subscription cannot be enabled while its parent is not active."),
    60003: Code(404, "The tenant {0} was not found."),
    600061: Code(400, "The same agreement was already confirmed.", "PartnerConfirmedAgreementAlreadyExists"),
    800002: Code(400, "The request is not valid: {0}"),
    800003: Code(500, "An unexpected error occurred."),
    800004: Code(400, "The offer id {0} is not valid."),
    800029: Code(400, "The add-on {0} does not belong to the parent subscription."),
    800036: Code(417, "The precondition failed."),
    800040: Code(400, "The status cannot change from {1} to {0}."),
    800070: Code(400, "The offer {0} is not sold in the country {1}."),
    900126: Code(400, "The value {0} is not known."),
    900150: Code(403, "The role of the user lacks the right for this call."),
    900308: Code(403, "The caller's privileges are not sufficient."),
    900329: Code(403, "This call needs a signed-in user; app-only tokens are not supported."),
    900419: Code(400, "The customer tenant has reached its limit of {0} subscriptions."),
    900420: Code(401, "The audience of the token is not accepted."),
    900421: Code(401, "The token carries no proof of multifactor authentication."),
}


class ApiError(Exception):
    """An answer that is not a success, in one of the three forms (core reference 2.4) or in Graph's own (core 8).

    ``status`` is the HTTP status, ``code`` Partner Center's number (0 in form C), ``data`` the list of strings of form
    A, ``name`` the ``errorName`` of form B, ``headers`` extra response headers.
    """

    def __init__(
        self,
        status: int,
        code: int,
        description: str,
        form: Form = "A",
        *,
        data: Sequence[str] = (),
        name: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {description}")
        self.status = status
        self.code = code
        self.description = description[:1024]
        self.form: Form = form
        self.data = tuple(data)
        self.name = name
        self.headers = dict(headers or {})
        self.source = "PartnerFD"

    def body(self, *, integer_code: bool = True) -> dict[str, object]:
        """Return the JSON body; ``integer_code`` chooses number or string, both occur in samples."""
        code: object = self.code if integer_code else str(self.code)
        if self.form == "graph":
            return {"error": {"code": self.name, "message": self.description, "innerError": {}}}
        if self.form == "C":
            return {"statusCode": self.status, "message": self.description}
        if self.form == "B":
            return {
                "code": code,
                "message": self.description,
                "description": self.description,
                "errorName": self.name,
                "isRetryable": False,
                "parameters": {},
                "errorMessageExtended": f"InternalErrorCode={self.code}",
            }
        return {"code": code, "description": self.description, "data": list(self.data), "source": self.source}


def refusal(code: int, *facts: object, status: int | None = None, form: Form = "A") -> ApiError:
    """Return the error of the table's row ``code`` with its places filled; ``status`` overrides the usual one.

    Raises KeyError for a code that is not in the table, so that no number is invented on the way.
    """
    row = CODES[code]
    return ApiError(status or row.status, code, row.text.format(*facts), form, name=row.name)


def gateway(status: int, message: str, headers: Mapping[str, str] | None = None) -> ApiError:
    """Return a form C answer as the gateway in front of Partner Center gives it."""
    return ApiError(status, 0, message, "C", headers=headers)
