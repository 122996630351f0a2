"""`tenfold worker`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from tenfold.cli.output import print_list, table_option
from tenfold.cli.server import connect
from tenfold.durations import about

if TYPE_CHECKING:
    from tenfold.web.api.documents.workers import WorkerDocument, WorkerTask

MEGABYTE = 1 << 20


@click.group()
def worker() -> None:
    """List the workers."""


@worker.command("list")
@table_option
def list_workers(as_json: bool) -> None:
    """List the workers online and their current tasks."""
    with connect() as client:
        found = client.workers()
    header = ("ROLE", "PROCESS", "DEVICE", "MEMORY", "TASK")
    empty = "No workers online, so jobs stay queued. Start one: `tenfold up`, or on another machine `tenfold-worker`."
    print_list(found, header, [_row(worker) for worker in found], as_json=as_json, empty=empty)


def _row(worker: "WorkerDocument") -> tuple[str, ...]:
    return (
        worker["role"],
        f"{worker['host']}:{worker['pid']}",
        worker["device"] or "starting",
        f"{worker['memory_bytes'] / MEGABYTE:,.0f} MB",
        _task(worker["task"], datetime.now(UTC)) if worker["role"] == "worker" else "predictions",
    )


def _task(task: "WorkerTask | None", now: datetime) -> str:
    if task is None:
        return "idle"
    seconds = (now - datetime.fromisoformat(task["started_at"])).total_seconds()
    step = f"{task['step']} {task['position']}" if task["step"] == "shard" else task["step"]
    return f"{step} of {task['job']} for {about(seconds).removeprefix('about ')}"
