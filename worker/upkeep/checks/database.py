"""The database: whether it answers, has the tables of this version, and keeps the same time."""

import time
from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from worker.database import Database
from worker.models import ModelStore
from worker.schema import current_revision, is_usable, newest_revision
from worker.settings import Settings
from worker.upkeep.checks.clock import compare
from worker.upkeep.checks.finding import Finding, fail, ok, warn


def check_database(settings: Settings) -> Iterator[Finding]:
    url = settings.resolved_database_url
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and url.database and settings.bucket is None and not settings.root.is_dir():
        yield fail("database", f"{shown} is not there, as the volume", "See the volume.")
        return
    try:
        database = Database(url)
    except ModuleNotFoundError as error:
        yield fail("database", str(error), "Install the driver.")
        return
    try:
        yield from _look(database, shown)
    except SQLAlchemyError as error:
        yield fail(
            "database",
            f"{shown} cannot be used: {str(error).splitlines()[0]}",
            "Start it, and check TENFOLD_DATABASE_URL, the password and the network.",
        )
    finally:
        database.close()


def _look(database: Database, shown: str) -> Iterator[Finding]:
    with database.read() as session:
        now = current_revision(session.connection())
        if now == newest_revision():
            yield ok("database", f"{shown} answers, and has the tables of this version ({now})")
        elif is_usable(session.connection()):
            yield warn(
                "database",
                f"{shown} answers, and has the tables of a later version ({now}), which this one can use too",
                "Bring the update to its end: install the later version here.",
            )
        elif now is None:
            yield fail("database", f"{shown} has no tables", "Start the web or a worker: they make them.")
        else:
            yield fail(
                "database",
                f"{shown} is at revision {now}, this version at {newest_revision()}",
                "Restart the web or a worker of the newer version: they bring it up to date.",
            )
        if database.engine.dialect.name == "postgresql":
            before = time.time()
            theirs = session.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
            yield compare("clock of the database", float(theirs or 0), before, time.time())
    if now == newest_revision():
        yield _default_model(database)


def _default_model(database: Database) -> Finding:
    model = ModelStore(database).default()
    if model is None:
        if ModelStore(database).list(limit=1):
            return warn(
                "default model", "there is none, so requests must name a model", "tenfold models --default MODEL"
            )
        return warn("default model", "there is none, so nothing can be classified", "tenfold train dropout-128 --wait")
    return ok("default model", f"{model.id} ({model.recipe} on {model.dataset})")
