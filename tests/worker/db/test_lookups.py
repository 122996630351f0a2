"""A row looked up without a session is the row that a session finds, on either database."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tenfold.worker.db.lookups import Lookup
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.services import Services
from tests.conftest import every_database

pytestmark = every_database


def test_a_row_has_the_values_that_a_session_finds(services: Services) -> None:
    services.jobs.submit(
        "a-1", JobKind.TRAINING, {"rate": 0.1, "layers": [1, 2]}, total=12, source={"bytes": 3}, fingerprint="f"
    )

    found = services.jobs.get("a-1")

    with services.database.read() as session:
        expected = session.get_one(Job, "a-1")
    columns = Job.__table__.columns.keys()
    assert {name: getattr(found, name) for name in columns} == {name: getattr(expected, name) for name in columns}


def test_a_row_that_is_as_it_was_equals_itself_and_any_change_shows(services: Services) -> None:
    jobs: JobStore = services.jobs
    jobs.submit("a-1", JobKind.TRAINING, {"rate": 0.1}, total=12, fingerprint="f")
    before = jobs.row("a-1")

    assert jobs.row("a-1") == before
    jobs.note_bytes("a-1", 17)
    assert jobs.row("a-1") != before


def test_what_the_database_refuses_is_an_error_as_of_a_session(services: Services) -> None:
    lookup = Lookup(services.database.engine, select(Job.__table__).where(text("no_such_column = 1")))

    with pytest.raises(DBAPIError, match="no_such_column"):
        lookup()
