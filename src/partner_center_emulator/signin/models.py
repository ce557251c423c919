"""Tokens of the pretended login authority: issuing, refreshing, verifying (core reference 1.3 to 1.6).

Access tokens are RS256 JWTs that live one hour of the emulator's clock; refresh tokens live 90 days, each use issues a
new one and leaves the old one valid until its own end or its revocation.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import cast
from uuid import NAMESPACE_URL, uuid5

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.types import Options as JwtOptions

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.graph.models import GLOBAL_ADMIN_TEMPLATE, GROUPS, group_id
from partner_center_emulator.requests import Audience, Principal
from partner_center_emulator.signin import clouds
from partner_center_emulator.state.people import Cloud
from partner_center_emulator.world import AppRegistration, PartnerTenant, PartnerUser, RefreshToken, World

ACCESS_SECONDS = 3600
REFRESH_DAYS = 90
PARTNER_RESOURCE = "https://api.partnercenter.microsoft.com"
GRAPH_RESOURCE = "https://graph.microsoft.com"
KEY_ID = "emulator"
_GRAPH_NAMES = frozenset({GRAPH_RESOURCE, "https://graph.microsoft.us", "00000003-0000-0000-c000-000000000000"})
_PARTNER_NAMES = frozenset({PARTNER_RESOURCE, "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"})
_RETIRED = "https://graph.windows.net"  # tokens are still issued, Partner Center refuses them (core reference 1.4)
_NAMELESS = frozenset({"organizations", "common"})
_KNOWN_TOKENS = 4096  # verified tokens kept; more than a world has sign-ins per hour

behaviour(
    "POST /{tenant}/oauth2/token",
    source="documented",
    page="core 1.3",
    note="Refresh tokens live 90 days; every use issues a new one; v1 numbers are strings",
)
behaviour(
    "POST /{tenant}/oauth2/token", source="documented", page="core 1.4", note="App-only sign-in with a client secret"
)
behaviour(
    "POST /{tenant}/oauth2/token",
    source="assumed",
    page="core 1.3",
    note="Numbers of the AADSTS errors follow general Entra knowledge",
)
behaviour(
    "POST /{tenant}/oauth2/v2.0/token",
    source="documented",
    page="core 1.3",
    note="Scope instead of resource; numbers are numbers",
)
behaviour(
    "POST /{tenant}/oauth2/token",
    source="documented",
    page="core 1.4",
    note="Tokens for graph.windows.net are issued, and refused by Partner Center with 401 900420",
)
behaviour(
    "POST /{tenant}/oauth2/token",
    source="assumed",
    page="core 1.7",
    note="Roles are in the token: wids and groups, and pc_roles of ours; a changed role shows with the next token",
)


class SignInError(Exception):
    """A refused sign-in in Entra's form: HTTP status, OAuth error word, AADSTS number, sentence."""

    def __init__(self, number: int, error: str, sentence: str, status: int = 400) -> None:
        super().__init__(f"AADSTS{number}: {sentence}")
        self.number = number
        self.error = error
        self.status = status


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A successful sign-in, ready to be written in the v1 or v2 form."""

    access_token: str
    resource: str
    scope: str
    issued_at: int
    refresh_token: str | None = None
    id_token: str | None = None


@cache
def _fresh_key_pem() -> str:
    """Return an RSA key made once per process: making one takes longer than everything else here."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@lru_cache(maxsize=4)
def _loaded_key(pem: str) -> RSAPrivateKey:
    """Return the key; kept, because checking one takes as long as a hundred calls and worlds of a process share it."""
    return cast("RSAPrivateKey", load_pem_private_key(pem.encode(), password=None))


class SigningKey:
    """The world's key, loaded once; obtained with ``emulator.derived(SigningKey)``. Makes one for a world without."""

    def __init__(self, world: World) -> None:
        world.signing_key_pem = world.signing_key_pem or _fresh_key_pem()
        self.private = _loaded_key(world.signing_key_pem)
        self.public = self.private.public_key()


class KnownTokens:
    """Verified access tokens by their text, so that a token's signature is checked once and not on every call."""

    def __init__(self, _world: World) -> None:
        self.principals: dict[str, Principal] = {}


def find_tenant(world: World, name: str, cloud: Cloud = "commercial") -> PartnerTenant:
    """Return the cloud's partner tenant with this id or domain; raises SignInError 90002 if there is none."""
    wanted = name.lower()
    for tenant in world.partner_tenants.values():
        if wanted in {tenant.id, tenant.domain.lower()} and tenant.cloud == cloud:
            return tenant
    raise SignInError(90002, "invalid_request", f"Tenant '{name}' not found.")


def find_registration(emulator: Emulator, tenant_name: str, client_id: str, cloud: Cloud) -> AppRegistration:
    """Return the application in the named tenant, or in any (organizations); raises SignInError 90002 or 700016."""
    world = emulator.world
    if tenant_name.lower() in _NAMELESS:
        tenants = [tenant for tenant in world.partner_tenants.values() if tenant.cloud == cloud]
    else:
        tenants = [find_tenant(world, tenant_name, cloud)]
    for tenant in tenants:
        for app in tenant.apps:
            if app.client_id.lower() == client_id.lower():
                return app
    raise SignInError(
        700016, "unauthorized_client", f"Application '{client_id}' was not found in the directory '{tenant_name}'."
    )


