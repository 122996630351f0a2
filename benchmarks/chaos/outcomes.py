"""What came of a job, as digests that are the same whenever the same was ordered, whatever happened meanwhile.

Left out is only what tells of the course of the work: when, how long, how fast, and which worker did how much.
"""

import hashlib
import io
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.services import Services

# How the work went, in a classification's summary and in a training's metrics and history.
COURSE = ("seconds", "images_per_second", "workers")

RESULTS = ("results.csv", "results.jsonl", "results.parquet")
PICTURES = ("confidence.png", "uncertain.png", "confusion.png", "mistakes.png")

Outcome = dict[str, str]


def outcome_of(services: Services, job: Job) -> Outcome:
    """A digest for each part of what a succeeded job has made.

    Raises:
        OSError: a file is missing.
    """
    parts = {JobKind.CLASSIFICATION: _classified, JobKind.TRAINING: _trained, JobKind.SWEEP: _swept}
    return {name: _digest(data) for name, data in parts[job.kind](services, job)}


def weights_of(model: Path) -> Iterator[tuple[str, bytes]]:
    """Each variable of a saved Keras model, by its place in the file."""
    found: list[tuple[str, bytes]] = []

    def note(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found.append((name, np.asarray(item).tobytes()))

    with zipfile.ZipFile(model) as archive:
        stored = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(stored, "r") as file:
        file.visititems(note)
    yield from found


def part_of(trial: Job) -> str:
    """How the parts of an outcome begin that a sweep's trial has made."""
    return f"trial {trial.source['trial']} "


def _classified(services: Services, job: Job) -> Iterator[tuple[str, bytes]]:
    directory = services.volume.job(job.id)
    for name in (*RESULTS, *PICTURES):
        yield name, (directory / name).read_bytes()
    yield "summary.json", _without_course((directory / "summary.json").read_bytes())
    with closing(sqlite3.connect(services.volume.review(job.id) / "queue.sqlite")) as queue:
        for table in ("items", "pictures"):
            yield f"review {table}", repr(queue.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()).encode()


def _trained(services: Services, job: Job) -> Iterator[tuple[str, bytes]]:
    directory = services.volume.model(job.id)
    for name, weights in weights_of(directory / "model.keras"):
        yield f"weights {name}", weights
    yield "metrics.json", _without_course((directory / "metrics.json").read_bytes())


def _swept(services: Services, job: Job) -> Iterator[tuple[str, bytes]]:
    for trial in services.jobs.trials(job.id):
        if trial.state is JobState.SUCCEEDED:
            yield f"{part_of(trial)}values", json.dumps(trial.source["values"]).encode()
            for name, data in _trained(services, trial):
                yield f"{part_of(trial)}{name}", data
    ranked = json.loads((services.volume.job(job.id) / "sweep.json").read_text())["ranking"]
    yield "ranking", repr([row["trial"] for row in ranked]).encode()


def _without_course(data: bytes) -> bytes:
    return json.dumps(_pruned(json.loads(data)), sort_keys=True).encode()


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _pruned(inner) for name, inner in value.items() if name not in COURSE}
    return [_pruned(inner) for inner in value] if isinstance(value, list) else value


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
