"""Store: the three statements that SQLAlchemy leaves to the dialects: upsert, insert-if-absent and bulk insert.

Statements are built once and kept: building one costs several times what running it does. For the same reason the
modules of this room keep the statements of their hot paths as constants with named parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from sqlite3 import Connection as SqliteConnection
from typing import Any

from psycopg import Connection as PsycopgConnection
from psycopg.sql import SQL, Identifier
from sqlalchemy import ColumnElement, Connection, Insert, Table, Update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import StatementError
from sqlalchemy.sql.compiler import SQLCompiler

DialectInsert = sqlite.Insert | postgresql.Insert
_SQLITE = sqlite.dialect()
Guard = Callable[[DialectInsert], ColumnElement[bool]]


def insert_into(dialect: str, table: Table) -> DialectInsert:
    """An INSERT that knows ON CONFLICT, in the dialect of this name."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def upsert(conn: Connection, table: Table, values: Mapping[str, Any], guard: Guard | None = None) -> bool:
    """Insert a row, or bring the row with the same primary key to these values.

    ``guard`` is a condition on the row that is there; False means that it was not met and nothing was written.
    """
    statement = _upsert(conn.dialect.name, table, tuple(values), guard)
    return write_rows(conn, statement, [values]) > 0


def upsert_many(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], guard: Guard | None = None) -> int:
    """The same for many rows with the same columns; returns how many were written, with a guard perhaps not all."""
    if not rows:
        return 0
    statement = _upsert(conn.dialect.name, table, tuple(rows[0]), guard)
    return write_rows(conn, statement, rows)


@cache
def _upsert(dialect: str, table: Table, names: tuple[str, ...], guard: Guard | None) -> DialectInsert:
    keys = [column.name for column in table.primary_key]
    statement = insert_into(dialect, table).inline()
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_={name: statement.excluded[name] for name in names if name not in keys},
        where=guard(statement) if guard else None,
    )


def insert_if_absent(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], keys: Iterable[str]) -> int:
    """Insert the rows whose ``keys`` are not there yet; returns how many went in (exact for a single row)."""
    if not rows:
        return 0
    statement = _insert_if_absent(conn.dialect.name, table, tuple(keys))
    return write_rows(conn, statement, rows)


@cache
def _insert_if_absent(dialect: str, table: Table, keys: tuple[str, ...]) -> DialectInsert:
    return insert_into(dialect, table).inline().on_conflict_do_nothing(index_elements=list(keys))


def write_rows(conn: Connection, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]) -> int:
    """Run a statement once for each row of named values; returns how many rows of the table changed.

    On SQLite it goes around SQLAlchemy's handling of a statement, which costs four times what running it does: a
    journaled call is seven such statements. The text and the types of its values are SQLAlchemy's all the same.
    """
    if conn.dialect.name != "sqlite":
        parameters = [dict(row) for row in rows] if len(rows) > 1 else dict(rows[0])
        return conn.execute(statement, parameters, execution_options={"preserve_rowcount": True}).rowcount
    sql, binds = _prepared(statement, tuple(rows[0]))
    driver = conn.connection.driver_connection
    assert isinstance(driver, SqliteConnection)  # noqa: S101  # database.py opens no other for this dialect
    if len(rows) == 1:
        return driver.execute(sql, _bound(binds, rows[0])).rowcount
    return driver.executemany(sql, [_bound(binds, row) for row in rows]).rowcount


@dataclass(frozen=True, slots=True)
class _Bind:
    """One place of a prepared statement: the name of its value, what it is without one, how the driver wants it."""

    name: str
    value: object
    process: Callable[[Any], Any] | None


def _bound(binds: Sequence[_Bind], row: Mapping[str, Any]) -> list[object]:
    values = [row.get(bind.name, bind.value) for bind in binds]
    try:
        return [one if bind.process is None else bind.process(one) for bind, one in zip(binds, values, strict=True)]
    except ValueError as error:  # a value that no column takes, said as SQLAlchemy says it, without the values
        raise StatementError(str(error), None, None, error, hide_parameters=True) from error


@cache
def _prepared(statement: Insert | Update, names: tuple[str, ...]) -> tuple[str, tuple[_Bind, ...]]:
    compiled = statement.compile(dialect=_SQLITE, column_keys=list(names))
    assert isinstance(compiled, SQLCompiler)  # noqa: S101  # of an INSERT or UPDATE
    binds = [compiled.binds[name] for name in compiled.positiontup or ()]
    return compiled.string, tuple(
        _Bind(bind.key, bind.value, bind.type.dialect_impl(_SQLITE).bind_processor(_SQLITE)) for bind in binds
    )


def bulk_insert(conn: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows of plain values (texts, numbers, truth values, bytes), in the order of the table's columns.

    Goes around SQLAlchemy's parameter handling, which costs three times the insert itself (stack.md section 4):
    COPY on PostgreSQL, one prepared statement on SQLite.
    """
    if not rows:
        return
    if conn.dialect.name == "postgresql":
        _copy(conn, table, rows)
        return
    conn.exec_driver_sql(_insert_many(table), list(rows))


@cache
def _insert_many(table: Table) -> str:
    names = ", ".join(column.name for column in table.columns)
    marks = ", ".join("?" * len(table.columns))
    return f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608  # names come from tables.py


def _copy(conn: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    driver = conn.connection.driver_connection
    assert isinstance(driver, PsycopgConnection)  # noqa: S101  # database.py opens psycopg connections and no others
    names = SQL(", ").join(Identifier(column.name) for column in table.columns)
    command = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table.name), names)
    with driver.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row(row)
