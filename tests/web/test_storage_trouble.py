"""When the database is away or the disk is full, the web says so, takes nothing, and leaves nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from tenfold.web.app import create_app
from tenfold.web.core.services import EXTENSION
from tenfold.web.core.settings import WebSettings
from tenfold.worker.services import Services
from tests.postgres import Postgres
from tests.web.api.test_bad_input import assert_problem, nothing_left
from tests.web.conftest import zip_bytes

TRAINING = {"recipe": "dropout-128"}


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Writing a longer one fails, as on a full disk."""
    soft, hard = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        setrlimit(RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(("method", "path"), [("GET", "jobs"), ("POST", "trainings"), ("GET", "jobs/some-job")])
def test_while_the_database_is_away_calls_are_to_come_again(
    postgres: Postgres, tmp_path: Path, redis_url: str, method: str, path: str
) -> None:
    url = postgres.new_database()
    app = create_app(WebSettings(data=tmp_path / "data", redis_url=redis_url, database_url=url))
    postgres.drop(url)

    response = app.test_client().open(f"/api/v1/{path}", method=method, json=TRAINING if method == "POST" else None)

    assert_problem(response, 503, says="Try again")
    assert int(response.headers["Retry-After"]) > 0
    app.extensions[EXTENSION].database.close()


def test_an_upload_for_which_there_is_no_room_is_refused_and_leaves_nothing(
    api: FlaskClient, services: Services, model: str
) -> None:
    archive = zip_bytes(*(f"{n}.png" for n in range(2000)))
    with files_of_at_most(50_000):
        response = api.post("/api/v1/classifications", data=archive, content_type="application/zip")

    assert_problem(response, 507, says="full")
    services.volume.delete_model(model)
    assert nothing_left(services)


def test_a_job_whose_row_could_not_be_written_leaves_no_files(api: FlaskClient, services: Services) -> None:
    with services.database.write() as session:
        session.execute(text("DROP TABLE steps"))

    response = api.post("/api/v1/trainings", json=TRAINING)

    assert_problem(response, 503)
    assert list(services.volume.root.glob("jobs/*")) == []
