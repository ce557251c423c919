"""Tests of the store: every test that asks for ``store`` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tenantfold.store import Store
from tenantfold.store.database import Database
from tenantfold.store.schema import migrate
from tests.databases import fresh_postgres
from tests.store.samples import TENANTS


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that has the schema."""
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    database = Database.open(f"sqlite:///{path}")
    migrate(database)
    database.close_now()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def dialect(request: pytest.FixtureRequest) -> str:
    """The database a test runs on."""
    return str(request.param)


@pytest.fixture
def empty_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a database without any table."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    yield from fresh_postgres(request.getfixturevalue("postgres_url"), "template1")


@pytest.fixture
def url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a database with the schema and nothing in it."""
    if dialect == "sqlite":
        path = tmp_path / "ledger.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    yield from fresh_postgres(request.getfixturevalue("postgres_url"), request.getfixturevalue("postgres_template"))


@pytest.fixture
async def empty_store(url: str) -> AsyncIterator[Store]:
    """A ledger with nothing in it."""
    async with Store.open(url) as opened:
        yield opened


@pytest.fixture
async def store(empty_store: Store) -> Store:
    """A ledger that knows two source tenants and the target."""
    for tenant in TENANTS:
        await empty_store.save_tenant(tenant)
    return empty_store
