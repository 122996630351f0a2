"""Migrations only add, so that the version of before goes on working beside the new one.

One that takes something away, once no version in use needs it, names the last revision that did: it raises
`alembic_version.usable_since`, and older versions then say that they cannot go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from tenfold.worker.db.database import Database
from tenfold.worker.db.schema import newest_revision, upgrade
from tests.conftest import every_database
from tests.paths import ROOT
from tests.postgres import Postgres

# The first revision beside which versions of before and after run.
BASE = "0005"

MIGRATIONS = ScriptDirectory(str(ROOT / "worker" / "db" / "migrations"))
REVISIONS = [script.revision for script in reversed(list(MIGRATIONS.walk_revisions()))]

pytestmark = every_database


@dataclass(frozen=True)
class Column:
    """What a version of before may count on."""

    type: str
    nullable: bool
    has_default: bool


Tables = dict[str, dict[str, Column]]


@pytest.fixture
def empty(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    if database_kind == "sqlite":
        url = f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.new_database(empty=True)
    database = Database(url)
    yield database
    database.close()


def test_every_migration_leaves_the_version_before_all_that_it_uses(empty: Database) -> None:
    for before, after in pairwise(REVISIONS):
        if before < BASE:
            continue
        old, old_rules = tables_at(empty, before)
        new, new_rules = tables_at(empty, after)

        usable_since = usable_since_of(empty)
        if usable_since == after:
            continue  # it says that it takes something away
        for table, columns in old.items():
            assert table in new, f"{after} drops {table}"
            for name, column in columns.items():
                assert new[table].get(name) == column, f"{after} drops or changes {table}.{name}"
            for name in new[table].keys() - columns.keys():
                added = new[table][name]
                assert added.nullable or added.has_default, f"rows of the version before lack {table}.{name} of {after}"
            assert new_rules[table] <= old_rules[table], f"{after} demands more of {table} than before"


def test_the_tables_say_from_which_version_on_they_can_be_used(empty: Database) -> None:
    tables_at(empty, newest_revision())

    assert usable_since_of(empty) in REVISIONS


def test_a_row_of_the_version_before_is_complete(empty: Database) -> None:
    """As the code of revision 0005 writes it, with every column that it knew."""
    tables_at(empty, newest_revision())
    with empty.write() as session:
        for statement in Path(__file__).with_name("rows_of_0005.sql").read_text().splitlines():
            session.execute(text(statement))

    with empty.read() as session:
        assert session.execute(text("SELECT version FROM steps")).scalars().all() == [1]


def tables_at(database: Database, revision: str) -> tuple[Tables, dict[str, set[str]]]:
    """All tables, and what each demands of its rows, once this migration was applied."""
    with database.exclusive_connection() as connection:
        upgrade(connection, revision)
        found = inspect(connection)
        names = [name for name in found.get_table_names() if name != "alembic_version"]
        return {name: _columns(connection, name) for name in names}, {name: _rules(connection, name) for name in names}


def _columns(connection: Connection, table: str) -> dict[str, Column]:
    return {
        column["name"]: Column(str(column["type"]), column["nullable"], column["default"] is not None)
        for column in inspect(connection).get_columns(table)
    }


def _rules(connection: Connection, table: str) -> set[str]:
    found = inspect(connection)
    unique = [str(sorted(rule["column_names"])) for rule in found.get_unique_constraints(table)]
    unique += [str(index["column_names"]) for index in found.get_indexes(table) if index["unique"]]
    checks = [str(rule["sqltext"]) for rule in found.get_check_constraints(table)]
    references = [str((rule["constrained_columns"], rule["referred_table"])) for rule in found.get_foreign_keys(table)]
    return {*unique, *checks, *references}


def usable_since_of(database: Database) -> str | None:
    with database.read() as session:
        columns = {column["name"] for column in inspect(session.connection()).get_columns("alembic_version")}
        return session.scalar(text("SELECT usable_since FROM alembic_version")) if "usable_since" in columns else None
