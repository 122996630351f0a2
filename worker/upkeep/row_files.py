"""Converts rows of any table to lines of JSON and back, for SQLite and PostgreSQL alike."""

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import JSON, Connection, DateTime, LargeBinary, MetaData, Table, func, insert, select, text

# Alembic's table, written by `tenfold.worker.db.schema`.
REVISIONS = "alembic_version"

# Rows read or written at a time.
BATCH = 1000


def tables_of(connection: Connection) -> list[Table]:
    """All tables, each after those that it refers to."""
    found = MetaData()
    found.reflect(connection)
    for table in found.tables.values():
        for column in table.columns:
            if isinstance(column.type, JSON):  # else None would become JSON's null
                column.type = JSON(none_as_null=True)
    return [table for table in found.sorted_tables if table.name != REVISIONS]


def belonging_to(name: str, tables: Iterable[Table]) -> set[str]:
    """The names of this table and of all that refer to it, directly or indirectly."""
    names = {name}
    for table in tables:
        if any(key.column.table.name in names for key in table.foreign_keys):
            names.add(table.name)
    return names


def dump_rows(connection: Connection, table: Table) -> Iterator[bytes]:
    """A line for each row."""
    rows = connection.execution_options(yield_per=BATCH).execute(select(table))
    for row in rows.mappings():
        yield json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False).encode() + b"\n"


def load_rows(connection: Connection, table: Table, lines: Iterable[bytes]) -> int:
    """Insert a row for each line. Returns their number."""
    count, source = 0, iter(lines)
    while batch := list(islice(source, BATCH)):
        connection.execute(insert(table), [_row(table, json.loads(line)) for line in batch])
        count += len(batch)
    return count


def continue_sequence(connection: Connection, table: Table) -> None:
    """Make PostgreSQL continue after the loaded ids, as SQLite does by itself."""
    key = table.autoincrement_column
    if connection.dialect.name != "postgresql" or key is None:
        return
    last = connection.scalar(select(func.max(key)))
    if last is not None:
        sequence = text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)")
        connection.execute(sequence, {"table": table.name, "column": key.name, "last": last})


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, datetime) else value


def _row(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        kind = table.columns[name].type
        if value is not None and isinstance(kind, LargeBinary):
            values[name] = base64.b64decode(value)
        elif value is not None and isinstance(kind, DateTime):
            values[name] = datetime.fromisoformat(value)
    return values
