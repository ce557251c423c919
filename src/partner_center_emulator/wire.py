"""How Partner Center writes its JSON (wire room): links, attributes, collections, dates, casing, the BOM.

Rules from core reference 2.2 and 2.3 and commerce reference 0.1: camelCase out, any case in, nulls left out, times in
UTC with seven fraction digits, links relative and without ``/v1``.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import cast

import msgspec

Json = dict[str, object]

BOM = b"\xef\xbb\xbf"
NULL_TIME = "0001-01-01T00:00:00"


def wire_time(moment: datetime) -> str:
    """Return ``moment`` in UTC with seven fraction digits and a Z."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:-6] + "0Z"  # several times as fast as a format of our own


def wire_date(day: date) -> str:
    """Return ``day`` as the wire writes dates without a time: midnight UTC."""
    return f"{date.isoformat(day)}T00:00:00Z"  # of a datetime, too, only its day


def link(uri: str, method: str = "GET", headers: Sequence[tuple[str, str]] = ()) -> Json:
    """Return one Link; ``uri`` is relative and without ``/v1`` (the switch that adds it works on the whole answer)."""
    return {"uri": uri, "method": method, "headers": [{"key": key, "value": value} for key, value in headers]}


def self_link(uri: str) -> Json:
    """Return a ``links`` member that only knows the resource itself."""
    return {"self": {"uri": uri, "method": "GET", "headers": []}}


def attributes(object_type: str, etag: str | None = None) -> Json:
    """Return the ``attributes`` member; the etag stands only where concurrency applies."""
    if etag is None:
        return {"objectType": object_type}
    return {"etag": etag, "objectType": object_type}


def collection(
    items: Iterable[object],
    *,
    links: Json | None = None,
    total_count: int | None = None,
    continuation_token: str | None = None,
) -> Json:
    """Return the Collection envelope; ``total_count`` defaults to the number of items in this answer."""
    rows = list(items)
    body: Json = {"totalCount": len(rows) if total_count is None else total_count, "items": rows}
    if continuation_token is not None:
        body["continuationToken"] = continuation_token
    if links is not None:
        body["links"] = links
    body["attributes"] = {"objectType": "Collection"}
    return body


def without_nulls(members: Mapping[str, object]) -> Json:
    """Return ``members`` without those that are None: responses usually leave them out."""
    return {name: value for name, value in members.items() if value is not None}


def field(members: Mapping[str, object], name: str, default: object = None) -> object:
    """Return member ``name`` of a request object whatever its case; an exact match wins."""
    if name in members:
        return members[name]
    wanted = name.casefold()
    for key, value in members.items():
        if key.casefold() == wanted:
            return value
    return default


def text_field(members: Mapping[str, object], name: str, default: str = "") -> str:
    """Return member ``name`` as text; null, missing and other types give ``default``, numbers their digits."""
    value = field(members, name)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return default


def object_field(members: Mapping[str, object], name: str) -> Json:
    """Return member ``name`` if it is an object, else an empty one."""
    value = field(members, name)
    return cast("Json", value) if isinstance(value, dict) else {}


def pascal(value: object) -> object:
    """Return ``value`` with every member name in PascalCase, as audit records and some answers write it."""
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: pascal(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [pascal(inner) for inner in value]
    return value


def prefix_links(value: object) -> object:
    """Return ``value`` with ``/v1`` before every relative link: the quirk of November 2021 (core reference 2.3)."""
    if isinstance(value, dict):
        prefixed = {name: prefix_links(inner) for name, inner in value.items()}
        uri = prefixed.get("uri")
        if isinstance(uri, str) and uri.startswith("/") and not uri.startswith("/v1/") and "method" in prefixed:
            prefixed["uri"] = f"/v1{uri}"
        return prefixed
    if isinstance(value, list | tuple):
        return [prefix_links(inner) for inner in value]
    return value


def version_etag(resource_id: str, version: int) -> str:
    """Return the legacy etag: base64 of ``{"id":..,"version":..}`` (commerce reference 0.1)."""
    return base64.b64encode(msgspec.json.encode({"id": resource_id.lower(), "version": version})).decode()


def etag_version(etag: str, resource_id: str) -> int | None:
    """Return the version inside a legacy etag of ``resource_id``; None if it is none, or of another resource.

    Quotes around the etag are allowed: ``If-Match`` carries them.
    """
    try:
        members = msgspec.json.decode(base64.b64decode(etag.strip().strip('"'), validate=True))
    except (ValueError, msgspec.DecodeError):
        return None
    if not isinstance(members, dict) or str(members.get("id", "")).lower() != resource_id.lower():
        return None
    version = members.get("version")
    return version if isinstance(version, int) else None


def encode(body: object, *, bom: bool = False) -> bytes:
    """Return the bytes of a JSON answer, with a byte order mark where the emulated endpoint writes one."""
    text = msgspec.json.encode(body)
    return BOM + text if bom else text
