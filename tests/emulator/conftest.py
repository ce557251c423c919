"""Fixtures of the emulator's tests: an emulator in process, signed-in clients, and a real server on the loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import httpx2
import pytest

from partner_center_emulator.app import create_app
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.signin import models as signin
from partner_center_emulator.world import PartnerTenant
from tests.emulator.serving import served
from tests.emulator.small_world import small_emulator, small_world

Client = Callable[..., httpx2.AsyncClient]


def tenant_by_key(emulator: Emulator, key: str) -> PartnerTenant:
    """Return the partner tenant with the short name ``key``."""
    return next(tenant for tenant in emulator.world.partner_tenants.values() if tenant.key == key)


def access_token(emulator: Emulator, key: str, user: str | None = "admin", resource: str | None = None) -> str:
    """Return an access token: of the user whose name begins with ``user``, or of the application alone (None)."""
    tenant = tenant_by_key(emulator, key)
    app = tenant.apps[0]
    resource = resource or emulator.options.base_url
    if user is None:
        return signin.grant_app(emulator, tenant, app, resource).access_token
    person = next((row for row in tenant.users if row.user_principal_name.startswith(user)), tenant.users[0])
    refresh = signin.issue_refresh_token(emulator, tenant, person, app, with_mfa=person.has_mfa)
    return signin.grant_refresh(emulator, tenant, app, resource, refresh, openid=False).access_token


@pytest.fixture
def emulator() -> Emulator:
    """Return an emulator with the small world and a frozen clock."""
    return small_emulator()


@pytest.fixture
async def anonymous(emulator: Emulator) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the in-process emulator that carries no token."""
    transport = httpx2.ASGITransport(app=create_app(emulator))
    async with httpx2.AsyncClient(transport=transport, base_url=emulator.options.base_url) as found:
        yield found


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[Client]:
    """Yield a maker of signed-in clients: ``client("target", user="seller")``; ``user=None`` is the application."""
    opened: list[httpx2.AsyncClient] = []
    app = create_app(emulator)

    def make(key: str = "target", user: str | None = "admin") -> httpx2.AsyncClient:
        made = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app),
            base_url=emulator.options.base_url,
            headers={"Authorization": f"Bearer {access_token(emulator, key, user)}"},
        )
        opened.append(made)
        return made

    yield make
    for made in opened:
        await made.aclose()


@pytest.fixture
def emulator_server() -> Iterator[Emulator]:
    """Yield an emulator with the small world that is served by uvicorn on a free port of 127.0.0.1."""
    with served(small_world()) as running:
        yield running
