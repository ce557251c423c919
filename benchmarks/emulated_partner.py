"""An emulated partner in this process, and the product's clients of its tenants, all on one clock that stands still."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from partner_center_emulator.app import create_app
from partner_center_emulator.clock import Clock as WorldClock
from partner_center_emulator.credentials import Sheet, sheet
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.world import World
from tenantfold.clock import ManualClock
from tenantfold.domain.model import Tenant, TenantId, TenantRole
from tenantfold.partnercenter import (
    Account,
    Budget,
    ClientOptions,
    InProcessTransport,
    MemorySecretStore,
    NoLimits,
    PartnerCenterClient,
    connect,
    one_host,
    open_http,
)
from tenantfold.partnercenter.in_process import Application

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Partner:
    """The emulator, its tenants as the settings would name them, and one client for each."""

    def __init__(self, world: World, options: Options) -> None:
        self.emulator = Emulator(world, options, WorldClock(world.started_at, frozen=True))
        self.clock = ManualClock(world.started_at, on_move=self.emulator.clock.advance)
        self.meter = Meter(create_app(self.emulator))
        self.http = open_http(transport=InProcessTransport(self.meter))
        known = sheet(self.emulator)
        self.tenants = tenants_of(known)
        self.clients: Mapping[TenantId, PartnerCenterClient] = self._clients(known)

    @property
    def target(self) -> Tenant:
        """The tenant that customers move to; it stands last in ``tenants``."""
        return self.tenants[-1]

    def _clients(self, known: Sheet) -> dict[TenantId, PartnerCenterClient]:
        secrets = MemorySecretStore(
            {one.key: one.client_secret for one in known.tenants}, {one.key: one.refresh_token for one in known.tenants}
        )
        budget = Budget(self.clock, book=NoLimits())
        return {
            TenantId(one.id): connect(
                Account(tenant_key=one.key, tenant_id=TenantId(one.id), client_id=one.client_id),
                cloud=one_host(known.base_url),
                secrets=secrets,
                clock=self.clock,
                http=self.http,
                budget=budget,
                options=ClientOptions(),
            )
            for one in known.tenants
        }


def tenants_of(known: Sheet) -> tuple[Tenant, ...]:
    """The tenants of the credentials sheet: sources first, target last."""
    tenants = [
        Tenant(id=TenantId(one.id), key=one.key, role=TenantRole(one.role), name=one.name, country=one.country)
        for one in known.tenants
    ]
    return tuple(sorted(tenants, key=lambda tenant: tenant.role is TenantRole.TARGET))


class Meter:
    """An application that counts what passes through it: calls by path, and the CPU seconds they take inside."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.calls: Counter[tuple[str, str]] = Counter()
        self.counts_paths = False
        self.total = 0
        self.cpu_seconds = 0.0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request. In this process the emulator never waits, so the thread's time is its own."""
        began = time.thread_time()
        self.total += 1
        if self.counts_paths:
            self.calls[scope["method"], scope["path"]] += 1
        await self._application(scope, receive, send)
        self.cpu_seconds += time.thread_time() - began
