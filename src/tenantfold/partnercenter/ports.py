"""What the Partner Center client wants from outside (partnercenter room): time, secrets and rates, as protocols.

Values that satisfy them arrive as arguments; this package reads no settings and keeps nothing on disk.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from tenantfold.domain.model import TenantId
from tenantfold.domain.rates import Reservation
from tenantfold.errors import ConfigError


class Clock(Protocol):
    """Time; the same protocol as ``flow.ports.Clock``."""

    def now(self) -> datetime:
        """The present as an aware UTC datetime."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""
        ...


class DateObserver(Protocol):
    """Told about the server's time: ``ServerClock.observe``."""

    def __call__(self, date_header_value: str, round_trip_seconds: float) -> None:
        """Take the ``Date`` header of an answer that took this many seconds."""
        ...


class SecretStore(Protocol):
    """Where secrets live. Nothing that passes through here may reach the database, a log or an error (invariant 10)."""

    async def client_secret(self, tenant_key: str) -> str:
        """The application secret of a tenant; ConfigError when there is none."""
        ...

    async def refresh_token(self, tenant_key: str) -> str | None:
        """The newest refresh token of a tenant; None means app-only sign-in."""
        ...

    async def keep_refresh_token(self, tenant_key: str, token: str) -> None:
        """Keep a rotated refresh token: return only when it is durable, and drop the old one only after that."""
        ...


class RateBook(Protocol):
    """Knows how fast every tenant and resource may be called; shared by all who call (``domain.rates``)."""

    def is_limited(self, tenant_id: TenantId, resource: str) -> bool:
        """Whether calls need a slot: a limit is published, or Microsoft has shown that there is one."""
        ...

    async def reserve(  # what is asked for, by whom and when
        self, tenant_id: TenantId, resource: str, wanted: int, now: datetime, *, urgent: bool, left: int
    ) -> Reservation:
        """Reserve up to ``wanted`` slots; ``left`` calls have really left since the last time this was asked."""
        ...

    async def throttled(
        self, tenant_id: TenantId, resource: str, retry_after_seconds: float, left_at: datetime, now: datetime
    ) -> datetime:
        """Note a 429 to a call that left at ``left_at``; returns before when nothing may leave."""
        ...


class MemorySecretStore:
    """Secrets held in memory: for tests, the emulator and programs that fetch them from a vault at start."""

    def __init__(self, client_secrets: dict[str, str], refresh_tokens: dict[str, str] | None = None) -> None:
        self._client_secrets = dict(client_secrets)
        self._refresh_tokens = dict(refresh_tokens or {})

    async def client_secret(self, tenant_key: str) -> str:
        """The secret given for this tenant; ConfigError when none was."""
        secret = self._client_secrets.get(tenant_key)
        if secret is None:
            raise ConfigError(f"There is no client secret for tenant {tenant_key!r}.", tenant=tenant_key)
        return secret

    async def refresh_token(self, tenant_key: str) -> str | None:
        """The newest refresh token of this tenant, if any."""
        return self._refresh_tokens.get(tenant_key)

    async def keep_refresh_token(self, tenant_key: str, token: str) -> None:
        """Put the rotated token in the old one's place."""
        self._refresh_tokens[tenant_key] = token
