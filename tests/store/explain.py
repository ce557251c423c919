"""Tests of the store: how SQLite would run the statements of a reading function."""

from __future__ import annotations

from collections.abc import Callable
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import Connection

from tenantfold.store import Store


async def query_plans(store: Store, reading: Callable[[Connection], object]) -> list[list[str]]:
    """The steps SQLite takes for every SELECT the function makes, in order."""

    def explain(conn: Connection) -> list[list[str]]:
        driver = conn.connection.driver_connection
        assert isinstance(driver, SqliteConnection)
        statements: list[str] = []
        driver.set_trace_callback(statements.append)
        reading(conn)
        driver.set_trace_callback(None)
        selects = [one for one in statements if one.startswith("SELECT")]
        return [[str(step[3]) for step in driver.execute(f"EXPLAIN QUERY PLAN {one}")] for one in selects]

    return await store.database.read(explain)
