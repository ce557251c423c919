"""Service requests on the wire (partnercenter room, wire). Core reference 9.2: status and severity may be numbers."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Raw

from tenantfold.domain.requests import ServiceRequest, ServiceRequestId, ServiceRequestState, ServiceRequestWish
from tenantfold.partnercenter.wire import Wire, decode, encode, known_word, parse_time

_BY_NUMBER = ("none", "open", "closed", "attention_needed")
_STATES = {
    "none": ServiceRequestState.OPEN,
    "open": ServiceRequestState.OPEN,
    "closed": ServiceRequestState.CLOSED,
    "attention_needed": ServiceRequestState.ATTENTION_NEEDED,
}


class RequestNote(Wire):
    """One note on a request."""

    text: str | None = None


class ServiceRequestItem(Wire):
    """A service request; lists leave text and notes out."""

    id: str
    title: str | None = None
    status: str | int | None = None
    created_date: str | None = None
    notes: list[RequestNote] | None = None


class SupportTopic(Wire):
    """What a request may be about."""

    id: str
    name: str | None = None


class NewRequest(Wire):
    """The body of a new request."""

    title: str
    description: str
    severity: str
    support_topic_id: str


def read_request(document: bytes | Raw) -> ServiceRequest:
    """A service request; a status nobody knows is kept."""
    item = decode(document, ServiceRequestItem)
    status = _status(item.status)
    return ServiceRequest(
        id=ServiceRequestId(item.id.strip()),
        title=item.title or "",
        status=status,
        state=_STATES.get(status, ServiceRequestState.UNKNOWN),
        created_at=parse_time(item.created_date),
        notes=tuple(note.text for note in item.notes or () if note.text),
    )


def _status(word: str | int | None) -> str:
    text = str(word if word is not None else "")
    if text.isdigit():
        return _BY_NUMBER[int(text)] if int(text) < len(_BY_NUMBER) else text
    return known_word(text, frozenset(_STATES))


def read_topic(document: bytes | Raw) -> SupportTopic:
    """One support topic."""
    return decode(document, SupportTopic)


def topic_for(topics: Iterable[SupportTopic], words: str) -> str:
    """The id of the topic whose name holds all these words; empty where there is none: Microsoft chooses then."""
    wanted = words.lower().split()
    return next((one.id for one in topics if all(word in (one.name or "").lower() for word in wanted)), "")


def request_body(wish: ServiceRequestWish, topic_id: str) -> bytes:
    """The body of a new request."""
    return encode(
        NewRequest(title=wish.title, description=wish.description, severity=wish.severity, support_topic_id=topic_id)
    )
