"""Puts a client together from its parts (partnercenter room): the place to start when using this package alone.

async with open_http() as http:
    client = connect(account, cloud=COMMERCIAL, secrets=secrets, clock=clock, http=http)
    async for customer in client.customers(): ...
"""

from __future__ import annotations

import httpx2

from tenantfold.partnercenter.auth import Account, SignIn
from tenantfold.partnercenter.budget import IN_FLIGHT, Budget
from tenantfold.partnercenter.client import PartnerCenterClient
from tenantfold.partnercenter.clouds import Cloud
from tenantfold.partnercenter.options import ClientOptions
from tenantfold.partnercenter.ports import Clock, SecretStore
from tenantfold.partnercenter.transport import Transport

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 100.0  # the service cuts long calls itself; a shorter wait would make unknown effects out of slow ones


def open_http(*, transport: httpx2.AsyncBaseTransport | None = None, in_flight: int = IN_FLIGHT) -> httpx2.AsyncClient:
    """An HTTP client with our timeouts and as many connections as calls in flight; shared by all tenants."""
    return httpx2.AsyncClient(
        transport=transport,
        timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx2.Limits(max_connections=in_flight, max_keepalive_connections=in_flight),
    )


def connect(
    account: Account,
    *,
    cloud: Cloud,
    secrets: SecretStore,
    clock: Clock,
    http: httpx2.AsyncClient,
    budget: Budget | None = None,
    options: ClientOptions | None = None,
) -> PartnerCenterClient:
    """A client for one partner tenant. Share ``http`` and ``budget`` between the tenants of a process."""
    options = options or ClientOptions()
    budget = budget or Budget(clock)
    sign_in = SignIn(account, cloud=cloud, secrets=secrets, http=http, clock=clock, options=options)
    transport = Transport(account, cloud=cloud, http=http, sign_in=sign_in, budget=budget, clock=clock, options=options)
    return PartnerCenterClient(transport, sign_in, tenant_id=account.tenant_id, cloud=cloud)
