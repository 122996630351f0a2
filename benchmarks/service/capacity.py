"""Each kind of call by many clients at once: how many a second, how soon, and what one costs the server's processor.

The clients are on the same machine, so the requests a second are of both together; the processor time of a request is
the server's alone.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from benchmarks.classifying.zips import write_digits
from benchmarks.service.clients import Call, ask_as_fast_as_answered
from benchmarks.service.processes import cpu_seconds, usages
from benchmarks.service.running import RECIPE, UNLIMITED, cancel_all, running_bare, running_stack, train_model
from tenfold.client import Client
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png

CLIENTS = 16

# A share of a row's time before it is measured: connections are opened, rows are read for the first time.
WARM_UP = 0.2

UPLOADED_IMAGES = 10_000
PREDICTED_IMAGES = 1000

BARE = "bare route"


@dataclass(frozen=True)
class _Row:
    """A kind of call, and whose processor time it costs."""

    name: str
    call: Call
    server: str = "web"


def measure_capacity(dataset: Dataset, datasets: Path, seconds: float) -> list[dict[str, Any]]:
    """A row for each kind of call, the bare route's first and last: it tells how steady the machine was.

    Args:
        seconds: how long each row is measured.
    """
    click.echo(
        f"{'call':28}{'a second':>9}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}{'server ms':>10}{'× bare':>7}"
        f"{'web MB':>8}{'files':>6}{'worker MB':>10}{'files':>6}"
    )
    measured: list[dict[str, Any]] = []
    with running_bare() as bare, running_stack(datasets, **UNLIMITED) as client:
        for row in _rows(client, bare, dataset):
            measured.append(_measure(row, seconds))
            measured[-1]["times_bare"] = measured[-1]["server_ms"] / measured[0]["server_ms"]
            click.echo(_line(measured[-1]))
            cancel_all(client)
    return measured


def _rows(client: Client, bare: str, dataset: Dataset) -> list[_Row]:
    api = f"{client.server}/api/v1"
    trained = train_model(client)
    poll = f"{api}/jobs/{trained.id}"
    pngs = [png(image) for image in dataset.test_images[:PREDICTED_IMAGES]]
    archive = _zip(dataset)
    training = f'{{"recipe": "{RECIPE}", "epochs": 1}}'.encode()
    known = {"If-None-Match": client.job(trained.id).etag or ""}
    return [
        _Row(BARE, Call("GET", f"{bare}/"), "bare"),
        _Row("GET /healthz", Call("GET", f"{api}/healthz")),
        _Row("GET /jobs/{id}", Call("GET", poll)),
        _Row("GET /jobs/{id} → 304", Call("GET", poll, known)),
        _Row("GET /jobs", Call("GET", f"{api}/jobs")),
        _Row("GET / (page)", Call("GET", f"{client.server}/")),
        _Row("download, 1.3 MB", Call("GET", f"{api}/models/{trained.id}/files/model.keras")),
        _Row("POST /predictions", Call("POST", f"{api}/predictions", make=lambda number: pngs[number % len(pngs)])),
        _Row(
            "POST /trainings",
            Call("POST", f"{api}/trainings", {"Content-Type": "application/json"}, lambda number: training),
        ),
        _Row(
            f"upload, {len(archive) / 1e6:.1f} MB",
            Call("POST", f"{api}/classifications", {"Content-Type": "application/zip"}, lambda number: archive),
        ),
        _Row(BARE, Call("GET", f"{bare}/"), "bare"),
    ]


def _measure(row: _Row, seconds: float) -> dict[str, Any]:
    ask_as_fast_as_answered(row.call, clients=CLIENTS, seconds=WARM_UP * seconds)
    before = cpu_seconds(row.server)
    outcome = ask_as_fast_as_answered(row.call, clients=CLIENTS, seconds=seconds)
    after = usages()
    spent = after[row.server].cpu_seconds - before
    return {
        "call": row.name,
        "clients": CLIENTS,
        **outcome.figures(),
        "server_ms": 1000 * spent / outcome.requests,
        "memory_mb": {role: usage.memory_bytes / 1e6 for role, usage in after.items()},
        "open_files": {role: usage.open_files for role, usage in after.items()},
    }


def _zip(dataset: Dataset) -> bytes:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "digits.zip"
        write_digits(dataset, UPLOADED_IMAGES, path)
        return path.read_bytes()


def _line(row: dict[str, Any]) -> str:
    memory, files = row["memory_mb"], row["open_files"]
    wrong = {status: count for status, count in row["statuses"].items() if status not in ("200", "202", "304")}
    return (
        f"{row['call']:28}{row['requests_a_second']:9.0f}{row['p50']:8.1f}{row['p95']:8.1f}{row['p99']:8.1f}"
        f"{row['server_ms']:10.2f}{row['times_bare']:7.2f}"
        f"{memory['web']:8.0f}{files['web']:6}{memory['worker']:10.0f}{files['worker']:6}"
        + (f"  {wrong} {row['errors']}" if wrong or row["errors"] else "")
    )
