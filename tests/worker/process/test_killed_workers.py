"""Real worker processes on a real Redis, killed in the middle of their work: nothing is lost, nothing done twice."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.trainer.data.samples import png
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.records import Job, Step
from tenfold.worker.db.schema import migrate
from tenfold.worker.db.states import JobKind, JobState, StepState
from tenfold.worker.redis import connect_redis
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.training.submission import submit_training
from tenfold.worker.uploads.upload import Upload
from tests.conftest import write_dataset
from tests.reviews import untrained_model
from tests.trainer.trainings import SMALL
from tests.waiting import PATIENCE_SECONDS, until

# Long enough that a busy machine renews in time.
LEASE_SECONDS = 15

IMAGES = 12_000
SHARD_IMAGES = 6_000

# No row has this id: its message costs a worker nothing.
NO_STEP = 10**9
MESSAGES = 20


class Fleet:
    """Worker processes, each in a process group of its own."""

    def __init__(self, settings: Settings, log: Path, **environment: str) -> None:
        self._environment = (
            os.environ
            | environment
            | {
                "TENFOLD_DATA": str(settings.data),
                "TENFOLD_REDIS_URL": settings.redis_url,
                "TENFOLD_LEASE_SECONDS": str(LEASE_SECONDS),
                "TENFOLD_MAX_ATTEMPTS": "100",  # a machine that stalls for a lease's length fails no test
                "TENFOLD_RECONCILE_SECONDS": "1",
                "TENFOLD_SHARD_IMAGES": str(SHARD_IMAGES),
                "TENFOLD_PROGRESS_SECONDS": "0",
            }
        )
        self.log = log
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tenfold.worker.process.main"],
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def kill(self, worker: str) -> None:
        """SIGKILL the worker of this name, parent and children, as if its machine lost power."""
        os.killpg(self._group(worker), signal.SIGKILL)

    def terminate(self, worker: str) -> "subprocess.Popen[bytes]":
        group = self._group(worker)
        os.kill(group, signal.SIGTERM)
        return next(process for process in self.processes if process.pid == group)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _group(self, worker: str) -> int:
        host, _, pid = worker.rpartition("-")
        assert host == socket.gethostname()
        return os.getpgid(int(pid))


@contextmanager
def opened(data: Path, redis_url: str, datasets: Path) -> Iterator[Services]:
    services = Services.open(Settings(data=data, redis_url=redis_url))
    migrate(services.database)
    write_dataset(load_dataset("mnist", datasets).head(train=6000, test=1000), services.volume.datasets / "few")
    yield services
    services.database.close()


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory, redis_database: Callable[[int], str], datasets: Path
) -> Iterator[Services]:
    with opened(tmp_path_factory.mktemp("volume"), redis_database(900), datasets) as services:
        yield services


@pytest.fixture(scope="module")
def fleet(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two workers, kept at two by the tests that kill one."""
    workers = Fleet(services.settings, tmp_path_factory.mktemp("log") / "workers.log")
    workers.start()
    workers.start()
    yield workers
    workers.stop()


@pytest.fixture(scope="module")
def model(services: Services) -> str:
    """An untrained network in the registry: what it answers does not matter here."""
    return untrained_model(services)


def test_a_shard_whose_worker_is_killed_is_done_by_another_and_every_image_is_there_once(
    services: Services, fleet: Fleet, model: str, mnist: Dataset
) -> None:
    upload, names = zip_of_digits(services, mnist)
    job = submit_classification(services, ClassificationParameters(model=model), upload)

    victim = until(lambda: running_step(services, job.id, kind="shard"))
    until(lambda: services.live.read(job.id)[0] > 0)
    assert victim.worker is not None
    fleet.kill(victim.worker)
    fleet.start()

    ended = until(lambda: finished(services, job.id))
    assert ended.state is JobState.SUCCEEDED, ended.error
    assert step(services, victim.id).attempts >= 2
    assert [row["name"] for row in results(services, job.id)] == names
    assert ended.summary is not None
    assert ended.summary["images"] == IMAGES
    assert not services.volume.work(job.id).exists()


def test_a_training_whose_worker_is_killed_goes_on_from_its_last_epoch(services: Services, fleet: Fleet) -> None:
    job = submit_training(services, TrainingParameters(recipe="dropout-128", dataset="few", epochs=60))

    until(lambda: services.jobs.get(job.id).done >= 2)
    until(lambda: 0 < services.live.read(job.id)[0] < 1)
    victim = running_step(services, job.id, kind="train")
    assert victim is not None
    assert victim.worker is not None
    fleet.kill(victim.worker)
    fleet.start()

    ended = until(lambda: finished(services, job.id))
    assert ended.state is JobState.SUCCEEDED, ended.error
    assert step(services, victim.id).attempts >= 2
    assert [epoch["epoch"] for epoch in ended.detail["history"]] == list(range(1, 61))
    log = services.volume.log(job.id).read_text()
    epochs = re.findall(r"epoch (\d+) of 60:", log)
    assert epochs[0] == "1"
    assert len(epochs) == len(set(epochs))
    assert services.models.get(job.id).metrics["test_accuracy"] > 0.9


