"""HTTP of the sign-in endpoints: form in, token or Entra error out (core reference 1.3, 1.4)."""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request
from starlette.responses import Response

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.requests import Page
from partner_center_emulator.signin import models
from partner_center_emulator.signin.models import Grant, SignInError
from partner_center_emulator.wire import Json, encode, without_nulls

_SCOPE_ENDS = ("/.default", "/user_impersonation")
_PLAIN_SCOPES = frozenset({"openid", "profile", "offline_access", "email"})


async def token_v1(emulator: Emulator, request: Request) -> Response:
    """Issue a token for ``resource``; numbers in the answer are strings."""
    form = await _form(request)
    try:
        return _answer(_v1_body(_grant(emulator, request, form, form.get("resource", ""))))
    except SignInError as error:
        return _refused(emulator, error)


async def token_v2(emulator: Emulator, request: Request) -> Response:
    """Issue a token for the resource named in ``scope``."""
    form = await _form(request)
    try:
        return _answer(_v2_body(_grant(emulator, request, form, _resource_of(form.get("scope", "")))))
    except SignInError as error:
        return _refused(emulator, error)


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
    tenant = models.find_tenant(emulator.world, request.path_params["tenant"])
    kind = form.get("grant_type")
    if not kind:
        raise SignInError(900144, "invalid_request", "The body must contain the parameter 'grant_type'.")
    if kind not in {"client_credentials", "refresh_token"}:
        raise SignInError(70003, "unsupported_grant_type", f"The grant type '{kind}' is not supported here.")
    app = models.find_app(emulator, tenant, form.get("client_id", ""), form.get("client_secret", ""))
    if kind == "client_credentials":
        return models.grant_app(emulator, tenant, app, resource)
    openid = "openid" in form.get("scope", "").split()
    return models.grant_refresh(emulator, tenant, app, resource, form.get("refresh_token", ""), openid=openid)


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


def _refused(emulator: Emulator, error: SignInError) -> Response:
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


ROUTES = (
    Page("POST", "/{tenant}/oauth2/token", token_v1),
    Page("POST", "/{tenant}/oauth2/v2.0/token", token_v2),
)
