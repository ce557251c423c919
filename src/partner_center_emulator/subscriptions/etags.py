"""Optimistic locking of orders and subscriptions (wire room): 400 code 2055 for a stale etag (commerce 0.1)."""

from __future__ import annotations

from collections.abc import Mapping

from partner_center_emulator.errors import refusal
from partner_center_emulator.wire import etag_version, object_field, text_field


def check_etag(members: Mapping[str, object], headers: Mapping[str, str], resource_id: str, version: int) -> None:
    """Raise 400 code 2055 if the caller's etag is of another version.

    ``If-Match`` counts before the body's ``attributes.etag``; without either the change is accepted, as samples show
    (commerce 0.1). ``*`` in the header matches everything.
    """
    sent = headers.get("if-match", "") or text_field(object_field(members, "attributes"), "etag")
    if not sent or sent.strip() == "*":
        return
    if etag_version(sent, resource_id) != version:
        raise refusal(2055)
