"""Store: the three statements that SQLAlchemy leaves to the dialects: upsert, insert-if-absent and bulk insert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Connection as PsycopgConnection
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

DialectInsert = sqlite.Insert | postgresql.Insert


def insert_into(conn: Connection, table: Table) -> DialectInsert:
    """An INSERT that knows ON CONFLICT, in the dialect of the connection."""
    return sqlite.insert(table) if conn.dialect.name == "sqlite" else postgresql.insert(table)


def upsert(conn: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert a row, or bring the row with the same primary key to these values."""
    keys = [column.name for column in table.primary_key]
    statement = insert_into(conn, table).values(values)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=keys, set_={name: statement.excluded[name] for name in values if name not in keys}
        )
    )


def insert_if_absent(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], keys: Iterable[str]) -> int:
    """Insert the rows whose ``keys`` are not there yet; returns how many went in (exact for a single row)."""
    if not rows:
        return 0
    statement = insert_into(conn, table).on_conflict_do_nothing(index_elements=list(keys))
    parameters: Any = [dict(row) for row in rows]
    return changed_rows(conn, statement.inline(), parameters if len(parameters) > 1 else parameters[0])


def changed_rows(conn: Connection, statement: DialectInsert, parameters: Any = None) -> int:  # noqa: ANN401
    """Run an insert and tell how many rows it put in or changed."""
    return conn.execute(statement, parameters, execution_options={"preserve_rowcount": True}).rowcount


def bulk_insert(conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows of plain values (texts, numbers, truth values, bytes), in the order of ``columns``.

    Goes around SQLAlchemy's parameter handling, which costs three times the insert itself (stack.md section 4):
    COPY on PostgreSQL, one prepared statement on SQLite.
    """
    if not rows:
        return
    if conn.dialect.name == "postgresql":
        _copy(conn, table, columns, rows)
        return
    marks = ", ".join("?" * len(columns))
    # names come from tables.py, values are bound
    conn.exec_driver_sql(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})", list(rows))  # noqa: S608


def _copy(conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    driver = conn.connection.driver_connection
    assert isinstance(driver, PsycopgConnection)  # noqa: S101  # database.py opens psycopg connections and no others
    command = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table.name), SQL(", ").join(map(Identifier, columns)))
    with driver.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row(row)
