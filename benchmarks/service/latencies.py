"""How soon single calls are answered, idle and while the service works, by one client and by four.

`POST /predictions` gets MNIST's test images as PNGs, polls ask for a job that has ended; `GET /healthz` stands beside
them as the baseline.
"""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import httpx

from benchmarks.classifying.zips import write_digits
from benchmarks.service.running import POLL_SECONDS, RECIPE, running_stack, train_model
from tenfold.client import Client, Job
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png

CLIENTS = (1, 4)

# Enough epochs, and enough images one after the other, that the work outlasts what is measured beside it.
LONG_EPOCHS = 1000
BULK_IMAGES, BULK_JOBS = 100_000, 10

WARM_UP = 20

Call = Callable[[httpx.Client, int], httpx.Response]


def measure_latencies(dataset: Dataset, datasets: Path, requests: int) -> list[dict[str, Any]]:
    """A row for each call, while the service does this or that.

    Args:
        requests: of each row.
    """
    pngs = [png(image) for image in dataset.test_images[:1000]]
    with TemporaryDirectory() as directory:
        archive = Path(directory) / "digits.zip"
        write_digits(dataset, BULK_IMAGES, archive)
        with running_stack(datasets) as client:
            return _measure(client, archive, pngs, requests)


def _measure(client: Client, archive: Path, pngs: list[bytes], requests: int) -> list[dict[str, Any]]:
    polled = client.job(train_model(client).id)
    calls: dict[str, Call] = {
        "GET /healthz": lambda http, _: http.get("healthz"),
        "POST /predictions": lambda http, number: http.post("predictions", content=pngs[number % len(pngs)]),
        "GET /jobs/{id}": lambda http, _: http.get(f"jobs/{polled.id}"),
        "GET /jobs/{id}, 304": lambda http, _: http.get(
            f"jobs/{polled.id}", headers={"If-None-Match": polled.etag or ""}
        ),
    }
    loads: dict[str, Callable[[], list[Job]]] = {
        "idle": list,
        "training": lambda: [client.train(RECIPE, epochs=LONG_EPOCHS)],
        "bulk": lambda: [client.classify(archive) for _ in range(BULK_JOBS)],
    }
    rows = []
    click.echo(f"{'while':10}{'call':22}{'clients':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'a second':>10}")
    for load, start in loads.items():
        jobs = start()
        _until_running(jobs)
        for name, call in calls.items():
            for clients in CLIENTS:
                row = {"while": load, "call": name, "clients": clients}
                row |= _latencies(client.server, call, clients, requests)
                rows.append(row)
                click.echo(_line(row))
        _stop(load, jobs)
    return rows


def _latencies(server: str, call: Call, clients: int, requests: int) -> dict[str, float]:
    """Percentiles in milliseconds over all clients' requests together, each client on a connection of its own."""

    def ask(client: int) -> list[float]:
        taken = []
        with httpx.Client(base_url=f"{server}/api/v1/") as http:
            for number in range(-WARM_UP, requests // clients):
                started = time.perf_counter()
                answer = call(http, client * requests + number + WARM_UP)
                seconds = time.perf_counter() - started
                assert answer.status_code in (200, 304), answer.text
                if number >= 0:
                    taken.append(seconds)
        return taken

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        taken = [1000 * seconds for of_client in threads.map(ask, range(clients)) for seconds in of_client]
    elapsed = time.perf_counter() - started
    cuts = statistics.quantiles(taken, n=100)
    rate = (len(taken) + WARM_UP * clients) / elapsed
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "requests_a_second": rate}


def _until_running(jobs: list[Job]) -> None:
    """The first job has made some of its progress: whatever it does only once is behind it."""
    while jobs and not jobs[0].refresh().document["progress"]["fraction"] > 0:
        assert not jobs[0].finished, jobs[0].document
        time.sleep(POLL_SECONDS)


def _stop(load: str, jobs: list[Job]) -> None:
    if jobs and jobs[-1].refresh().finished:
        click.echo(f"the {load} ended before the measuring: its last rows are of an idle machine", err=True)
    for job in reversed(jobs):
        if not job.refresh().finished:
            job.cancel()


def _line(row: dict[str, Any]) -> str:
    figures = "".join(f"{row[name]:9.1f}" for name in ("p50", "p95", "p99"))
    return f"{row['while']:10}{row['call']:22}{row['clients']:>8}{figures}{row['requests_a_second']:10.0f}"
