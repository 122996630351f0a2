"""A mix of calls at the rate that the service is rated for, then at ten times that from ten times as many clients, then
at the rated one again. Nothing may fail: what is too much is refused with `429` or `503` and `Retry-After`."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from benchmarks.classifying.zips import write_digits
from benchmarks.service.clients import Call, ask_at_a_rate
from benchmarks.service.processes import usages
from benchmarks.service.running import RECIPE, cancel_all, running_stack, train_model
from tenfold.client import Client
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png

# What a default `tenfold up`, or one web of compose, is rated for on two cores.
RATED_A_SECOND, RATED_CLIENTS = 100, 50
TIMES = 10

GOOD = ("200", "202", "304")
REFUSED = ("429", "503")

ZIPPED_IMAGES = 100
PREDICTED_IMAGES = 1000


def measure_overload(dataset: Dataset, datasets: Path, seconds: float) -> list[dict[str, Any]]:
    """Three rows: rated, ten times that, rated again. The second takes as long as both others together, and more.

    Args:
        seconds: how long each rated row is measured.
    """
    measured = []
    with running_stack(datasets) as client:
        calls = _mix(client, dataset)
        plan = (("rated", 1, seconds), (f"{TIMES} × rated", TIMES, 3 * seconds), ("rated again", 1, seconds))
        for name, times, duration in plan:
            outcome = ask_at_a_rate(
                calls, a_second=times * RATED_A_SECOND, connections=times * RATED_CLIENTS, seconds=duration
            )
            row = {"load": name, "asked_a_second": times * RATED_A_SECOND, "clients": times * RATED_CLIENTS}
            row |= outcome.figures()
            web = usages()["web"]
            row |= {"web_mb": web.memory_bytes / 1e6, "web_open_files": web.open_files, **_sums(row)}
            measured.append(row)
            click.echo(_line(row))
            cancel_all(client)
    return measured


def _mix(client: Client, dataset: Dataset) -> list[Call]:
    """A hundred calls: mostly polls, as it is with programs and open pages; of each hundred three submit something."""
    api = f"{client.server}/api/v1"
    trained = train_model(client)
    pngs = [png(image) for image in dataset.test_images[:PREDICTED_IMAGES]]
    archive = _zip(dataset)
    training = f'{{"recipe": "{RECIPE}", "epochs": 1}}'.encode()
    known = {"If-None-Match": client.job(trained.id).etag or ""}
    counted = [
        (45, Call("GET", f"{api}/jobs/{trained.id}", known)),
        (25, Call("GET", f"{api}/jobs/{trained.id}")),
        (5, Call("GET", f"{api}/jobs")),
        (5, Call("GET", f"{client.server}/")),
        (5, Call("GET", f"{client.server}/jobs/{trained.id}")),
        (8, Call("POST", f"{api}/predictions", make=lambda number: pngs[number % len(pngs)])),
        (4, Call("GET", f"{api}/models/{trained.id}/files/model.keras")),
        (2, Call("POST", f"{api}/trainings", {"Content-Type": "application/json"}, lambda number: training)),
        (1, Call("POST", f"{api}/classifications", {"Content-Type": "application/zip"}, lambda number: archive)),
    ]
    calls = [call for count, call in counted for _ in range(count)]
    # Every kind spread over the hundred: 37 has no factor in common with it.
    return [calls[number * 37 % len(calls)] for number in range(len(calls))]


def _zip(dataset: Dataset) -> bytes:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "digits.zip"
        write_digits(dataset, ZIPPED_IMAGES, path)
        return path.read_bytes()


def _sums(row: dict[str, Any]) -> dict[str, int]:
    statuses = row["statuses"]
    answered = sum(statuses.get(status, 0) for status in GOOD)
    refused = sum(statuses.get(status, 0) for status in REFUSED)
    return {"answered": answered, "refused": refused, "failed": row["requests"] - answered - refused}


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['load']:12} {row['asked_a_second']:>5}/s from {row['clients']:>3} clients: answered {row['answered']}, "
        f"refused {row['refused']} ({row['refusals_without_retry_after']} without Retry-After), "
        f"failed {row['failed']}; "
        f"ms p50 {row['p50']:.1f}, p95 {row['p95']:.1f}, p99 {row['p99']:.1f}, longest {row['longest']:.0f}; "
        f"web {row['web_mb']:.0f} MB, {row['web_open_files']} files; {row['statuses']} {row['errors'] or ''}"
    )
