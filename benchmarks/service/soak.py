"""A mixed load for a long time, beside samples of memory and open files: does anything grow for ever?

Trainings of ever new networks, classifications, their events followed and results fetched, resumable uploads that
nobody takes, polls, pages and single images: each by a thread of its own, at a moderate pace.
"""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import httpx

from benchmarks.classifying.zips import write_digits
from benchmarks.service.plot import draw
from benchmarks.service.running import running_stack, train_model
from benchmarks.service.sampling import Sampler
from tenfold.client import Client, ServerError
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png

ZIPPED_IMAGES = 2000
PREDICTED_IMAGES = 1000
SAY_EVERY_SECONDS = 60

PAGES = ("/", "/jobs", "/models", "/train", "/classify", "/predict", "/datasets", "/compare", "/api/")


@dataclass(frozen=True)
class _Habit:
    """Something that is done again and again, with so many seconds between the ends and the beginnings."""

    name: str
    pause_seconds: float
    do: Callable[[Client, int], None]


def soak(dataset: Dataset, datasets: Path, *, minutes: float, plot: Path | None) -> dict[str, Any]:
    """Trends and curves of each kind of process; what was done, and what failed.

    Args:
        plot: where to draw the curves.
    """
    with TemporaryDirectory() as directory, running_stack(datasets) as client:
        archive = Path(directory) / "digits.zip"
        write_digits(dataset, ZIPPED_IMAGES, archive)
        model = train_model(client).id
        pngs = [png(image) for image in dataset.test_images[:PREDICTED_IMAGES]]
        sampler, done = Sampler(), _Done()
        sampler.start()
        stopping = threading.Event()
        threads = [
            threading.Thread(target=_go_on, args=(habit, client.server, stopping, done))
            for habit in _habits(archive, pngs, model)
        ]
        for thread in threads:
            thread.start()
        _tell(done, minutes)
        stopping.set()
        for thread in threads:
            thread.join()
        sampler.stop()
    roles = sampler.figures()
    for role, figures in roles.items():
        click.echo(_line(role, figures))
    if plot is not None:
        draw(roles, plot)
    return {"minutes": minutes, "roles": roles, "done": dict(done.counts), "failures": dict(done.failures)}


class _Done:
    """What has been done so far, and what has gone wrong."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()


def _habits(archive: Path, pngs: list[bytes], model: str) -> list[_Habit]:
    def train(client: Client, number: int) -> None:
        # Each a network of its own, which is compiled again and stays in its process.
        job = client.train("dense-128-64", epochs=1, seed=number, units=f"{16 + number % 97},{16 + number % 31}")
        _follow(client, job.id)
        _expect(job.refresh().state)
        client.request("DELETE", f"jobs/{job.id}")

    def classify(client: Client, number: int) -> None:
        job = client.classify(archive, model=model).wait()
        _expect(job.state)
        for file in client.request("GET", f"jobs/{job.id}/files").json()["items"]:
            client.send("GET", f"{client.server}{file['href']}")
        client.send("GET", f"{client.server}/jobs/{job.id}")
        client.request("DELETE", f"jobs/{job.id}")

    def leave_an_upload(client: Client, number: int) -> None:
        tus = {"Tus-Resumable": "1.0.0"}
        begun = client.request("POST", "uploads", headers=tus | {"Upload-Length": "1000000"})
        piece = tus | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        client.request("PATCH", f"{client.server}{begun.headers['Location']}", headers=piece, content=b"0" * 500_000)
        client.request("DELETE", f"{client.server}{begun.headers['Location']}", headers=tus)

    def poll(client: Client, number: int) -> None:
        for item in itertools.islice(client.listed("jobs"), 5):
            try:
                client.job(item["id"]).refresh()
            except ServerError as error:
                if error.status != HTTPStatus.NOT_FOUND:  # else its submitter has deleted it meanwhile
                    raise

    def look_at_pages(client: Client, number: int) -> None:
        with httpx.Client(base_url=client.server, timeout=60) as http:
            http.get(PAGES[number % len(PAGES)]).raise_for_status()
            http.get(f"/models/{model}").raise_for_status()

    def predict(client: Client, number: int) -> None:
        client.predict(pngs[number % len(pngs)])

    return [
        _Habit("training", 1, train),
        _Habit("classification", 1, classify),
        _Habit("upload", 2, leave_an_upload),
        _Habit("poll", 0.5, poll),
        _Habit("page", 0.5, look_at_pages),
        _Habit("prediction", 0.2, predict),
    ]


def _go_on(habit: _Habit, server: str, stopping: threading.Event, done: _Done) -> None:
    with Client(server) as client:
        for number in itertools.count():
            if stopping.wait(habit.pause_seconds):
                return
            try:
                habit.do(client, number)
                done.counts[habit.name] += 1
            except Exception as error:
                done.failures[f"{habit.name}: {type(error).__name__}: {error}"[:200]] += 1


def _follow(client: Client, job_id: str) -> None:
    """Read the job's events to their end."""
    with httpx.stream("GET", f"{client.server}/api/v1/jobs/{job_id}/events", timeout=120) as response:
        response.raise_for_status()
        for _ in response.iter_lines():
            pass


def _expect(state: str) -> None:
    assert state == "succeeded", state


def _tell(done: _Done, minutes: float) -> None:
    """Wait, and say on standard error now and then what has been done."""
    started = time.monotonic()
    while (left := 60 * minutes - (time.monotonic() - started)) > 0:
        time.sleep(min(SAY_EVERY_SECONDS, left))
        click.echo(f"{(time.monotonic() - started) / 60:.0f} min: {dict(done.counts)} {dict(done.failures)}", err=True)


def _line(role: str, figures: dict[str, Any]) -> str:
    memory, files = figures["memory_trend"], figures["files_trend"]
    return (
        f"{role:10} memory {memory['first']:6.0f} → {memory['last']:6.0f} MB ({memory['an_hour']:+8.1f} MB an hour)   "
        f"files {files['first']:4.0f} → {files['last']:4.0f} ({files['an_hour']:+6.1f} an hour)   "
        f"{figures['processes']} processes"
    )
