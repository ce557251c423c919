"""Sign-in to Microsoft (partnercenter room): tokens per audience, refresh-token rotation, refusals in plain words.

Secure Application Model (core reference 1.3): a refresh token from an MFA sign-in is redeemed for short access tokens,
for Partner Center and for Graph alike. Without one, app-only sign-in (1.4). Secrets come from a ``SecretStore`` and
appear in no error, fact or repr.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus

import httpx2
import msgspec

from tenantfold.domain.model import TenantId
from tenantfold.errors import AuthError, PartnerCenterError, ThrottledError, UnavailableError
from tenantfold.partnercenter.clouds import Cloud
from tenantfold.partnercenter.failures import FOREIGN
from tenantfold.partnercenter.options import ClientOptions
from tenantfold.partnercenter.ports import Clock, SecretStore
from tenantfold.partnercenter.retry import Patience, persist
from tenantfold.partnercenter.sign_in_refusals import refusal_of
from tenantfold.partnercenter.wire_errors import TokenBody, TokenClaims, read_sign_in_number

_EARLY_SECONDS = 60
_UNSTATED_LIFE_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """As what we sign in to one partner tenant. ``tenant_key`` is the tenant's short name in settings and messages."""

    tenant_key: str
    tenant_id: TenantId
    client_id: str


@dataclass(frozen=True, slots=True)
class _Held:
    """A token and when to replace it."""

    value: str = field(repr=False)
    renew_at: datetime


class SignIn:
    """Access tokens of one partner tenant, one per audience, each renewed a minute before it ends.

    Raises AuthError with one sentence about what to do, UnavailableError or ThrottledError (fact ``sign_in``) when the
    sign-in service does not answer, and what the secret store raises.
    """

    def __init__(
        self,
        account: Account,
        *,
        cloud: Cloud,
        secrets: SecretStore,
        http: httpx2.AsyncClient,
        clock: Clock,
        options: ClientOptions,
    ) -> None:
        self._account = account
        self._cloud = cloud
        self._secrets = secrets
        self._http = http
        self._clock = clock
        self._options = options
        self._held: dict[str, _Held] = {}
        self._lock = asyncio.Lock()

    async def token(self, audience: str) -> str:
        """An access token for this audience that is good for at least a minute."""
        held = self._held.get(audience)
        if held is not None and self._clock.now() < held.renew_at:
            return held.value
        # one at a time: refresh tokens rotate, and sixty callers need only one new token
        async with self._lock:
            held = self._held.get(audience)
            if held is None or self._clock.now() >= held.renew_at:
                held = self._held[audience] = await self._renewed(audience)
            return held.value

    def forget(self, audience: str, token: str) -> None:
        """Drop a token that was not accepted, unless it has been replaced already."""
        held = self._held.get(audience)
        if held is not None and held.value == token:
            del self._held[audience]

    async def has_user(self) -> bool:
        """Whether a user is signed in; False for app-only."""
        return await self._secrets.refresh_token(self._account.tenant_key) is not None

    async def user_name(self) -> str:
        """The signed-in user's name as the token shows it; empty for app-only or an unreadable token."""
        token = await self.token(self._cloud.audience)
        parts = token.split(".")
        try:
            payload = parts[1] + "=" * (-len(parts[1]) % 4)
            claims = msgspec.json.decode(base64.urlsafe_b64decode(payload), type=TokenClaims)
        except (IndexError, ValueError):  # no JWT, no base64, no JSON: the name is only shown, never needed
            return ""
        return claims.upn or claims.preferred_username or claims.unique_name or ""

    async def _renewed(self, audience: str) -> _Held:
        key = self._account.tenant_key
        secret = await self._secrets.client_secret(key)
        refresh_token = await self._secrets.refresh_token(key)
        form = {"client_id": self._account.client_id, "client_secret": secret, "scope": f"{audience}/.default"}
        if refresh_token is None:
            form["grant_type"] = "client_credentials"
        else:
            form["grant_type"] = "refresh_token"
            form["refresh_token"] = refresh_token
            form["scope"] += " offline_access"  # without it v2 returns no new refresh token
        policy = self._options.policy
        patience = Patience(policy, is_sign_in=True)
        answer = await persist(lambda: self._ask(form), patience, policy, self._clock)
        if answer.refresh_token and refresh_token is not None and answer.refresh_token != refresh_token:
            await self._secrets.keep_refresh_token(key, answer.refresh_token)
        life = answer.expires_in or _UNSTATED_LIFE_SECONDS
        good_for = max(life - _EARLY_SECONDS, life / 2)
        return _Held(answer.access_token, self._clock.now() + timedelta(seconds=good_for))

    async def _ask(self, form: dict[str, str]) -> TokenBody:
        facts: dict[str, object] = {"tenant": self._account.tenant_key, "sign_in": True}
        url = f"{self._cloud.authority}/{self._account.tenant_id}/oauth2/v2.0/token"
        try:
            response = await self._http.post(url, data=form)
        except FOREIGN as error:
            # no cause is chained: the request inside it holds the secret
            raise self._unreachable(type(error).__name__, facts) from None
        self._options.note_date(response)
        if response.status_code != HTTPStatus.OK:
            raise self._refused(response, facts)
        try:
            return msgspec.json.decode(response.content, type=TokenBody, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # the body may hold tokens, so neither it nor the decoder's words are kept
            raise AuthError(
                f"The sign-in service answered tenant {self._account.tenant_key!r} with something that is no token.",
                next_step="Check the cloud's authority in the settings.",
                **facts,
            ) from None

    def _refused(self, response: httpx2.Response, facts: dict[str, object]) -> PartnerCenterError:
        status = response.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            retry_after = response.headers.get("Retry-After", "")
            if retry_after.isdigit():
                facts = {**facts, "retry_after_seconds": float(retry_after)}
            return ThrottledError(
                "The sign-in service throttles us (HTTP 429).",
                next_step="Wait some minutes and run again.",
                http_status=status,
                **facts,
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self._unreachable(f"HTTP {status}", facts)
        number, trace_id = read_sign_in_number(response.content)
        message, next_step = refusal_of(number, self._account.tenant_key)
        return AuthError(
            message, next_step=next_step, http_status=status, sign_in_code=number, trace_id=trace_id, **facts
        )

    def _unreachable(self, how: str, facts: dict[str, object]) -> UnavailableError:
        return UnavailableError(
            f"The sign-in service did not answer for tenant {self._account.tenant_key!r} ({how}); nothing was sent to "
            "Partner Center.",
            next_step="Check the network and the cloud's authority in the settings, then run again.",
            **facts,
        )
