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
    2030: Code(403, "The partner is not onboarded for the country {0}."),
    2032: Code(403, "Access denied."),
    2054: Code(400, "The billing cycle must be changed through the order."),
    2055: Code(400, "The ETag does not match: the resource has changed since it was read."),
    2072: Code(404, "The partner on record {0} was not found."),
    2085: Code(403, "The offer {0} is not eligible."),
    2091: Code(403, "The offer {0} is no longer sold."),
    2100: Code(400, "Use the products API for the id {0}."),
    2200: Code(400, "No partner has the id {0}."),
    2204: Code(400, "The partner {0} has not signed the agreement."),
    3000: Code(404, "The partner organization with id {0} was not found."),
    6000: Code(400, "The billing cycle was not changed: the order has an inactive subscription."),
    6001: Code(400, "The offer {0} does not support the billing cycle {1}."),
    13605: Code(403, "The acceptance of the Microsoft Customer Agreement by the customer is not confirmed."),
    20000: Code(404, "The order {0} was not found."),
    20002: Code(403, "The partner {0} has no commerce relationship with the customer {1}."),
    20003: Code(404, "The subscription {0} was not found."),
    27006: Code(400, "The use limit of the offer {0} is reached."),
    27007: Code(400, "The promotion {0} is not valid."),
    27009: Code(409, "The child subscription cannot be enabled while its parent is not active."),
    60002: Code(404, "The user {0} was not found."),
    60003: Code(404, "The tenant {0} was not found."),
    400013: Code(404, "The product {0} was not found."),
    400018: Code(404, "The SKU {0} was not found."),
    400019: Code(404, "The availability {0} was not found; read the catalog again."),
    400030: Code(403, "The target segment {0} is not allowed."),
    400036: Code(403, "The target view {0} is not allowed."),
    400041: Code(400, "The add-on {0} needs a base product that the customer does not own."),
    600002: Code(400, "An organizationRegistrationNumber is not taken for the country {0}."),
    600049: Code(400, "The organizationRegistrationNumber is missing."),
    600050: Code(400, "The organizationRegistrationNumber does not match {0}."),
    600051: Code(400, "The phoneNumber of the billing profile's default address is missing."),
    600061: Code(400, "The same agreement was already confirmed.", "PartnerConfirmedAgreementAlreadyExists"),
    600074: Code(404, "There is no account validation status for the customer {0}.", "AccountStatusNotFound"),
    800002: Code(400, "The request is not valid: {0}"),
    800003: Code(500, "An unexpected error occurred."),
    800004: Code(400, "The offer id {0} is not valid."),
    800008: Code(404, "The cart {0} was not found."),
    800018: Code(400, "The limit of the sandbox is reached: {0}."),
    800029: Code(400, "The add-on {0} does not belong to the parent subscription."),
    800036: Code(417, "The precondition failed."),
    800040: Code(400, "The status cannot change from {1} to {0}."),
    800042: Code(400, "This is not supported here: {0}."),
    800063: Code(400, "This order cannot be cancelled."),
    800065: Code(400, "The cart was already submitted."),
    800070: Code(400, "The offer {0} is not sold in the country {1}."),
    800073: Code(403, "The customer's account is under review."),
    800075: Code(403, "The customer's account was rejected; no transactions are possible."),
    800077: Code(400, "The order is past the time in which it may be cancelled."),
    800078: Code(400, "The subscription {0} is not valid for a transfer."),
    800082: Code(409, "The subscription is not ready to be changed; try again later."),
    800088: Code(403, "The seat limit of the product {0} would be exceeded; seats remaining: {1}."),
    800089: Code(403, "The customer may not hold more subscriptions of {0}."),
    800090: Code(400, "The quantity may not be reduced to {0}."),
    800091: Code(400, "A suspended subscription cannot be updated."),
    800093: Code(400, "Auto-renew cannot be changed on this subscription."),
    800096: Code(400, "The subscription cannot be changed while its status is {0}."),
    800111: Code(404, "The Azure entitlement {0} was not found."),
    900100: Code(404, "The transfer {0} was not found."),
    900101: Code(409, "A transfer of this kind is already in progress."),
    900102: Code(400, "The transfer cannot be processed: {0}"),
    900103: Code(500, "The transfer failed: {0}"),
    900104: Code(409, "{0} is being processed by another transfer request."),
    900115: Code(403, "The Azure plan has active subscriptions and cannot be suspended."),
    900117: Code(400, "The subscription can only be cancelled within {0} days of purchase or renewal."),
    900118: Code(400, "The customer id is not valid."),
    900126: Code(400, "The value {0} is not known."),
    900131: Code(400, "The target partner has active legacy Azure subscriptions for this customer."),
    900132: Code(400, "The target partner's Azure plan is not active."),
    900133: Code(400, "The target partner has no Azure plan for this customer."),
    900134: Code(400, "{0} is not available for a transfer."),
    900135: Code(500, "The transfer could not be started."),
    900136: Code(400, "The source partner has no contact to write to."),
    900137: Code(403, "The partner {0} is not enabled for transfers."),
    900138: Code(403, "Transfers are not supported in this national cloud."),
    900139: Code(403, "Azure items cannot be part of this transfer; try again without them."),
    900145: Code(400, "The reservation or savings plan {0} is not active."),
    900146: Code(400, "The Azure subscription {0} has marketplace items that cannot be moved."),
    900147: Code(400, "The domain {0} does not belong to a customer of the partner."),
    900148: Code(400, "The source and the target partner are the same."),
    900149: Code(403, "The status of the partner's program is not active."),
    900150: Code(403, "The role of the user lacks the right for this call."),
    900154: Code(400, "The PartnerID {0} is not linked to an active indirect reseller."),
    900159: Code(403, "The partner {0} has no relationship with the customer."),
    900169: Code(400, "The currency {0} belongs neither to the partner nor to the customer."),
    900203: Code(400, "The attestation of the offer {0} is missing."),
    900213: Code(400, "The subscription can only be cancelled within {0} hours of purchase or renewal."),
    900215: Code(400, "The subscription {0} is not active."),
    900216: Code(400, "The subscription {0} is being changed by another operation."),
    900217: Code(400, "The subscription {0} ends in less than 24 hours."),
    900218: Code(400, "The subscription {0} has a promotional offer."),
    900219: Code(400, "The add-ons of the subscription {0} cannot be migrated."),
    900220: Code(400, "There is no way to new commerce for the offer {0}."),
    900221: Code(400, "The subscription {0} cannot be combined in one migration."),
    900222: Code(400, "The term {0} with the billing cycle {1} is not offered."),
    900224: Code(400, "The migration {0} was not found."),
    900226: Code(403, "The subscription {0} has been active for one month or less."),
    900242: Code(400, "The custom term end date {0} is not allowed."),
    900247: Code(400, "The partner on record is not valid."),
    900248: Code(400, "The add-on {0} is listed twice."),
    900257: Code(400, "Seats can only be removed within {0} days of being added; removable now: {1}."),
    900262: Code(400, "The add-on {0} of the subscription is missing from the migration."),
    900263: Code(403, "This is not possible for a legacy subscription."),
    900275: Code(400, "The quantity {0} is out of range: it must lie between {1} and {2}."),
    900278: Code(409, "Another operation on the subscription is pending."),
    900279: Code(400, "A deleted subscription cannot be updated."),
    900291: Code(400, "The custom term end date lies outside the term."),
    900292: Code(400, "The custom term end date is not allowed."),
    900308: Code(403, "The caller's privileges are not sufficient."),
    900311: Code(400, "The subscription has been changed too often."),
    900329: Code(403, "This call needs a signed-in user; app-only tokens are not supported."),
    900400: Code(400, "The transfer request cannot be created: {0}"),
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