def find_app(emulator: Emulator, tenant: PartnerTenant, client_id: str, secret: str) -> AppRegistration:
    """Return the application if its secret is right and not expired; raises SignInError otherwise.

    A public client needs none; 7000218 if a confidential one brings none.
    """
    app = find_registration(emulator, tenant.id, client_id, tenant.cloud)
    if not app.enabled:
        raise SignInError(7000112, "unauthorized_client", f"Application '{client_id}' is disabled.")
    if app.public_client:
        return app
    if not secret:
        raise SignInError(7000218, "invalid_client", "The body must contain a 'client_secret'.", 401)
    if app.secret != secret:
        raise SignInError(7000215, "invalid_client", "Invalid client secret provided.", 401)
    if app.secret_expires_at <= emulator.clock.now():
        raise SignInError(7000222, "invalid_client", f"The client secret keys for app '{client_id}' are expired.", 401)
    return app


def check_resource(emulator: Emulator, resource: str) -> Audience:
    """Return which API ``resource`` means; raises SignInError 500011 for any other."""
    audience = _audience(emulator, resource)
    if audience is None:
        raise SignInError(500011, "invalid_resource", f"The resource principal named {resource} was not found.")
    return audience


def _audience(emulator: Emulator, resource: str) -> Audience | None:
    name = resource.rstrip("/")
    base = emulator.options.base_url
    if name in _PARTNER_NAMES or name in {base, f"{base}{clouds.PREFIX}"}:
        return "partner"
    if name in _GRAPH_NAMES or name in {f"{base}/graph", f"{base}{clouds.PREFIX}/graph"}:
        return "graph"
    return "retired" if name == _RETIRED else None


def grant_app(emulator: Emulator, tenant: PartnerTenant, app: AppRegistration, resource: str) -> Grant:
    """Sign in the application alone (client_credentials); there is no refresh token."""
    check_resource(emulator, resource)
    if app.public_client:
        raise SignInError(700025, "unauthorized_client", "A public client cannot sign in without a person.")
    claims = _claims(emulator, tenant, app, resource) | {"roles": []}
    return Grant(
        access_token=_sign(emulator, claims), resource=resource, scope="", issued_at=cast("int", claims["iat"])
    )


def grant_refresh(
    emulator: Emulator, tenant: PartnerTenant, app: AppRegistration, resource: str, token_text: str, *, openid: bool
) -> Grant:
    """Sign in a user by refresh token; issues the next one and leaves the old one as it is.

    Raises SignInError: 9002313 unknown token or user, 50173 revoked, 700082 older than 90 days, 700016 another
    application's, 500011 unknown resource.
    """
    check_resource(emulator, resource)
    token = emulator.world.refresh_tokens.get(token_text)
    user = find_user(tenant, token.object_id) if token is not None and token.tenant_id == tenant.id else None
    if token is None or user is None:
        raise SignInError(9002313, "invalid_grant", "Invalid request. The refresh token is malformed or unknown.")
    if token.revoked:
        raise SignInError(50173, "invalid_grant", "The grant is expired because it was revoked; sign in again.")
    if emulator.clock.now() >= token.issued_at + timedelta(days=REFRESH_DAYS):
        raise SignInError(700082, "invalid_grant", "The refresh token has expired due to inactivity.")
    if token.client_id.lower() != app.client_id.lower():
        raise SignInError(700016, "invalid_grant", "The refresh token was issued to another application.")
    return grant_user(emulator, Session(tenant, user, app, resource, with_mfa=token.with_mfa, openid=openid))


class Session(msgspec.Struct, frozen=True):
    """A person who has signed in through an application for a resource; ``openid``: an id token is wanted, too."""

    tenant: PartnerTenant
    user: PartnerUser
    app: AppRegistration
    resource: str
    with_mfa: bool = True
    openid: bool = False
    nonce: str = ""


def grant_user(emulator: Emulator, session: Session) -> Grant:
    """Issue the tokens of a person's sign-in; raises SignInError 500011 for an unknown resource."""
    check_resource(emulator, session.resource)
    tenant, user, app = session.tenant, session.user, session.app
    claims = _claims(emulator, tenant, app, session.resource, user) | {
        "oid": user.object_id,
        "upn": user.user_principal_name,
        "scp": "user_impersonation",
        "amr": ["pwd", "mfa"] if session.with_mfa else ["pwd"],
        "wids": [GLOBAL_ADMIN_TEMPLATE] if "global_admin" in user.roles else [],
        "groups": [group_id(tenant, role) for role in user.roles if role in GROUPS],
        "pc_roles": list(user.roles),
    }
    identity = {**claims, "aud": app.client_id, "name": user.user_principal_name}
    identity |= {"preferred_username": user.user_principal_name, "sub": user.object_id}
    if session.nonce:
        identity["nonce"] = session.nonce
    return Grant(
        access_token=_sign(emulator, claims),
        resource=session.resource,
        scope="user_impersonation",
        issued_at=cast("int", claims["iat"]),
        id_token=_sign(emulator, identity) if session.openid else None,
        refresh_token=issue_refresh_token(emulator, tenant, user, app, with_mfa=session.with_mfa),
    )


