"""One-shot workers as real processes: each does one job and says by its exit code how that went."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from sqlalchemy import select

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import write_digit_zip
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.records import Job, Step
from tenfold.worker.db.states import JobKind, JobState, StepState
from tenfold.worker.process.once import ExitCode
from tenfold.worker.services import Services
from tenfold.worker.training.submission import submit_training
from tenfold.worker.uploads.upload import Upload
from tests.conftest import write_dataset
from tests.reviews import untrained_model
from tests.trainer.trainings import SMALL
from tests.waiting import PATIENCE_SECONDS
from tests.worker.process.test_killed_workers import until


@pytest.fixture
def start(services: Services) -> Callable[..., "subprocess.Popen[str]"]:
    """Start `tenfold-worker --once` on this test's volume."""
    environment = os.environ | {
        "TENFOLD_DATA": str(services.settings.data),
        "TENFOLD_REDIS_URL": services.settings.redis_url,
        "TENFOLD_LOG_FORMAT": "json",
        "TENFOLD_SHARD_IMAGES": "100",
    }

    def start(*options: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tenfold.worker.process.main", "--once", *options],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def few(services: Services, mnist: Dataset) -> str:
    """A data set on which an epoch takes no time."""
    write_dataset(mnist.head(600, 200), services.volume.dataset("few"))
    return "few"


Start = Callable[..., "subprocess.Popen[str]"]


def test_with_nothing_to_do_it_ends_at_once(start: Start) -> None:
    worker = start()

    _, log = worker.communicate(timeout=PATIENCE_SECONDS)

    assert worker.returncode == ExitCode.DONE
    assert "nothing to do" in log


def test_it_trains_the_first_job_in_line_and_leaves_the_others(services: Services, start: Start, few: str) -> None:
    first, second = (train(services, few, epochs=1) for _ in range(2))

    worker = start("--kind", "train")
    _, log = worker.communicate(timeout=PATIENCE_SECONDS)

    assert worker.returncode == ExitCode.DONE, log
    assert services.jobs.get(first.id).state is JobState.SUCCEEDED
    assert services.jobs.get(second.id).state is JobState.QUEUED
    assert services.queue.waiting(JobKind.TRAINING) == 1
    assert f'"job": "{first.id}"' in log


def test_it_does_every_step_of_a_classification(services: Services, start: Start, few: str, mnist: Dataset) -> None:
    training = train(services, few, epochs=1)
    job = classify(services, mnist, images=250)

    worker = start("--kind", "classify", "--job", job.id)
    _, log = worker.communicate(timeout=PATIENCE_SECONDS)

    assert worker.returncode == ExitCode.DONE, log
    ended = services.jobs.get(job.id)
    assert ended.state is JobState.SUCCEEDED
    assert ended.summary is not None
    assert ended.summary["images"] == 250
    assert services.jobs.get(training.id).state is JobState.QUEUED


def test_told_to_stop_it_gives_its_training_back(services: Services, start: Start, few: str) -> None:
    job = train(services, few, epochs=1000)
    worker = start("--kind", "train")
    until(lambda: services.jobs.get(job.id).done >= 1)

    worker.send_signal(signal.SIGTERM)
    _, log = worker.communicate(timeout=PATIENCE_SECONDS)

    assert worker.returncode == ExitCode.TRY_AGAIN, log
    step = only_step(services, job)
    assert (step.state, step.attempts) == (StepState.QUEUED, 0)
    assert (services.volume.work(job.id) / "checkpoint.npz").exists()


def test_a_job_that_cannot_succeed_is_not_worth_another_try(services: Services, start: Start, few: str) -> None:
    job = train(services, few, epochs=1)
    for file in services.volume.dataset("few").iterdir():
        file.unlink()

    worker = start("--job", job.id)
    _, log = worker.communicate(timeout=PATIENCE_SECONDS)

    assert worker.returncode == ExitCode.JOB_FAILED, log
    assert services.jobs.get(job.id).state is JobState.FAILED


def test_a_job_that_there_is_not_is_not_worth_another_try(start: Start) -> None:
    worker = start("--job", "01m0000000000000000000000")

    _, log = worker.communicate(timeout=PATIENCE_SECONDS)

    assert worker.returncode == ExitCode.JOB_FAILED
    assert "01m0000000000000000000000" in log


def train(services: Services, dataset: str, *, epochs: int) -> Job:
    return submit_training(services, TrainingParameters(recipe="custom", dataset=dataset, epochs=epochs, **SMALL))


def classify(services: Services, mnist: Dataset, *, images: int) -> Job:
    """With an untrained network: what it answers does not matter here."""
    model = untrained_model(services)
    path = services.volume.uploads / "received.part"
    write_digit_zip(mnist.test_images[:images], mnist.test_labels[:images], path)
    upload = Upload(path, "digits.zip", path.stat().st_size, "0" * 64)
    return submit_classification(services, ClassificationParameters(model=model), upload)


def only_step(services: Services, job: Job) -> Step:
    with services.database.read() as session:
        return session.scalars(select(Step).where(Step.job_id == job.id)).one()
