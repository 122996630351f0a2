"""`tenfold workers`."""

from datetime import UTC, datetime

import click

from web.commands.console import print_json, print_lines, say
from web.commands.server import connect
from web.commands.submit import json_option
from web.documents import WorkerLine, WorkerTask
from web.durations import about

MEGABYTE = 1 << 20


@click.command()
@json_option
def workers(as_json: bool) -> None:
    """List the workers that are alive, and what each is doing."""
    with connect() as client:
        found = client.workers()
    if as_json:
        print_json({"workers": found})
    elif found:
        print_lines([_row(worker) for worker in found])
    else:
        say("No worker is alive: jobs wait. `tenfold up` starts one, or on another machine `tenfold-worker`.")


def _row(worker: WorkerLine) -> tuple[str, ...]:
    return (
        worker["role"],
        f"{worker['host']}:{worker['pid']}",
        worker["device"] or "starting",
        f"{worker['memory_bytes'] / MEGABYTE:,.0f} MB",
        _doing(worker["task"], datetime.now(UTC)) if worker["role"] == "worker" else "answers single images",
    )


def _doing(task: WorkerTask | None, now: datetime) -> str:
    if task is None:
        return "idle"
    since = (now - datetime.fromisoformat(task["since"])).total_seconds()
    step = f"{task['step']} {task['position']}" if task["step"] == "shard" else task["step"]
    return f"{step} of {task['job']} for {about(since).removeprefix('about ')}"