def issue_refresh_token(
    emulator: Emulator, tenant: PartnerTenant, user: PartnerUser, app: AppRegistration, *, with_mfa: bool = True
) -> str:
    """Make a refresh token as after an interactive sign-in of ``user``; returns its text."""
    tokens = emulator.world.refresh_tokens
    text = f"rt.{uuid5(NAMESPACE_URL, f'{emulator.world.seed}/{tenant.id}/{user.object_id}/{len(tokens)}').hex}"
    tokens[text] = RefreshToken(
        tenant_id=tenant.id,
        object_id=user.object_id,
        client_id=app.client_id,
        issued_at=emulator.clock.now(),
        with_mfa=with_mfa,
    )
    return text


def revoke(emulator: Emulator, tenant: PartnerTenant, object_id: str = "", *, access: bool = False) -> int:
    """Revoke the refresh tokens of the tenant, or of one of its users; returns how many were valid.

    ``access``: the access tokens issued so far are refused from now on as well.
    """
    count = 0
    for token in emulator.world.refresh_tokens.values():
        if token.tenant_id == tenant.id and object_id in {"", token.object_id} and not token.revoked:
            token.revoked = True
            count += 1
    if access:
        epochs = emulator.world.people.token_epochs
        whose = f"{tenant.id}/{object_id}" if object_id else tenant.id
        epochs[whose] = epochs.get(whose, 0) + 1
        emulator.derived(KnownTokens).principals.clear()
    return count


def _epoch(emulator: Emulator, tenant_id: str, object_id: str) -> int:
    epochs = emulator.world.people.token_epochs
    return epochs.get(tenant_id, 0) + epochs.get(f"{tenant_id}/{object_id}", 0)


def verify(emulator: Emulator, token_text: str) -> Principal | None:
    """Return who holds the access token; None if it was not issued here, or has lapsed."""
    known = emulator.derived(KnownTokens).principals
    principal = known.get(token_text)
    if principal is None:
        principal = _decode(emulator, token_text)
        if principal is None:
            return None
        if len(known) >= _KNOWN_TOKENS:
            known.clear()
        known[token_text] = principal
    if principal.expires_at <= emulator.clock.now().timestamp():
        del known[token_text]
        return None
    return principal


def _decode(emulator: Emulator, token_text: str) -> Principal | None:
    # times are checked against the emulator's clock by the caller, not against the machine's by the library
    unchecked: JwtOptions = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    try:
        claims = jwt.decode(token_text, emulator.derived(SigningKey).public, algorithms=["RS256"], options=unchecked)
    except jwt.InvalidTokenError:
        return None
    audience = _audience(emulator, str(claims.get("aud", "")))
    if audience is None or claims.get("tid") not in emulator.world.partner_tenants or "appid" not in claims:
        return None
    if claims.get("pc_epoch", 0) != _epoch(emulator, claims["tid"], claims.get("oid", "")):
        return None  # issued before a revocation
    return Principal(
        tenant_id=claims["tid"],
        app_id=claims["appid"],
        audience=audience,
        expires_at=float(claims["exp"]),
        object_id=claims.get("oid", "") if "scp" in claims else "",
        upn=claims.get("upn", ""),
        roles=frozenset(claims.get("pc_roles", ())),
        has_mfa="mfa" in claims.get("amr", ()),
    )


def _claims(
    emulator: Emulator, tenant: PartnerTenant, app: AppRegistration, resource: str, user: PartnerUser | None = None
) -> dict[str, object]:
    issued_at = int(emulator.clock.now().timestamp())
    return {
        "aud": resource,
        "iss": f"{emulator.options.base_url}{clouds.prefix_of(tenant.cloud)}/{tenant.id}/",
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + ACCESS_SECONDS,
        "appid": app.client_id,
        "tid": tenant.id,
        "uti": f"{emulator.next_request_number():x}",  # two tokens of one second are two tokens, as at Entra
        "pc_epoch": _epoch(emulator, tenant.id, user.object_id if user else ""),
    }


def _sign(emulator: Emulator, claims: dict[str, object]) -> str:
    return jwt.encode(claims, emulator.derived(SigningKey).private, algorithm="RS256", headers={"kid": KEY_ID})


def find_user(tenant: PartnerTenant, object_id: str) -> PartnerUser | None:
    """Return the tenant's user with this object id, or None."""
    for user in tenant.users:
        if user.object_id == object_id:
            return user
    return None


def timestamp(moment: datetime) -> str:
    """Return ``moment`` as Entra writes it in errors."""
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