def test_a_cancelled_training_stops_and_leaves_no_model(services: Services, fleet: Fleet) -> None:
    job = submit_training(services, TrainingParameters(recipe="dropout-128", dataset="few", epochs=1000))
    until(lambda: services.jobs.get(job.id).done >= 1)

    services.jobs.cancel(job.id)

    until(lambda: "stopped:" in services.volume.log(job.id).read_text())
    assert services.jobs.get(job.id).state is JobState.CANCELLED
    assert not services.volume.model(job.id).exists()


def test_a_worker_told_to_stop_gives_its_step_back_and_another_goes_on(services: Services, fleet: Fleet) -> None:
    job = submit_training(services, TrainingParameters(recipe="dropout-128", dataset="few", epochs=1000))
    until(lambda: services.jobs.get(job.id).done >= 1)
    first = running_step(services, job.id, kind="train")
    assert first is not None
    assert first.worker is not None

    stopped = fleet.terminate(first.worker)

    assert stopped.wait(PATIENCE_SECONDS) == 0
    second = until(
        lambda: (found := running_step(services, job.id, kind="train")) and found.worker != first.worker and found
    )
    assert second.attempts == 1
    services.jobs.cancel(job.id)


def test_a_redis_whose_memory_is_full_ends_no_worker(services: Services, fleet: Fleet) -> None:
    workers = [process for process in fleet.processes if process.poll() is None]
    services.queue.announce(JobKind.CLASSIFICATION, [NO_STEP] * MESSAGES)
    with connect_redis(services.settings.redis_url) as redis:
        until(lambda: services.queue.waiting(JobKind.CLASSIFICATION) < MESSAGES)
        redis.config_set("maxmemory", 1)
        until(lambda: "command not allowed" in fleet.log.read_text())
        redis.config_set("maxmemory", 0)

    until(lambda: services.queue.waiting(JobKind.CLASSIFICATION) == 0)

    assert [worker.poll() for worker in workers] == [None] * len(workers)


def test_a_process_that_holds_too_much_memory_is_replaced_after_its_step(
    tmp_path: Path, redis_database: Callable[[int], str], datasets: Path
) -> None:
    """With as little as TensorFlow alone takes, that is after each."""
    with opened(tmp_path / "volume", redis_database(901), datasets) as services:
        alone = Fleet(services.settings, tmp_path / "worker.log", TENFOLD_MAX_PROCESS_BYTES=str(2**28))
        alone.start()
        try:
            workers = [train_briefly(services) for _ in range(2)]
        finally:
            alone.stop()

    assert workers[0] != workers[1]


def train_briefly(services: Services) -> str | None:
    """Train a net; the process that did it."""
    job = submit_training(services, TrainingParameters(recipe="custom", dataset="few", epochs=1, **SMALL))
    assert until(lambda: finished(services, job.id)).state is JobState.SUCCEEDED
    with services.database.read() as session:
        return session.scalars(select(Step.worker).where(Step.job_id == job.id)).one()


def zip_of_digits(services: Services, mnist: Dataset) -> tuple[Upload, list[str]]:
    path = services.volume.uploads / "received.part"
    images = [png(image) for image in mnist.test_images[:500]]
    names = [f"{mnist.test_labels[n % 500]}/{n:05d}.png" for n in range(IMAGES)]
    with zipfile.ZipFile(path, "w") as archive:
        for n, name in enumerate(names):
            archive.writestr(name, images[n % 500])
    return Upload(path, "digits.zip", path.stat().st_size, "0" * 64), names


def results(services: Services, job_id: str) -> list[dict[str, object]]:
    lines = (services.volume.job(job_id) / "results.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def running_step(services: Services, job_id: str, *, kind: str) -> Step | None:
    with services.database.read() as session:
        return session.scalar(
            select(Step).where(Step.job_id == job_id, Step.kind == kind, Step.state == StepState.RUNNING)
        )


def step(services: Services, step_id: int) -> Step:
    with services.database.read() as session:
        found = session.get(Step, step_id)
    assert found is not None
    return found


def finished(services: Services, job_id: str) -> Job | None:
    job = services.jobs.get(job_id)
    return job if job.state.final else None


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there is a GPU")
def test_a_worker_that_is_to_use_a_gpu_where_there_is_none_ends_and_says_what_to_do(services: Services) -> None:
    worker = subprocess.run(
        [sys.executable, "-m", "tenfold.worker.process.main"],
        env=os.environ
        | {
            "TENFOLD_DATA": str(services.settings.data),
            "TENFOLD_REDIS_URL": services.settings.redis_url,
            "TENFOLD_DEVICE": "gpu",
        },
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_SECONDS,
    )

    assert worker.returncode == 1
    assert "TensorFlow finds no GPU here: set the device to auto or cpu" in worker.stderr
