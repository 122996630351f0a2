"""How soon the service answers, idle and while it works: `python -m benchmarks.service [--json FILE]`.

Starts the whole stack as `tenfold up` does, trains a net, then measures `POST /predictions` with MNIST's test images as
PNGs, and polling a job, beside `GET /healthz` in the same rounds: idle, during a training, during a classification in
bulk. See docs/service.md.
"""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import httpx

from benchmarks.classifying.zips import write_digits
from trainer.datasets import load_dataset
from trainer.fetch import ensure_dataset
from trainer.samples import png
from web.client import Client, Job
from web.stack import Stack

CLIENTS = (1, 4)

# Enough epochs, and enough images one after the other, that the work outlasts what is measured beside it.
RECIPE, QUICK_EPOCHS, LONG_EPOCHS = "dense-128-64", 2, 1000
BULK_IMAGES, BULK_JOBS = 100_000, 10

WARM_UP = 20
POLL_SECONDS = 0.1

Call = Callable[[httpx.Client, int], httpx.Response]


@click.command()
@click.option("--requests", default=300, show_default=True, help="For each row of the table.")
@click.option("--datasets", type=click.Path(path_type=Path), default=Path("data/datasets"), show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows here.")
def main(requests: int, datasets: Path, json_file: Path | None) -> None:
    """Measure how soon single calls are answered."""
    ensure_dataset("mnist", datasets)
    dataset = load_dataset("mnist", datasets)
    pngs = [png(image) for image in dataset.test_images[:1000]]
    with TemporaryDirectory() as directory:
        archive = Path(directory) / "digits.zip"
        write_digits(dataset, BULK_IMAGES, archive)
        with _running(Path(directory) / "data", datasets) as client:
            rows = _measure(client, archive, pngs, requests)
    if json_file:
        json_file.write_text(json.dumps({"machine": _machine(), "rows": rows}, indent=2))


def _measure(client: Client, archive: Path, pngs: list[bytes], requests: int) -> list[dict[str, Any]]:
    trained = client.train(RECIPE, epochs=QUICK_EPOCHS).wait()
    assert trained.state == "succeeded", trained.document
    polled = client.job(trained.id)
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


@contextmanager
def _running(data: Path, datasets: Path) -> Iterator[Client]:
    (data / "datasets").mkdir(parents=True)
    (data / "datasets" / "mnist").symlink_to((datasets / "mnist").resolve())
    stack = Stack(data, port=0)
    stack.start()
    try:
        with Client(stack.url) as client:
            while client.request("GET", "readyz").json()["checks"]["predictor"] != "ok":
                time.sleep(POLL_SECONDS)
            yield client
    finally:
        stack.stop()


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


def _machine() -> dict[str, Any]:
    return {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "python": sys.version}


if __name__ == "__main__":
    main()
