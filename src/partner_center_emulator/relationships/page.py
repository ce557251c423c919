"""The page behind a relationship request link: sign in, read, tick, accept (core reference 6.2).

Plain HTML from the server: it works without JavaScript, everything from the world is escaped, and a strict
Content-Security-Policy allows nothing but the page's own style sheet. There are no passwords: a user name signs in.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec
from jinja2 import Environment, PackageLoader
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.graph import approval
from partner_center_emulator.relationships import models
from partner_center_emulator.relationships.models import AcceptanceRefusedError, AdminIndex, Refused
from partner_center_emulator.world import Customer, PartnerTenant

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STATUS = {Refused.NOT_GLOBAL_ADMIN: 403, Refused.OTHER_REGION: 403, Refused.ALREADY_CUSTOMER: 200}
_LISTED_ADMINS = 200


class _Visitor(msgspec.Struct, frozen=True):
    """Somebody who has signed in to answer a request, and the address that begins anew."""

    tenant: PartnerTenant
    customer: Customer
    user_name: str
    again: str


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("partner_center_emulator.relationships", "templates"), autoescape=True)


async def style(_emulator: Emulator, _request: Request) -> Response:
    """Return the page's style sheet."""
    return _asset("style.css", "text/css")


async def icon(_emulator: Emulator, _request: Request) -> Response:
    """Return the page's icon."""
    return _asset("icon.svg", "image/svg+xml")


def _asset(name: str, media_type: str) -> Response:
    text = files("partner_center_emulator.relationships").joinpath("templates", name).read_bytes()
    return Response(text, media_type=media_type, headers={"X-Content-Type-Options": "nosniff"})


async def show(emulator: Emulator, request: Request) -> Response:
    """Return step 1 (sign in), or the success page after an acceptance.

    Without a partner in the address it is the link of a delegated admin relationship, whose id is in the fragment.
    """
    if "partnerId" not in request.query_params and "invType" not in request.query_params:
        return await approval.landing(emulator, request)
    tenant = _tenant(emulator, request)
    if tenant is None:
        return _render("unknown.html", 404)
    accepted = request.query_params.get("accepted", "").lower()
    customer = emulator.world.customers.get(accepted)
    if customer is not None and f"{tenant.id}/{customer.id}" in emulator.world.relationships:
        return _render("accepted.html", 200, tenant=tenant, customer=customer)
    return _sign_in(emulator, request, tenant)


async def submit(emulator: Emulator, request: Request) -> Response:
    """Take a form: the user name leads to step 2, the ticked agreement to the acceptance."""
    tenant = _tenant(emulator, request)
    if tenant is None:
        return _render("unknown.html", 404)
    async with request.form() as form:
        given = {name: value for name, value in form.items() if isinstance(value, str)}
    user_name = given.get("user_name", "").strip()
    found = emulator.derived(AdminIndex).find(user_name) if user_name else None
    if found is None:
        error = "Enter your user name." if not user_name else "There is no such user. Check the spelling and try again."
        return _sign_in(emulator, request, tenant, error=error, user_name=user_name)
    customer, is_global_admin = found
    visitor = _Visitor(tenant, customer, user_name, f"{request.url.path}?{request.url.query}")
    reason = models.obstacle(emulator, tenant, customer, is_global_admin=is_global_admin)
    if reason is not None:
        return _refused(visitor, reason)
    if given.get("step") != "accept":
        return _agreement(visitor)
    if given.get("agreed") != "yes":
        return _agreement(visitor, error="Tick the box to accept the agreement.")
    return _accept(emulator, request, visitor)


def _accept(emulator: Emulator, request: Request, visitor: _Visitor) -> Response:
    try:
        reseller = _reseller(emulator, request, visitor.tenant)
        models.accept(emulator, visitor.tenant, visitor.customer, is_global_admin=True, reseller_id=reseller)
    except AcceptanceRefusedError as error:
        return _refused(visitor, error.reason)
    # answered with a redirect, so that a reload shows the page again and does not send the form again
    target = URL(str(request.url)).include_query_params(accepted=visitor.customer.id)
    return RedirectResponse(f"{target.path}?{target.query}", 303, _HEADERS)


def _tenant(emulator: Emulator, request: Request) -> PartnerTenant | None:
    if request.query_params.get("invType", "ResellerRelationship") != "ResellerRelationship":
        return None
    return emulator.world.partner_tenants.get(request.query_params.get("partnerId", "").lower())


def _reseller(emulator: Emulator, request: Request, tenant: PartnerTenant) -> str:
    """Return the indirect reseller named in the link if it is a partner of the tenant, else nothing."""
    named = request.query_params.get("msppId", "").lower()
    link = emulator.world.people.links.get(f"{tenant.id}/{named}")
    return named if link is not None and link.state == "Active" else ""


def _sign_in(
    emulator: Emulator, request: Request, tenant: PartnerTenant, *, error: str = "", user_name: str = ""
) -> Response:
    admins: list[Customer] = []
    if "help" in request.query_params:
        admins = sorted(emulator.world.customers.values(), key=lambda row: row.company_name)[:_LISTED_ADMINS]
    return _render(
        "sign_in.html", 422 if error else 200, tenant=tenant, error=error, user_name=user_name, admins=admins
    )


def _agreement(visitor: _Visitor, *, error: str = "") -> Response:
    return _render("agreement.html", 422 if error else 200, **msgspec.structs.asdict(visitor), error=error)


def _refused(visitor: _Visitor, reason: Refused) -> Response:
    return _render(
        "refused.html",
        _STATUS[reason],
        **msgspec.structs.asdict(visitor),
        reason=reason.value,
        tenant_region=models.region_of(visitor.tenant.address.country),
        customer_region=models.region_of(visitor.customer.address.country),
    )


def _render(name: str, status: int, **values: object) -> Response:
    return HTMLResponse(_templates().get_template(name).render(**values), status, _HEADERS)
