"""Whole jobs on each kind of volume: a web and two workers on hosts of their own, which share the volume alone."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.input_spec import SIDE
from tenfold.web.app import create_app
from tenfold.web.core.services import EXTENSION
from tenfold.web.core.settings import WebSettings
from tenfold.worker.db.records import Job, Model
from tenfold.worker.db.schema import migrate
from tenfold.worker.db.states import JobState
from tenfold.worker.models.cache import load_ensemble
from tenfold.worker.process.runner import Runner
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.upkeep.about import about
from tenfold.worker.upkeep.backup import back_up
from tenfold.worker.upkeep.collecting import collect
from tenfold.worker.upkeep.findings import Status
from tenfold.worker.upkeep.restore import restore
from tenfold.worker.upkeep.volume_check import check_volume, put_marker
from tests.conftest import every_volume, write_dataset
from tests.reviews import digits
from tests.sources import member, tar_bytes
from tests.uploads import class_folders, zipped
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = every_volume

IMAGES = 24

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The images' page waits for its index as long as a busy machine needs."""
    monkeypatch.setattr("tenfold.web.pages.images.index.PATIENCE_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def host(settings: Settings, tmp_path: Path) -> Iterator[Callable[[str], Services]]:
    """The services of a host of this name, which has a disk of its own."""
    opened: list[Services] = []

    def open_on(name: str) -> Services:
        about = settings.model_copy(update={"cache": tmp_path / name, "shard_images": 10, "lease_seconds": 2})
        opened.append(Services.open(about))
        return opened[-1]

    migrate(open_on("first").database)
    yield open_on
    for services in opened:
        services.database.close()


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tenfold.worker")


@pytest.fixture
def workers(host: Callable[[str], Services]) -> list[Services]:
    return [host("worker-a"), host("worker-b")]


@pytest.fixture
def web(settings: Settings, tmp_path: Path) -> Iterator[FlaskClient]:
    given = settings.model_dump() | {"cache": tmp_path / "web"}
    app = create_app(WebSettings(**given))
    yield app.test_client()
    app.extensions[EXTENSION].database.close()


def work_off(workers: list[Services], job_id: str) -> Job:
    """Let the workers take turns with the job's steps, until it has ended."""
    turn = 0
    while steps := workers[0].jobs.queued_steps(job_id):
        Runner(workers[turn % len(workers)], shutting_down=lambda: False).run(steps[0])
        turn += 1
    job = workers[0].jobs.get(job_id)
    assert job.state is JobState.SUCCEEDED, job.error
    return job


def put_model(services: Services) -> None:
    """An untrained net: what it answers does not matter here."""
    with services.volume.storage.write_directory(services.volume.model("untrained")) as directory:
        build_model(RECIPES["dropout-128"].plan, classes=10, seed=1, steps=1).save(directory / "model.keras")
    metrics = {"test_accuracy": 0.1, "parameter_count": 101_770}
    with services.database.write() as session:
        session.add(
            Model(
                id="untrained",
                recipe="dropout-128",
                dataset="mnist",
                parameters={},
                metrics=metrics,
                created_at=1.0,
            )
        )
    services.aliases.promote("untrained", who=None)


def post(web: FlaskClient, path: str, content: bytes, **fields: object) -> str:
    response = web.post(f"/api/v1/{path}", data={"file": (io.BytesIO(content), "handed-in"), **fields})
    assert response.status_code == 202, response.text
    return str(response.json["id"])


def read(web: FlaskClient, path: str, **headers: str) -> bytes:
    response = web.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert response.status_code in (200, 206), response.text
    return response.data


@contextmanager
def killed_worker(services: Services, job_id: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A worker of this job in a process of its own, which is killed in the block."""
    about = services.settings.model_dump(include={"data", "cache", "redis_url", "lease_seconds"})
    about["database_url"] = services.settings.resolved_database_url.render_as_string(hide_password=False)
    environment = os.environ | {f"TENFOLD_{name.upper()}": str(value) for name, value in about.items()}
    command = [sys.executable, "-m", "tenfold.worker.process.main", "--once", "--job", job_id]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_an_archive_is_classified_by_two_workers_and_looked_through_and_reviewed(
    web: FlaskClient, workers: list[Services], mnist: Dataset, volume_kind: str
) -> None:
    put_model(workers[0])
    files = digits(mnist, IMAGES)
    # A bucket gives a zip's members by range requests, and a compressed tar from its start.
    tar = tar_bytes([member(name, data) for name, data in files.items()], "gz")
    packed = zipped(files) if volume_kind == "bucket" else tar

    job = work_off(workers, post(web, "classifications", packed, review_below="1"))

    address = f"/api/v1/jobs/{job.id}/files"
    lines = read(web, f"{address}/results.jsonl")
    assert [json.loads(line)["name"] for line in lines.splitlines()] == list(files)
    assert read(web, f"{address}/results.jsonl", Range="bytes=10-19") == lines[10:20]
    listed = {file["name"]: file["bytes"] for file in json.loads(read(web, address))["items"]}
    assert listed["results.jsonl"] == len(lines)
    assert {"log.txt", "summary.json", "results.parquet", "uncertain.png"} <= listed.keys()
    assert not {name for name in listed if "shard" in name or "contents" in name}
    assert read(web, f"{address}/log.txt").count(b"attempt 1") == 5  # the plan, three shards and the merge
    assert b"merge 0: attempt 1" in read(web, f"/jobs/{job.id}")
    assert b"003.png" in read(web, f"/jobs/{job.id}/images")
    assert read(web, f"/jobs/{job.id}/images/3/picture?large=1") == files["003.png"]
    assert not workers[0].volume.storage.files(workers[0].volume.work(job.id))

    for row in range(IMAGES):
        label = str(mnist.test_labels[row])
        assert web.put(f"/api/v1/jobs/{job.id}/review/{row}", json={"label": label}).status_code == 200
    review = web.post("/api/v1/reviews", json={"classification": job.id, "dataset": "corrected"})
    work_off(workers, review.json["id"])

    assert json.loads(read(web, f"{address}/results.jsonl").splitlines()[3])["corrected"] == str(mnist.test_labels[3])
    made = json.loads(read(web, "/api/v1/datasets/corrected"))
    assert made["train_images"] + made["test_images"] == IMAGES
    assert b"003.png" in read(web, f"/jobs/{job.id}/images")
    assert web.delete(f"/api/v1/jobs/{job.id}").status_code == 204
    assert job.id not in workers[1].volume.storage.names(workers[1].volume.jobs)


def test_an_upload_arrives_in_pieces_and_goes_on_after_it_was_broken_off(
    web: FlaskClient, workers: list[Services], mnist: Dataset
) -> None:
    put_model(workers[0])
    content = zipped(digits(mnist, 4))
    begun = web.post("/api/v1/uploads", headers=TUS | {"Upload-Length": str(len(content))})
    address, half = begun.headers["Location"], len(content) // 2

    for offset, piece, status in (
        (0, content[:half], HTTPStatus.NO_CONTENT),
        (0, content[:half], HTTPStatus.CONFLICT),
        (half, content[half:], HTTPStatus.NO_CONTENT),
    ):
        headers = PIECE | {"Upload-Offset": str(offset)}
        assert web.patch(address, data=piece, headers=headers).status_code == status
        assert web.head(address).headers["Upload-Offset"] == str(half if offset == 0 else len(content))
    upload_id = address.rpartition("/")[2]
    assert upload_id in [upload["id"] for upload in json.loads(read(web, "/api/v1/uploads"))["items"]]
    for key in ("first", "second"):  # it can be submitted again until it expires
        submitted = web.post(f"/api/v1/classifications?upload={upload_id}", headers={"Idempotency-Key": key})
        assert submitted.status_code == HTTPStatus.ACCEPTED, submitted.text
    job = work_off(workers, submitted.json["id"])
    assert web.delete(address).status_code == HTTPStatus.NO_CONTENT

    assert job.total == 4
    assert read(web, f"/api/v1/jobs/{job.id}/files/input.zip") == content
    assert web.head(address).status_code == HTTPStatus.NOT_FOUND


def test_a_training_whose_worker_is_killed_goes_on_on_another_host_and_its_model_serves_on_a_third(
    web: FlaskClient, workers: list[Services], host: Callable[[str], Services], mnist: Dataset
) -> None:
    first, second = workers
    write_dataset(mnist.head(train=10_000, test=100), first.volume.dataset("tiny"))
    first.volume.storage.publish(first.volume.dataset("tiny"))
    submitted = web.post("/api/v1/trainings", json={"recipe": "dropout-128", "epochs": 12, "dataset": "tiny"})
    job_id = str(submitted.json["id"])

    [step] = first.jobs.queued_steps(job_id)
    with killed_worker(first, job_id) as worker:
        until(lambda: first.jobs.get(job_id).done >= 1)
        os.kill(worker.pid, signal.SIGKILL)
    done = first.jobs.get(job_id).detail["history"]
    until(lambda: Runner(second, shutting_down=lambda: False).run(step) or second.jobs.get(job_id).state.final)

    log = read(web, f"/api/v1/jobs/{job_id}/files/log.txt").decode()
    assert "train 0: attempt 2" in log
    assert "epoch 12 of 12" in log
    assert second.jobs.get(job_id).detail["history"][: len(done)] == done != []
    files = {file["name"] for file in json.loads(read(web, f"/api/v1/models/{job_id}/files"))["items"]}
    assert {"model.keras", "history.csv", "curves.png"} <= files
    assert len([name for name in files if name.startswith("tensorboard/train/")]) == 2
    assert b"history.csv" in read(web, f"/models/{job_id}")
    assert b"10,000" in read(web, "/datasets/tiny")
    third = host("third")
    panel = load_ensemble([third.models.get(job_id)], third.volume)
    assert panel.ensemble.classify(mnist.test_images[:2].reshape(2, SIDE, SIDE)).shape == (2, 10)
    assert web.delete("/api/v1/aliases/production").status_code == 204
    assert web.delete(f"/api/v1/models/{job_id}").status_code == 204
    assert not third.volume.storage.names(third.volume.models)


def test_a_data_set_is_imported_listed_and_deleted(web: FlaskClient, workers: list[Services], mnist: Dataset) -> None:
    content = class_folders(mnist, {0: "ring", 1: "stroke"}, images=300)

    job = work_off(workers, post(web, "datasets", content, name="shapes"))

    entry = json.loads(read(web, "/api/v1/datasets/shapes"))
    assert entry["classes"] == ["ring", "stroke"]
    assert entry["ready"]
    assert entry["train_images"] + entry["test_images"] > 50
    assert read(web, "/api/v1/datasets/shapes/preview.png").startswith(b"\x89PNG")
    assert b"shapes" in read(web, "/datasets")
    assert not workers[1].volume.storage.find(workers[1].volume.upload(job.id))
    taken = web.post("/api/v1/datasets", data={"file": (io.BytesIO(content), "again.zip"), "name": "shapes"})
    assert "shapes is already in use" in taken.text
    assert web.delete("/api/v1/datasets/shapes").status_code == 204
    assert not workers[0].volume.storage.names(workers[0].volume.datasets)


def test_all_is_put_into_a_backup_and_back_onto_a_volume_of_the_other_kind(
    web: FlaskClient, workers: list[Services], mnist: Dataset, tmp_path: Path, volume_kind: str, buckets: object
) -> None:
    services = workers[0]
    put_model(services)
    job = work_off(workers, post(web, "classifications", zipped(digits(mnist, 3))))
    before = read(web, f"/api/v1/jobs/{job.id}/files/results.csv")
    log = read(web, f"/api/v1/jobs/{job.id}/files/log.txt")

    back_up(services.database, services.volume, tmp_path / "backup.tar", now=1.0)
    other = tmp_path / "other" if volume_kind == "bucket" else buckets.new()  # type: ignore[attr-defined]
    about = services.settings.model_copy(
        update={"data": other, "cache": tmp_path / "copies", "database_url": f"sqlite:///{tmp_path / 'other.db'}"}
    )
    again = Services.open(about)
    migrate(again.database)
    restore(again.database, again.volume, tmp_path / "backup.tar")

    with again.volume.storage.open(again.volume.job(job.id) / "results.csv") as file:
        assert file.read() == before
    assert again.volume.storage.fetch(again.volume.log(job.id)).read_bytes() == log
    assert again.volume.model_files("untrained").keys() == {"model.keras"}
    assert again.volume.storage.fetch(again.volume.review(job.id)).is_dir()
    again.database.close()


def test_what_no_row_knows_is_found_and_removed(workers: list[Services], host: Callable[[str], Services]) -> None:
    services = workers[0]
    put_model(services)
    with services.volume.storage.write_directory(services.volume.model("orphan")) as directory:
        (directory / "model.keras").write_bytes(b"net")
    stray = services.volume.job("stray") / "input.zip"
    stray.parent.mkdir()
    stray.write_bytes(b"images")
    services.volume.storage.publish(stray)
    tomorrow = services.clock() + 100_000

    found = collect(replace(services, clock=lambda: tomorrow), with_orphans=True)

    assert {item.name for item in found.garbage} == {"models/orphan", "jobs/stray"}
    other = host("other")
    assert other.volume.storage.names(other.volume.models) == ["untrained"]
    assert not other.volume.storage.names(other.volume.jobs)


def test_the_doctor_finds_the_volume_well(workers: list[Services]) -> None:
    [finding] = [each for each in check_volume(workers[0].settings) if each.check == "volume"]

    assert finding.status is Status.OK
    marker = put_marker(workers[0].volume)
    assert about(workers[1].volume, marker.name)["sees_volume"]
    workers[0].volume.storage.remove(marker)
    assert not about(workers[1].volume, marker.name)["sees_volume"]
    assert not [name for name in workers[0].volume.storage.names(workers[0].volume.root) if "doctor" in name]
