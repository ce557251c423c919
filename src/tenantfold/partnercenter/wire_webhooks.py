"""Webhooks on the wire (partnercenter room, wire): registrations, test events, and what a delivery looks like.

Core reference 9.4. Members are in PascalCase here, and the path begins with ``/webhooks`` instead of ``/v1``.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Struct

from tenantfold.domain.model import CustomerId
from tenantfold.domain.webhooks import Delivery, ProbeOutcome, Registration
from tenantfold.errors import SignatureError
from tenantfold.partnercenter.wire import Wire, decode, encode, slices

_SIGNATURE = re.compile(r"signature\s+(\S+)", re.IGNORECASE)
_CUSTOMER = re.compile(
    r"/customers/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:[/?#]|$)", re.IGNORECASE
)
_LONGEST_NAME = 100  # characters of an event's name that are kept


class RegistrationBody(Struct, rename="pascal", kw_only=True):
    """A registration to make. The signature comes in a header of its own: proxies like to eat ``Authorization``."""

    webhook_url: str
    webhook_events: list[str]
    signature_token_to_ms_signature_header: bool = True


class RegistrationAnswer(Wire):
    """A registration as it is."""

    webhook_url: str
    webhook_events: list[str] | None = None


class ProbeAsked(Wire):
    """The answer to asking for a test event."""

    correlation_id: str


class ProbeAttempt(Wire):
    """One attempt to deliver a test event."""

    response_code: str | int | None = None
    response_message: str | None = None


class ProbeReport(Wire):
    """How a test event went."""

    status: str | None = None
    results: list[ProbeAttempt] | None = None


class EventBody(Wire):
    """What is posted. Some events lack the address of their resource."""

    event_name: str
    resource_uri: str | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """What the headers of a delivery say: who signed it, and how."""

    signature: bytes
    certificate_url: str
    algorithm: str


def registration_body(wish: Registration) -> bytes:
    """The body that registers."""
    return encode(RegistrationBody(webhook_url=wish.url, webhook_events=list(wish.events)))


def read_registration(body: bytes) -> Registration:
    """A registration; UnexpectedAnswerError when it is none."""
    answer = decode(body, RegistrationAnswer)
    return Registration(url=answer.webhook_url, events=tuple(answer.webhook_events or ()))


def read_event_names(body: bytes) -> tuple[str, ...]:
    """The names of events: a bare array."""
    return tuple(slices(body, list[str]))


def read_test_asked(body: bytes) -> str:
    """The id under which the outcome of a test event is found."""
    return decode(body, ProbeAsked).correlation_id


def read_test_report(body: bytes) -> ProbeOutcome:
    """How a test event went; a status nobody knows is kept as it is."""
    report = decode(body, ProbeReport)
    answers = [f"{one.response_code or ''} {one.response_message or ''}".strip() for one in report.results or ()]
    return ProbeOutcome(status=(report.status or "").strip().lower(), answers=tuple(answers))


def signed_by(headers: Mapping[str, str]) -> Signed:
    """The signature of a delivery, from headers with lower-case names. SignatureError names what is missing."""
    match = _SIGNATURE.fullmatch(headers.get("authorization", "").strip())
    text = headers.get("x-ms-signature", "").strip() or (match[1] if match else "")
    url = headers.get("x-ms-certificate-url", "").strip()
    algorithm = headers.get("x-ms-signature-algorithm", "").strip().lower()
    for value, what in ((text, "signature"), (url, "address of a certificate"), (algorithm, "name of an algorithm")):
        if not value:
            raise SignatureError(f"The delivery carries no {what}.", reason="unsigned")
    try:
        signature = base64.b64decode(text.removeprefix("Signature "), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError("The signature of the delivery is not base64.", reason="unreadable") from None
    return Signed(signature=signature, certificate_url=url, algorithm=algorithm)


def read_delivery(body: bytes) -> Delivery:
    """What a delivery says; UnexpectedAnswerError when it is no event."""
    event = decode(body, EventBody)
    found = _CUSTOMER.search(event.resource_uri or "")
    customer_id = CustomerId(found[1].lower()) if found else None
    return Delivery(event=event.event_name.strip()[:_LONGEST_NAME], customer_id=customer_id)
