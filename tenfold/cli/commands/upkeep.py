"""`tenfold doctor`, `gc`, `backup` and `restore`: they use the volume and the database directly, without a server."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from tenfold.cli.console import say
from tenfold.cli.output import output_option, print_json, print_table
from tenfold.cli.volumes import VolumeRoot
from tenfold.worker.db.database import Database
from tenfold.worker.db.schema import migrate
from tenfold.worker.errors import WorkerError
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.storage.opening import open_volume
from tenfold.worker.upkeep.backup import back_up
from tenfold.worker.upkeep.collecting import collect
from tenfold.worker.upkeep.doctor import examine
from tenfold.worker.upkeep.findings import Finding, Status
from tenfold.worker.upkeep.garbage import Garbage
from tenfold.worker.upkeep.restore import restore as restore_backup

F = TypeVar("F", bound=Callable[..., Any])


def data_option(function: F) -> F:
    """`--data`, the volume. The database and Redis are set in the environment."""
    return click.option(
        "--data",
        type=VolumeRoot(),
        default=Path("data"),
        show_default=True,
        envvar="TENFOLD_DATA",
        help="Root of the volume, or `s3://bucket/prefix`.",
    )(function)


@click.command()
@data_option
@click.option("--dry-run", is_flag=True, help="List what would be removed, and remove nothing.")
@click.option("--orphans", is_flag=True, help="Also remove files that are unknown to the database.")
@output_option
def gc(data: Path | str, dry_run: bool, orphans: bool, as_json: bool) -> None:
    """Remove expired jobs and leftover files.

    Settings say when jobs expire; leftover files come from processes that were killed. Running jobs, and whatever
    finished or was written within TENFOLD_GC_SAFE_SECONDS (a day), are never removed.
    """
    with errors_as_messages(), opened(data) as services:
        done = collect(services, dry_run=dry_run, with_orphans=orphans)
    if as_json:
        documents = {name: [_document(item) for item in getattr(done, name)] for name in ("garbage", "reported")}
        print_json({"dry_run": dry_run, "bytes": done.bytes, **documents})
        return
    rows = [
        (title, item.kind.value.replace("_", " "), item.name, _size(item.bytes), item.reason)
        for title, items in (("would remove" if dry_run else "removed", done.garbage), ("look at", done.reported))
        for item in items
    ]
    if rows:
        print_table(("ACTION", "KIND", "NAME", "SIZE", "REASON"), rows)
    say(f"{len(done.garbage)} items, {_size(done.bytes)}{' (nothing was removed)' if dry_run else ''}")


@click.command()
@data_option
@output_option
def doctor(data: Path | str, as_json: bool) -> None:
    """Report problems and how to fix them.

    Checks volume, database, Redis, clocks and workers. Exits 1 if a check fails.
    """
    findings = []
    for finding in examine(settings_of(data)):
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        print_json({"items": [asdict(finding) for finding in findings]})
    if any(finding.status is Status.FAIL for finding in findings):
        click.get_current_context().exit(1)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@data_option
@click.option("--without-jobs", is_flag=True, help="Only models and data sets.")
@output_option
def backup(file: Path, data: Path | str, without_jobs: bool, as_json: bool) -> None:
    """Back up everything to FILE, a tar.

    It holds database, models, data sets and jobs. Server and workers may keep running. A FILE named .tar.gz is
    compressed.
    """
    settings = settings_of(data)
    with errors_as_messages():
        database = Database(settings.resolved_database_url)
        volume = open_volume(settings)
        made = back_up(database, volume, file.resolve(), now=time.time(), with_jobs=not without_jobs)
        database.close()
    _report(f"{file}: {made.files} files, {_size(made.bytes)}, {sum(made.rows.values())} rows", asdict(made), as_json)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_option
@output_option
def restore(file: Path, data: Path | str, as_json: bool) -> None:
    """Restore the backup FILE into an empty volume and database.

    The database may be SQLite or PostgreSQL. Stop server and workers first.
    """
    settings = settings_of(data)
    with errors_as_messages():
        volume = open_volume(settings)
        volume.create()
        database = Database(settings.resolved_database_url)
        made = restore_backup(database, volume, file)
        database.close()
    _report(
        f"restored {made.files} files, {sum(made.rows.values())} rows to {volume.storage.address}",
        asdict(made),
        as_json,
    )


def settings_of(data: Path | str) -> Settings:
    """The settings of the environment. Without TENFOLD_REDIS_URL, Redis is that of `tenfold up` on this volume."""
    running = Path(data) / "up.json"
    known: dict[str, Any] = {}
    if "TENFOLD_REDIS_URL" not in os.environ and running.is_file():
        with contextlib.suppress(json.JSONDecodeError):
            known = json.loads(running.read_text())
    return Settings(data=data, redis_url=known["redis"]) if "redis" in known else Settings(data=data)


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """Errors become a message and exit code 1."""
    try:
        yield
    except (WorkerError, SQLAlchemyError, RedisError, OSError) as error:
        raise click.ClickException(str(error).splitlines()[0]) from error


@contextmanager
def opened(data: Path | str) -> Iterator[Services]:
    if isinstance(data, Path) and not data.is_dir():
        raise click.ClickException(f"No volume at {data.resolve()}; give --data.")
    services = Services.open(settings_of(data))
    try:
        migrate(services.database)
        yield services
    finally:
        services.database.close()


def _print(finding: Finding) -> None:
    color = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "red"}[finding.status]
    click.echo(f"{click.style(finding.status.value.ljust(4), fg=color)}  {finding.check}: {finding.message}")
    if finding.remedy:
        click.echo(f"      {finding.remedy}")


def _report(message: str, document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        say(message)


def _document(item: Garbage) -> dict[str, Any]:
    return {"kind": item.kind.value, "name": item.name, "reason": item.reason, "bytes": item.bytes}


def _size(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"
