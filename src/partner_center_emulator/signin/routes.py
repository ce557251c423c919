"""HTTP of the token endpoints: form in, token or Entra error out (core reference 1.3, 1.4)."""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request
from starlette.responses import Response

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.requests import Page, Route
from partner_center_emulator.signin import clouds, discovery, interactive, models, page, reports, revocation
from partner_center_emulator.signin.models import Grant, Session, SignInError
from partner_center_emulator.wire import Json, encode, without_nulls
from partner_center_emulator.world import PartnerTenant

_SCOPE_ENDS = ("/.default", "/user_impersonation")
_DEVICE_GRANTS = frozenset({"urn:ietf:params:oauth:grant-type:device_code", "device_code"})
_PLAIN_SCOPES = frozenset({"openid", "profile", "offline_access", "email"})


async def token_v1(emulator: Emulator, request: Request) -> Response:
    """Issue a token for ``resource``; numbers in the answer are strings."""
    form = await _form(request)
    try:
        return _answer(_v1_body(_grant(emulator, request, form, form.get("resource", ""))))
    except SignInError as error:
        return refused(emulator, error)


async def token_v2(emulator: Emulator, request: Request) -> Response:
    """Issue a token for the resource named in ``scope``."""
    form = await _form(request)
    try:
        return _answer(_v2_body(_grant(emulator, request, form, _resource_of(form.get("scope", "")))))
    except SignInError as error:
        return refused(emulator, error)


async def _form(request: Request) -> dict[str, str]:
    async with request.form() as form:
        members = {name: value for name, value in form.items() if isinstance(value, str)}
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return members
        members.setdefault("client_id", client_id)
        members.setdefault("client_secret", secret)
    return members


def _grant(emulator: Emulator, request: Request, form: dict[str, str], resource: str) -> Grant:
    kind = form.get("grant_type")
    if not kind:
        raise SignInError(900144, "invalid_request", "The body must contain the parameter 'grant_type'.")
    if kind == "authorization_code":
        return _grant_code(emulator, request, form, resource)
    if kind in _DEVICE_GRANTS:
        return _grant_device(emulator, request, form, resource)
    if kind not in {"client_credentials", "refresh_token"}:
        raise SignInError(70003, "unsupported_grant_type", f"The grant type '{kind}' is not supported here.")
    refresh = form.get("refresh_token", "")
    tenant = _tenant(emulator, request, _tenant_of_refresh(emulator, refresh))
    app = models.find_app(emulator, tenant, form.get("client_id", ""), form.get("client_secret", ""))
    if kind == "client_credentials":
        return models.grant_app(emulator, tenant, app, resource)
    return models.grant_refresh(emulator, tenant, app, resource, refresh, openid=_wants_identity(form))


def _grant_code(emulator: Emulator, request: Request, form: dict[str, str], resource: str) -> Grant:
    client_id = form.get("client_id", "")
    known = emulator.world.people.codes.get(form.get("code", ""))
    tenant = _tenant(emulator, request, known.tenant_id if known else "")
    app = models.find_app(emulator, tenant, client_id, form.get("client_secret", ""))
    models.check_resource(emulator, resource)  # before the code is used up
    code = interactive.redeem_code(emulator, client_id, form)
    user = models.find_user(tenant, code.object_id)
    if user is None or code.tenant_id != tenant.id:
        raise SignInError(70000, "invalid_grant", "The code belongs to a user of another tenant.")
    session = Session(tenant, user, app, resource, code.with_mfa, _wants_identity(form), code.nonce)
    return models.grant_user(emulator, session)


def _grant_device(emulator: Emulator, request: Request, form: dict[str, str], resource: str) -> Grant:
    client_id = form.get("client_id", "")
    cloud = clouds.of_request(request)
    models.find_registration(emulator, request.path_params["tenant"], client_id, cloud)
    models.check_resource(emulator, resource)
    device = interactive.redeem_device(emulator, client_id, form.get("device_code") or form.get("code", ""))
    tenant = models.find_tenant(emulator.world, device.tenant_id, cloud)
    app = models.find_app(emulator, tenant, client_id, form.get("client_secret", ""))
    user = models.find_user(tenant, device.object_id)
    if user is None:
        raise SignInError(50020, "invalid_grant", "The user is no longer in the tenant.")
    return models.grant_user(emulator, Session(tenant, user, app, resource, device.with_mfa, _wants_identity(form)))


def _tenant(emulator: Emulator, request: Request, known_id: str) -> PartnerTenant:
    """Return the tenant in the path; organizations stands for the one already known from a code or token."""
    name = request.path_params["tenant"]
    if name.lower() in interactive.ANY_TENANT and known_id:
        name = known_id
    return models.find_tenant(emulator.world, name, clouds.of_request(request))


def _tenant_of_refresh(emulator: Emulator, text: str) -> str:
    token = emulator.world.refresh_tokens.get(text)
    return token.tenant_id if token else ""


