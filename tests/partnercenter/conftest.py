"""Fixtures of the client's tests: a client of the tenant 'se' that reaches a pretended Microsoft only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx2
import pytest

from tenantfold.clock import ManualClock
from tenantfold.partnercenter import (
    Account,
    Budget,
    CallRecord,
    ClientOptions,
    Cloud,
    MemorySecretStore,
    NoLimits,
    PartnerCenterClient,
    connect,
    one_host,
)
from tests.partnercenter.fake_microsoft import BASE, REFRESH, SECRET, TENANT, FakeMicrosoft


@pytest.fixture
def microsoft() -> FakeMicrosoft:
    """The pretended Microsoft."""
    return FakeMicrosoft()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that only moves when somebody sleeps."""
    return ManualClock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


@pytest.fixture
def cloud() -> Cloud:
    """Everything at one invented address."""
    return one_host(BASE)


@pytest.fixture
def secrets() -> MemorySecretStore:
    """A secret and a refresh token for the tenant 'se'."""
    return MemorySecretStore({"se": SECRET}, {"se": REFRESH})


@pytest.fixture
def records() -> list[CallRecord]:
    """What the hook was told."""
    return []


@pytest.fixture
async def http(microsoft: FakeMicrosoft) -> AsyncIterator[httpx2.AsyncClient]:
    """An HTTP client that reaches the pretended Microsoft only."""
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(microsoft)) as client:
        yield client


@pytest.fixture
def account() -> Account:
    """The partner tenant of the tests."""
    return Account(tenant_key="se", tenant_id=TENANT, client_id="11111111-2222-3333-4444-555555555555")


@pytest.fixture
def client(
    account: Account,
    http: httpx2.AsyncClient,
    clock: ManualClock,
    cloud: Cloud,
    secrets: MemorySecretStore,
    records: list[CallRecord],
) -> PartnerCenterClient:
    """A client of the tenant 'se'."""
    return connect(
        account,
        cloud=cloud,
        secrets=secrets,
        clock=clock,
        http=http,
        budget=Budget(clock, book=NoLimits()),
        options=ClientOptions(on_call=records.append),
    )
