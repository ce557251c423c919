"""Databases for tests on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
from psycopg import sql


def fresh_postgres(server_url: str, template: str) -> Iterator[str]:
    """URL of a database of its own, copied from a template and dropped afterward."""
    name = f"test_{uuid4().hex}"
    administer(server_url, "CREATE DATABASE {} TEMPLATE {}", name, template)
    yield database_url(server_url, name)
    administer(server_url, "DROP DATABASE {} WITH (FORCE)", name)


def administer(server_url: str, command: str, *names: str) -> None:
    """Run one command of a server's administrator; names are filled in quoted."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL(command).format(*map(sql.Identifier, names)))


def database_url(server_url: str, name: str) -> str:
    """The URL of a database of a server."""
    head, _, options = server_url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{options}" if options else "")
