"""The pages a person meets when signing in: for an application (authorization code) and for a device code.

Plain HTML from the server without JavaScript; everything from the world and the address is escaped, and a strict
Content-Security-Policy applies. There are no passwords: a user name signs in, the second factor is a button.
"""

from __future__ import annotations

from functools import cache
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.signin import clouds, interactive
from partner_center_emulator.signin.interactive import Visit
from partner_center_emulator.signin.models import SignInError
from partner_center_emulator.state.people import AuthorizationCode

_MODES = frozenset({"query", "fragment", "form_post"})
_NO_USER = "There is no such user in this organization. Check the spelling and try again."


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What an application asks for in the address of the page."""

    tenant_name: str
    client_id: str
    redirect_uri: str
    state: str
    mode: str
    nonce: str
    challenge: str
    challenge_method: str
    hint: str


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("partner_center_emulator.signin", "templates"), autoescape=True)


async def show_authorize(emulator: Emulator, request: Request) -> Response:
    """Return step 1 of a sign-in for an application."""
    wish = _read(request)
    try:
        _check(emulator, request, wish)
    except SignInError as error:
        return _render("refused.html", 400, message=str(error))
    return _name_page(emulator, request, wish.redirect_uri, user_name=wish.hint)


async def submit_authorize(emulator: Emulator, request: Request) -> Response:
    """Take a form: the user name leads to the second factor, that to the application."""
    wish = _read(request)
    try:
        _check(emulator, request, wish)
    except SignInError as error:
        return _render("refused.html", 400, message=str(error))
    form = await _form(request)
    if form.get("step") == "cancel":
        return _return(wish, {"error": "access_denied", "error_description": "AADSTS65004: The person declined."})
    name = form.get("user_name", "")
    visit = interactive.find_person(emulator, wish.tenant_name, name, clouds.of_request(request))
    if visit is None:
        return _name_page(emulator, request, wish.redirect_uri, user_name=name, error=_NO_USER)
    if visit.user.has_mfa and form.get("step") not in {"approve", "skip"}:
        return _render("factor.html", 200, wish.redirect_uri, visit=visit, hidden={})
    code = AuthorizationCode(
        tenant_id=visit.tenant.id,
        object_id=visit.user.object_id,
        client_id=wish.client_id,
        redirect_uri=wish.redirect_uri,
        issued_at=emulator.clock.now(),
        with_mfa=visit.user.has_mfa and form.get("step") == "approve",
        nonce=wish.nonce,
        challenge=wish.challenge,
        challenge_method=wish.challenge_method,
    )
    return _return(wish, {"code": interactive.issue_code(emulator, code)})


def _read(request: Request) -> _Wish:
    given = request.query_params
    return _Wish(
        tenant_name=request.path_params["tenant"],
        client_id=given.get("client_id", ""),
        redirect_uri=given.get("redirect_uri", ""),
        state=given.get("state", ""),
        mode=given.get("response_mode", "query"),
        nonce=given.get("nonce", ""),
        challenge=given.get("code_challenge", ""),
        challenge_method=given.get("code_challenge_method", "plain"),
        hint=given.get("login_hint", ""),
    )


def _check(emulator: Emulator, request: Request, wish: _Wish) -> None:
    interactive.check_request(emulator, wish.tenant_name, wish.client_id, wish.redirect_uri, clouds.of_request(request))
    if request.query_params.get("response_type", "") != "code":
        raise SignInError(700054, "unsupported_response_type", "The response_type must be code.")
    if wish.mode not in _MODES:
        raise SignInError(70007, "unsupported_response_mode", f"'{wish.mode}' is not a supported response_mode.")


def _return(wish: _Wish, values: dict[str, str]) -> Response:
    """Send the browser back to the application with the code or the refusal."""
    values = values | ({"state": wish.state} if wish.state else {})
    if wish.mode == "form_post":
        return _render("post_back.html", 200, wish.redirect_uri, target=wish.redirect_uri, values=values)
    parts = urlsplit(wish.redirect_uri)
    if wish.mode == "fragment":
        parts = parts._replace(fragment=urlencode(values))
    else:
        parts = parts._replace(query=urlencode([*parse_qsl(parts.query), *values.items()]))
    return RedirectResponse(parts.geturl(), 303, _headers(wish.redirect_uri))


async def show_device(_emulator: Emulator, _request: Request) -> Response:
    """Return the page that asks for the code shown on the device."""
    return _render("device.html", 200)


async def submit_device(emulator: Emulator, request: Request) -> Response:
    """Take a form: code, then user name, then the second factor."""
    form = await _form(request)
    device = interactive.find_device(emulator, form.get("code", ""))
    if device is None:
        return _render("device.html", 422, error="That code did not work. Check it, or begin anew on your device.")
    hidden = {"code": device.user_code}
    if form.get("step") == "cancel":
        device.status = "declined"
        return _render("done.html", 200, accepted=False)
    if "user_name" not in form:
        return _name_page(emulator, request, hidden=hidden, tenant_name=device.tenant_name)
    name = form["user_name"]
    visit = interactive.find_person(emulator, device.tenant_name, name, clouds.of_request(request))
    if visit is None:
        return _name_page(
            emulator, request, hidden=hidden, user_name=name, error=_NO_USER, tenant_name=device.tenant_name
        )
    if visit.user.has_mfa and form.get("step") not in {"approve", "skip"}:
        return _render("factor.html", 200, visit=visit, hidden=hidden)
    device.tenant_id, device.object_id = visit.tenant.id, visit.user.object_id
    device.with_mfa = visit.user.has_mfa and form.get("step") == "approve"
    device.status = "approved"
    return _render("done.html", 200, accepted=True)


async def _form(request: Request) -> dict[str, str]:
    async with request.form() as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _name_page(
    emulator: Emulator,
    request: Request,
    redirect_uri: str = "",
    *,
    hidden: dict[str, str] | None = None,
    user_name: str = "",
    error: str = "",
    tenant_name: str = "",
) -> Response:
    people: list[Visit] = []
    if "help" in request.query_params:
        wanted = tenant_name or request.path_params.get("tenant", "")
        cloud = clouds.of_request(request)
        for tenant in emulator.world.partner_tenants.values():
            found = (
                interactive.find_person(emulator, wanted, user.user_principal_name, cloud) for user in tenant.users
            )
            people.extend(visit for visit in found if visit is not None and visit.tenant is tenant)
    return _render(
        "name.html",
        422 if error else 200,
        redirect_uri,
        hidden=hidden or {},
        user_name=user_name,
        error=error,
        people=people,
    )


def _headers(redirect_uri: str = "") -> dict[str, str]:
    # browsers apply form-action to the redirect that answers a form, so the application's own address must be named
    parts = urlsplit(redirect_uri)
    target = f" {parts.scheme}://{parts.netloc}" if parts.netloc and parts.scheme in {"http", "https"} else ""
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{target}; base-uri 'none'; "
            "frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _render(name: str, status: int, redirect_uri: str = "", **values: object) -> Response:
    return HTMLResponse(_templates().get_template(name).render(**values), status, _headers(redirect_uri))
