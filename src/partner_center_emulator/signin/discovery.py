"""What a client may read about the login authority: OpenID metadata and the public key."""

from __future__ import annotations

import base64

from starlette.requests import Request
from starlette.responses import Response

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.signin import clouds, interactive, models
from partner_center_emulator.signin.models import SignInError, SigningKey
from partner_center_emulator.wire import Json, encode

behaviour(
    "GET /{tenant}/.well-known/openid-configuration",
    source="assumed",
    page="core 1.1",
    note="General Entra knowledge: v1 and v2 metadata, one RSA key",
)


async def metadata_v1(emulator: Emulator, request: Request) -> Response:
    """Return the metadata of the v1 endpoints."""
    return _metadata(emulator, request, "")


async def metadata_v2(emulator: Emulator, request: Request) -> Response:
    """Return the metadata of the v2 endpoints."""
    return _metadata(emulator, request, "v2.0/")


async def keys(emulator: Emulator, _request: Request) -> Response:
    """Return the public key as a JWK set."""
    numbers = emulator.derived(SigningKey).public.public_numbers()
    key = {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": models.KEY_ID,
        "x5t": models.KEY_ID,
        "n": _base64url(numbers.n),
        "e": _base64url(numbers.e),
    }
    return _json({"keys": [key]})


def _metadata(emulator: Emulator, request: Request, version: str) -> Response:
    name, cloud = request.path_params["tenant"], clouds.of_request(request)
    if name.lower() in interactive.ANY_TENANT:
        tenant_id = "{tenantid}"
    else:
        try:
            tenant_id = models.find_tenant(emulator.world, name, cloud).id
        except SignInError as error:
            return _json({"error": error.error, "error_description": str(error), "error_codes": [error.number]}, 400)
    authority = f"{emulator.options.base_url}{clouds.prefix_of(cloud)}/{name}"
    return _json(
        {
            "issuer": f"{emulator.options.base_url}{clouds.prefix_of(cloud)}/{tenant_id}/{version.rstrip('/')}",
            "authorization_endpoint": f"{authority}/oauth2/{version}authorize",
            "token_endpoint": f"{authority}/oauth2/{version}token",
            "device_authorization_endpoint": f"{authority}/oauth2/{version}devicecode",
            "jwks_uri": f"{authority}/discovery/{version}keys",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }
    )


def _json(body: Json, status: int = 200) -> Response:
    return Response(encode(body), status, media_type="application/json")


def _base64url(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
