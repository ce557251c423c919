"""How Partner Center's JSON is read and written (partnercenter room, wire): the parts all resources share.

Rules from core reference 2.2-2.4 and commerce reference 0.1: an optional byte order mark, camelCase that some answers
turn into PascalCase, dates with seven digits or without a zone or with stray spaces, ids in any case, enums that grow.
Unknown members are ignored by the models and survive in the raw bytes beside each value.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec
from msgspec import Raw, Struct

from tenantfold.errors import UnexpectedAnswerError

S = TypeVar("S")

JSON = "application/json"
_BOM = b"\xef\xbb\xbf"
_PASCAL_MEMBER = re.compile(rb'"[A-Z][A-Za-z]*"\s*:')
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SHOWN = 300  # characters of an unreadable answer that are kept in the facts


class Wire(Struct, rename="camel", kw_only=True, gc=False):
    """Base of all wire models: camelCase on the wire, unknown members ignored."""


class Header(Wire):
    """One header of a link."""

    key: str
    value: str


class Link(Wire):
    """Where something is: a relative uri, with or without ``/v1`` in front, and headers to send along."""

    uri: str
    headers: list[Header] | None = None


class PagingLinks(Wire):
    """The links of a collection; only the next page matters."""

    next: Link | None = None


class Attributes(Wire):
    """What every resource carries: its kind, and the eTag where concurrency applies."""

    etag: str | None = None


def without_bom(body: bytes) -> bytes:
    """The body without a byte order mark in front: what decoding as ``utf-8-sig`` would drop."""
    return body.removeprefix(_BOM)


def decode(document: bytes | Raw, model: type[S]) -> S:
    """Read a document as a model, whatever the case of its members; UnexpectedAnswerError when it is not one."""
    try:
        if not _PASCAL_MEMBER.search(document):
            return _decoder(model).decode(document)
    except msgspec.ValidationError:
        pass  # perhaps only a matter of case
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unreadable(document, _name(model), error) from error
    try:
        return _decode_any_case(document, model)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unreadable(document, _name(model), error) from error


def decode_items(body: bytes) -> tuple[list[Raw], Link | None]:
    """The items of a list, each with the bytes it came in, and the link to its next page.

    Bare arrays are lists without a next page (core reference 2.3). ``totalCount`` is never looked at: nobody says
    whether it counts the page or the whole.
    """
    if body.lstrip()[:1] == b"[":
        return slices(body, list[Raw]), None
    members = {name.lower(): member for name, member in slices(body, dict[str, Raw]).items()}
    if "items" not in members:
        raise unreadable(body, "list", KeyError("items"))
    links = members.get("links")
    paging = decode(links, PagingLinks | None) if links else None  # type: ignore[arg-type]  # mypy wants one class
    return slices(members["items"], list[Raw]), paging.next if paging else None


def slices(document: bytes | Raw, shape: type[S]) -> S:
    """Cut a document into the raw bytes of its parts, nothing re-encoded; UnexpectedAnswerError when it has none."""
    try:
        return _decoder(shape).decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unreadable(document, "JSON document", error) from error


def encode(value: object) -> bytes:
    """Write a model or plain mapping as JSON."""
    return msgspec.json.encode(value)


def unreadable(body: bytes | Raw, expected: str, error: Exception) -> UnexpectedAnswerError:
    """The error for an answer that could not be read, with its beginning in the facts."""
    beginning = bytes(body)[:_SHOWN].decode("utf-8", "replace")
    return UnexpectedAnswerError(
        f"Partner Center answered something that is no {expected}: {error}", expected=expected, answer=beginning
    )


def parse_time(text: str | None) -> datetime | None:
    """An aware UTC time; None for a missing, unreadable or null (year 1) one. No zone means UTC (core 2.3)."""
    if not text or text.startswith("0001-"):
        return None
    try:
        moment = datetime.fromisoformat(text.strip().replace(": ", ":"))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_day(text: str | None) -> date | None:
    """The UTC day of a time on the wire."""
    moment = parse_time(text)
    return moment.date() if moment else None


def wire_midnight(day: date) -> str:
    """A day as the wire writes it: midnight UTC with three digits (core reference 7)."""
    return f"{day:%Y-%m-%d}T00:00:00.000Z"


def lower_id(text: str | None) -> str:
    """An id of a tenant, customer or subscription: lower case."""
    return (text or "").strip().lower()


def lower_guid(text: str | None) -> str:
    """An order id: GUIDs lower case, the tokens of newer commerce as they are, because their case means something."""
    cleaned = (text or "").strip()
    return cleaned.lower() if _GUID.fullmatch(cleaned) else cleaned


def upper_guid(text: str | None) -> str:
    """An offer id: GUIDs upper case as in the catalog, catalog item ids as they are."""
    cleaned = (text or "").strip()
    return cleaned.upper() if _GUID.fullmatch(cleaned) else cleaned


def last_segment(link: Link | None) -> str:
    """The id at the end of a link's uri; empty without a link."""
    return unquote(link.uri.split("?")[0].rstrip("/").rsplit("/", 1)[-1]) if link else ""


def known_word(text: str | int | None, known: frozenset[str]) -> str:
    """An enum value: known ones in lower snake case however they are written, unknown ones as they are (R-227)."""
    if text is None:
        return ""
    cleaned = str(text).strip()
    if cleaned in known:
        return cleaned
    folded = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cleaned).lower().replace(" ", "_")
    return folded if folded in known else cleaned


_decoders: dict[object, msgspec.json.Decoder[Any]] = {}


def _decoder(model: type[S]) -> msgspec.json.Decoder[S]:
    decoder: msgspec.json.Decoder[S] | None = _decoders.get(model)
    if decoder is None:
        # numbers come as strings here and there; lax mode takes both
        decoder = _decoders[model] = msgspec.json.Decoder(model, strict=False)
    return decoder


def _name(model: object) -> str:
    return str(getattr(model, "__name__", model))


def _decode_any_case(body: bytes | Raw, model: type[S]) -> S:
    """Rename the members of the whole document to the case of our models, then read it."""
    folded = _fold(msgspec.json.decode(body), _member_names())
    return _decoder(model).decode(msgspec.json.encode(folded))


def _fold(value: object, names: dict[str, str]) -> object:
    if isinstance(value, dict):
        return {names.get(key.lower(), key): _fold(member, names) for key, member in value.items()}
    if isinstance(value, list):
        return [_fold(member, names) for member in value]
    return value


@cache
def _member_names() -> dict[str, str]:
    """Every member name of every wire model, by its lower-case form."""
    names: dict[str, str] = {}
    pending: list[type[Wire]] = [Wire]
    while pending:
        model = pending.pop()
        pending.extend(model.__subclasses__())
        names.update({field.encode_name.lower(): field.encode_name for field in msgspec.structs.fields(model)})
    return names