def _wants_identity(form: dict[str, str]) -> bool:
    return "openid" in form.get("scope", "").split()


async def device_v1(emulator: Emulator, request: Request) -> Response:
    """Begin a device sign-in; numbers in the answer are strings."""
    return await _device(emulator, request, is_v1=True)


async def device_v2(emulator: Emulator, request: Request) -> Response:
    """Begin a device sign-in."""
    return await _device(emulator, request, is_v1=False)


async def _device(emulator: Emulator, request: Request, *, is_v1: bool) -> Response:
    form = await _form(request)
    tenant_name, client_id, cloud = request.path_params["tenant"], form.get("client_id", ""), clouds.of_request(request)
    try:
        models.find_registration(emulator, tenant_name, client_id, cloud)
        resource = form.get("resource", "") if is_v1 else _resource_of(form.get("scope", ""))
        models.check_resource(emulator, resource)
    except SignInError as error:
        return refused(emulator, error)
    code, device = interactive.start_device(emulator, tenant_name, client_id)
    address = f"{emulator.options.base_url}{clouds.prefix_of(cloud)}/devicelogin"
    body: Json = {
        "user_code": device.user_code,
        "device_code": code,
        ("verification_url" if is_v1 else "verification_uri"): address,
        "message": f"To sign in, open the page {address} and enter the code {device.user_code}.",
    }
    numbers = {"expires_in": interactive.DEVICE_SECONDS, "interval": interactive.POLL_SECONDS}
    return _answer(body | {name: str(value) if is_v1 else value for name, value in numbers.items()})


def _resource_of(scope: str) -> str:
    for word in scope.split():
        for end in _SCOPE_ENDS:
            if word.endswith(end):
                return word.removesuffix(end)
        if word not in _PLAIN_SCOPES:
            return word
    return ""


def _v1_body(grant: Grant) -> Json:
    return without_nulls(
        {
            "token_type": "Bearer",
            "scope": grant.scope or None,
            "expires_in": str(models.ACCESS_SECONDS - 1),
            "ext_expires_in": str(models.ACCESS_SECONDS - 1),
            "expires_on": str(grant.issued_at + models.ACCESS_SECONDS),
            "not_before": str(grant.issued_at),
            "resource": grant.resource,
            "access_token": grant.access_token,
            "refresh_token": grant.refresh_token,
            "id_token": grant.id_token,
        }
    )


def _v2_body(grant: Grant) -> Json:
    scope = f"{grant.resource}/{grant.scope}" if grant.scope else None
    return without_nulls(
        {
            "token_type": "Bearer",
            "scope": scope,
            "expires_in": models.ACCESS_SECONDS - 1,
            "ext_expires_in": models.ACCESS_SECONDS - 1,
            "access_token": grant.access_token,
            "refresh_token": grant.refresh_token,
            "id_token": grant.id_token,
        }
    )


def _answer(body: Json) -> Response:
    return Response(
        encode(body), media_type="application/json", headers={"Cache-Control": "no-store", "Pragma": "no-cache"}
    )


def refused(emulator: Emulator, error: SignInError) -> Response:
    """Return a refused sign-in as Entra writes it."""
    body = {
        "error": error.error,
        "error_description": str(error),
        "error_codes": [error.number],
        "timestamp": models.timestamp(emulator.clock.now()),
        "trace_id": emulator.next_request_id(),
        "correlation_id": emulator.next_request_id(),
        "error_uri": f"{emulator.options.base_url}/error?code={error.number}",
    }
    return Response(encode(body), status_code=error.status, media_type="application/json")


ROUTES: tuple[Route | Page, ...] = (
    *reports.ROUTES,
    Page("POST", "/{tenant}/oauth2/token", token_v1),
    Page("POST", "/{tenant}/oauth2/v2.0/token", token_v2),
    Page("POST", "/{tenant}/oauth2/devicecode", device_v1),
    Page("POST", "/{tenant}/oauth2/v2.0/devicecode", device_v2),
    Page("GET", "/{tenant}/oauth2/authorize", page.show_authorize),
    Page("POST", "/{tenant}/oauth2/authorize", page.submit_authorize),
    Page("GET", "/{tenant}/oauth2/v2.0/authorize", page.show_authorize),
    Page("POST", "/{tenant}/oauth2/v2.0/authorize", page.submit_authorize),
    Page("GET", "/devicelogin", page.show_device),
    Page("POST", "/devicelogin", page.submit_device),
    Page("GET", "/{tenant}/.well-known/openid-configuration", discovery.metadata_v1),
    Page("GET", "/{tenant}/v2.0/.well-known/openid-configuration", discovery.metadata_v2),
    Page("GET", "/{tenant}/discovery/keys", discovery.keys),
    Page("GET", "/{tenant}/discovery/v2.0/keys", discovery.keys),
    Page("POST", "/_emulator/tokens/revoke", revocation.revoke),
    Page("POST", "/_emulator/tenants/{tenant}", revocation.change_tenant),
)
