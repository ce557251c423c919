"""The page behind the approval link of a delegated admin relationship (core reference 8).

The published link carries the id in its fragment, which no server sees. A page of a few lines of script sends the
browser on; without JavaScript a person pastes the link into a field. The approval itself is plain HTML.
"""

from __future__ import annotations

from functools import cache
from urllib.parse import quote

import msgspec
from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from partner_center_emulator import control
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError
from partner_center_emulator.graph import gdap
from partner_center_emulator.state.gdap import GdapRelationship

FOLDER = "/Adminportal/partners/invitation/granularAdminRelationships"
TEMPLATE = f"{FOLDER}/{{relationship}}"
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; {}form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_SCRIPT = """const found = location.hash.match(/granularAdminRelationships\\/([0-9a-f-]+)/i);
if (found) { location.replace("%s/" + found[1]); }
"""

behaviour(
    f"GET {TEMPLATE}",
    source="documented",
    page="core 8",
    note="The customer's Global admin approves a relationship that is locked for approval; the link has the "
    "relationship's id in its fragment",
)


class ApproveOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Which customer approves; empty: the one the relationship was offered to."""

    customer: str = ""


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("partner_center_emulator.graph", "templates"), autoescape=True)


async def landing(_emulator: Emulator, request: Request) -> Response:
    """Return the page that reads the id from the fragment, or takes a pasted link."""
    pasted = request.query_params.get("link", "").rstrip("/").rpartition("/")[2]
    if pasted:
        return RedirectResponse(f"{FOLDER}/{quote(pasted, safe='')}", 303, _headers())
    return _render("landing.html", 200, script=True, folder=FOLDER)


async def script(_emulator: Emulator, _request: Request) -> Response:
    """Return the few lines that send the browser from the fragment to the page."""
    headers = {"X-Content-Type-Options": "nosniff"}
    return Response(_SCRIPT % FOLDER, media_type="text/javascript", headers=headers)


async def show(emulator: Emulator, request: Request) -> Response:
    """Return the request with a form for the user name, or what became of it."""
    relationship = _find(emulator, request)
    if relationship is None:
        return _render("gone.html", 404)
    if relationship.status != "approvalPending":
        return _render("answered.html", 200, relationship=relationship)
    return _ask(emulator, relationship)


async def submit(emulator: Emulator, request: Request) -> Response:
    """Approve in the name of the customer's Global admin; says why not otherwise."""
    # imported here, because the relationships' page leads to this one
    from partner_center_emulator.relationships.models import AdminIndex  # noqa: PLC0415 - see above

    relationship = _find(emulator, request)
    if relationship is None:
        return _render("gone.html", 404)
    async with request.form() as form:
        given = {name: value for name, value in form.items() if isinstance(value, str)}
    name = given.get("user_name", "").strip()
    found = emulator.derived(AdminIndex).find(name) if name else None
    if found is None:
        return _ask(emulator, relationship, "There is no such user. Check the spelling and try again.", name)
    customer, is_global_admin = found
    if not is_global_admin:
        return _ask(emulator, relationship, "Only a Global admin of your organization can approve.", name)
    if given.get("agreed") != "yes":
        return _ask(emulator, relationship, "Tick the box to approve the roles.", name)
    try:
        gdap.approve(emulator, relationship, customer)
    except ApiError as error:
        return _ask(emulator, relationship, error.description, name)
    return RedirectResponse(request.url.path, 303, _headers())


def _find(emulator: Emulator, request: Request) -> GdapRelationship | None:
    found = emulator.world.gdap.relationships.get(request.path_params["relationship"].lower())
    return None if found is None or found.status == "created" else found


def _ask(emulator: Emulator, relationship: GdapRelationship, error: str = "", user_name: str = "") -> Response:
    tenant = emulator.world.partner_tenants[relationship.tenant_id]
    status = 422 if error else 200
    return _render("ask.html", status, relationship=relationship, tenant=tenant, error=error, user_name=user_name)


def _headers(*, script: bool = False) -> dict[str, str]:
    return {
        "Content-Security-Policy": _POLICY.format("script-src 'self'; " if script else ""),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _render(name: str, status: int, *, script: bool = False, **values: object) -> Response:
    return HTMLResponse(_templates().get_template(name).render(**values), status, _headers(script=script))


@control.guarded
async def approve_by_hand(emulator: Emulator, request: Request) -> object:
    """Let a customer approve a relationship without the page."""
    order = await control.read_order(request, ApproveOrder)
    relationship = emulator.world.gdap.relationships.get(request.path_params["relationship"].lower())
    if relationship is None:
        raise control.ControlError("There is no such delegated admin relationship.", 404)
    customer = control.find_customer(emulator, order.customer or relationship.customer_id)
    try:
        gdap.approve(emulator, relationship, customer)
    except ApiError as error:
        raise control.ControlError(error.description) from error
    return {"id": relationship.id, "status": relationship.status}
