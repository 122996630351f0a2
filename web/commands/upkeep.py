"""`tenfold gc`, `doctor`, `backup` and `restore`: on the volume and the database themselves, without a server."""

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

from web.commands.console import print_json, print_lines, say
from web.commands.submit import json_option
from web.commands.volumes import VolumeRoot
from worker.database import Database
from worker.errors import WorkerError
from worker.schema import migrate
from worker.services import Services
from worker.settings import Settings
from worker.storage.opening import open_volume
from worker.upkeep.backup import back_up
from worker.upkeep.checks.finding import Finding, Status
from worker.upkeep.collecting import collect
from worker.upkeep.doctor import examine
from worker.upkeep.garbage import Garbage
from worker.upkeep.restore import restore as restore_backup

F = TypeVar("F", bound=Callable[..., Any])


def data_option(function: F) -> F:
    """Which installation: the database and Redis are those of the environment."""
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
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@click.option("--orphans", is_flag=True, help="Remove files without a row as well, rather than tell them.")
@json_option
def gc(data: Path | str, dry_run: bool, orphans: bool, as_json: bool) -> None:
    """Remove what the rules no longer keep, and leftovers.

    The rules are settings; leftovers are what killed writers left. Running jobs, and what ended or was written within
    TENFOLD_GC_SAFE_SECONDS (a day), are never touched.
    """
    with told(), opened(data) as services:
        done = collect(services, dry_run=dry_run, with_orphans=orphans)
    if as_json:
        documents = {name: [_document(item) for item in getattr(done, name)] for name in ("garbage", "reported")}
        print_json({"dry_run": dry_run, "bytes": done.bytes, **documents})
        return
    for title, items in (("would remove" if dry_run else "removed", done.garbage), ("look at", done.reported)):
        if items:
            print_lines([(title, item.kind.value, item.name, _size(item.bytes), item.reason) for item in items])
    say(f"{len(done.garbage)} things, {_size(done.bytes)}{' (nothing was removed)' if dry_run else ''}")


@click.command()
@data_option
@json_option
def doctor(data: Path | str, as_json: bool) -> None:
    """Look at every part, and say what is amiss and what to do.

    The parts are volume, database, Redis, clocks and workers. Exit code 1 where something fails.
    """
    findings = []
    for finding in examine(settings_of(data)):
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    if any(finding.status is Status.FAIL for finding in findings):
        click.get_current_context().exit(1)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@data_option
@click.option("--without-jobs", is_flag=True, help="Models and data sets alone.")
@json_option
def backup(file: Path, data: Path | str, without_jobs: bool, as_json: bool) -> None:
    """Write everything to FILE, a tar, while all runs on.

    Database, models, data sets and jobs; a FILE that ends in .tar.gz is compressed.
    """
    settings = settings_of(data)
    with told():
        database = Database(settings.resolved_database_url)
        volume = open_volume(settings)
        made = back_up(database, volume, file.resolve(), now=time.time(), with_jobs=not without_jobs)
        database.close()
    _tell(f"{file}: {made.files} files, {_size(made.bytes)}, {sum(made.rows.values())} rows", asdict(made), as_json)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_option
@json_option
def restore(file: Path, data: Path | str, as_json: bool) -> None:
    """Put the backup FILE into an empty volume and database.

    The database may be SQLite or PostgreSQL. Stop web and workers first.
    """
    settings = settings_of(data)
    with told():
        volume = open_volume(settings)
        volume.create()
        database = Database(settings.resolved_database_url)
        made = restore_backup(database, volume, file)
        database.close()
    _tell(
        f"restored {made.files} files, {sum(made.rows.values())} rows to {volume.storage.address}",
        asdict(made),
        as_json,
    )


def settings_of(data: Path | str) -> Settings:
    """Those of the environment; Redis is that of `tenfold up` where that runs on this volume and none is named."""
    running = Path(data) / "up.json"
    known: dict[str, Any] = {}
    if "TENFOLD_REDIS_URL" not in os.environ and running.is_file():
        with contextlib.suppress(json.JSONDecodeError):
            known = json.loads(running.read_text())
    return Settings(data=data, redis_url=known["redis"]) if "redis" in known else Settings(data=data)


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong becomes a message and exit code 1."""
    try:
        yield
    except (WorkerError, SQLAlchemyError, RedisError, OSError) as error:
        raise click.ClickException(str(error).splitlines()[0]) from error


@contextmanager
def opened(data: Path | str) -> Iterator[Services]:
    if isinstance(data, Path) and not data.is_dir():
        raise click.ClickException(f"There is no volume at {data.resolve()}; give --data.")
    services = Services.open(settings_of(data))
    try:
        migrate(services.database)
        yield services
    finally:
        services.database.close()


def _print(finding: Finding) -> None:
    colour = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "red"}[finding.status]
    click.echo(f"{click.style(finding.status.value.ljust(4), fg=colour)}  {finding.check}: {finding.message}")
    if finding.remedy:
        click.echo(f"      {finding.remedy}")


def _tell(message: str, document: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        say(message)


def _document(item: Garbage) -> dict[str, Any]:
    return {"kind": item.kind.value, "name": item.name, "reason": item.reason, "bytes": item.bytes}


def _size(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"
