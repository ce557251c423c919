"""Building the OpenAPI 3.1 document from the route tables (report room)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

import msgspec

from partner_center_emulator import coverage
from partner_center_emulator.openapi import envelopes
from partner_center_emulator.openapi.envelopes import GUID_PATTERN, Json
from partner_center_emulator.openapi.operation import FORM, Operation, Table
from partner_center_emulator.openapi.table_commerce import CATALOG, MONEY, MOVES, ORDERS, SUBSCRIPTIONS
from partner_center_emulator.openapi.table_neighbors import CONTROL, GRAPH, PEOPLE, SERVICES, SIGN_IN
from partner_center_emulator.openapi.table_people import CUSTOMERS, PARTNER
from partner_center_emulator.requests import Page, Route

_AREAS: dict[str, Table] = {
    "Customers": CUSTOMERS,
    "Partner": PARTNER,
    "Catalog": CATALOG,
    "Orders": ORDERS,
    "Subscriptions": SUBSCRIPTIONS,
    "Transfers and migrations": MOVES,
    "Invoices and usage": MONEY,
    "Graph": GRAPH,
    "Service requests and webhooks": SERVICES,
    "Sign-in": SIGN_IN,
    "Pages for people": PEOPLE,
    "Control plane": CONTROL,
}
_GUIDS = frozenset(
    {"customer", "subscription", "cart", "transfer", "entitlement", "user", "correlation", "migration", "schedule"}
)
_REFERENCE = "#/components/schemas/{name}"
_JSON = "application/json"
_HEADERS = ("MS-RequestId", "MS-CorrelationId", "MS-CV", "MS-ServerId", "Date")
_UNDESCRIBED = ("Not described", Operation(dict[str, object]))
_PHRASES = {200: "Success.", 201: "Created.", 202: "Accepted; it is under way.", 204: "Done.", 303: "Go there."}


def _anything(kind: type) -> Json:
    """Return the schema of members whose values are not described; raises TypeError for other foreign types."""
    if kind is object:
        return {"description": "Anything."}
    raise TypeError(f"There is no schema for {kind}.")


class _Shapes:
    """Turns shapes into schemas and keeps the named ones for the components."""

    def __init__(self, kinds: Iterable[object]) -> None:
        wanted = [kind for kind in kinds if kind is not None]
        made, self.components = msgspec.json.schema_components(wanted, schema_hook=_anything, ref_template=_REFERENCE)
        self._schemas = {str(kind): schema for kind, schema in zip(wanted, made, strict=True)}

    def schema(self, kind: object) -> Json:
        return self._schemas[str(kind)]


def operations() -> dict[str, tuple[str, Operation]]:
    """Return what is known of every route, by its key: the area and the operation."""
    return {key: (area, entry) for area, table in _AREAS.items() for key, entry in table.items()}


def document(routes: Iterable[Route | Page], base_url: str = "http://127.0.0.1:8700") -> Json:
    """Return the description of ``routes``; one that no table knows is there too, with anything as its answer."""
    known = operations()
    entries = [entry for _, entry in known.values()]
    errors = (envelopes.ErrorA, envelopes.ErrorB, envelopes.ErrorC, envelopes.GraphError, envelopes.SignInRefusal)
    kinds: list[object] = [dict[str, object]]
    kinds += [kind for entry in entries for kind in (entry.answer, entry.body, *entry.others.values())]
    shapes = _Shapes((*kinds, *errors, envelopes.ControlRefusal))
    paths: dict[str, Json] = {}
    for route in routes:
        area, entry = known.get(route.key, _UNDESCRIBED)
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route, area, entry, shapes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Partner Center emulator",
            "version": "1",
            "description": "What the emulator answers. Unknown members are accepted and may be added; member names of "
            "request bodies match in any case. An answer may begin with a byte order mark.",
        },
        "servers": [{"url": base_url}],
        "tags": [{"name": area} for area in _AREAS],
        "paths": paths,
        "components": {"schemas": shapes.components, "securitySchemes": _schemes(base_url)},
    }


def _schemes(base_url: str) -> Json:
    token_url = f"{base_url}/organizations/oauth2/v2.0/token"
    flows = {
        "clientCredentials": {"tokenUrl": token_url, "scopes": {}},
        "authorizationCode": {
            "authorizationUrl": f"{base_url}/organizations/oauth2/v2.0/authorize",
            "tokenUrl": token_url,
            "refreshUrl": token_url,
            "scopes": {},
        },
    }
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {
        "partner": {**bearer, "description": "A token for Partner Center, app-only where the call allows it."},
        "graph": {**bearer, "description": "A token for Graph."},
        "signIn": {"type": "oauth2", "flows": flows},
    }


def _operation(route: Route | Page, area: str, entry: Operation, shapes: _Shapes) -> Json:
    made: Json = {
        "operationId": _operation_id(route),
        "tags": [area],
        "summary": (route.handler.__doc__ or route.key).strip().splitlines()[0],
        "parameters": _parameters(route, entry),
        "responses": _responses(route, entry, shapes),
    }
    sources = [row for row in coverage.behaviours() if row.route == route.key]
    if sources:
        made["description"] = "\n".join(f"- {row.source} ({row.page}): {row.note}" for row in sources)
    if entry.body is not None:
        media = FORM if entry.form else _JSON
        made["requestBody"] = {"content": {media: {"schema": shapes.schema(entry.body)}}, "required": True}
    if isinstance(route, Route):
        scheme = "graph" if route.audience == "graph" else "partner"
        made["security"] = [{scheme: []}]
        made["x-app-only"] = route.auth == "AO"
        made["x-throttle-key"] = route.resource
    return made


def _operation_id(route: Route | Page) -> str:
    words = re.findall(r"[A-Za-z0-9]+", route.template)
    return "_".join((route.method.lower(), *words))


def _parameters(route: Route | Page, entry: Operation) -> list[Json]:
    found: list[Json] = []
    for name in re.findall(r"\{(\w+)\}", route.template):
        shape: Json = {"type": "string", "minLength": 1}
        if name in _GUIDS and not route.template.startswith("/_emulator"):
            shape = {"type": "string", "pattern": GUID_PATTERN}
        found.append({"name": name, "in": "path", "required": True, "schema": shape})
    found.extend({"name": name, "in": "query", "schema": {"type": "string"}} for name in entry.query)
    if isinstance(route, Route) and route.audience == "partner":
        names = ["MS-RequestId", "MS-CorrelationId"]
        names += ["MS-ContinuationToken"] if entry.seeks else []
        names += ["If-Match"] if route.method in {"PATCH", "PUT"} else []
        found.extend({"name": name, "in": "header", "schema": {"type": "string"}} for name in names)
    return found


def _responses(route: Route | Page, entry: Operation, shapes: _Shapes) -> Json:
    made = {"default": _errors(route, shapes)}
    for status, kind in {entry.status: entry.answer, **entry.others}.items():
        answer: Json = {"description": _PHRASES[status]}
        if kind is not None:
            content: Json = {} if entry.media != _JSON else {"schema": shapes.schema(kind)}
            answer["content"] = {entry.media: content}
        if isinstance(route, Route):
            answer["headers"] = {name: {"schema": {"type": "string"}} for name in _HEADERS}
        made[str(status)] = answer
    if isinstance(route, Route) and route.resource is not None:
        limited = _errors(route, shapes)
        limited["description"] = "Too many calls in this minute."
        limited["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 0}}}
        made["429"] = limited
    return cast("Json", made)


def _errors(route: Route | Page, shapes: _Shapes) -> Json:
    if route.method == "HEAD":
        return {"description": "No; HEAD never has a body."}
    if isinstance(route, Route):
        kinds: tuple[object, ...] = (envelopes.ErrorA, envelopes.ErrorB, envelopes.ErrorC)
        kinds = (envelopes.GraphError, envelopes.ErrorC) if route.audience == "graph" else kinds
    elif route.template.startswith("/_emulator/ui") or route.key in PEOPLE or route.template.endswith("authorize"):
        return {"description": "A page that says what is wrong.", "content": {"text/html": {}, "text/plain": {}}}
    elif route.key in SIGN_IN:
        kinds = (envelopes.SignInRefusal,)
    else:
        kinds = (envelopes.ControlRefusal,)
    schema = {"anyOf": [shapes.schema(kind) for kind in kinds]}
    return {"description": "A refusal, in one of its forms.", "content": {_JSON: {"schema": schema}}}
