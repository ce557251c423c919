"""What one route of the description says beyond its path (report room)."""

from __future__ import annotations

import msgspec

HTML = "text/html"
FORM = "application/x-www-form-urlencoded"
PDF = "application/pdf"


class Operation(msgspec.Struct, frozen=True):
    """One call: the shape of its success, its status, the shape of its body, its query parameters.

    ``answer`` None is a success without a body; ``others`` are further successes by status; ``media`` is the media type
    of the success, ``form`` whether the body is an HTML form; ``seeks`` whether it pages with MS-ContinuationToken.
    """

    answer: object = None
    status: int = 200
    body: object = None
    query: tuple[str, ...] = ()
    others: dict[int, object] = {}
    media: str = "application/json"
    form: bool = False
    seeks: bool = False


Table = dict[str, Operation]
