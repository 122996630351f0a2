"""An update under way: workers of the version before and of the next share a Redis and a database, as real processes.

They are the same code, told to pass themselves off as this version of workers and the next.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select

from tenfold.trainer.data.datasets import Dataset
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.records import Job, Step
from tenfold.worker.db.schema import migrate
from tenfold.worker.db.states import JobKind, JobState, StepState
from tenfold.worker.jobs.queue import RUN_STEP, VERSION, create_celery
from tenfold.worker.redis import connect_redis
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.versions import STEP_VERSION
from tests.reviews import digits, untrained_model
from tests.uploads import received, zipped
from tests.waiting import until

OLD, NEW, LATER_STILL = STEP_VERSION, STEP_VERSION + 1, STEP_VERSION + 2


class Rollout:
    """The volume, database and Redis that all share, and processes of both versions."""

    def __init__(self, directory: Path, redis_url: str) -> None:
        self.settings = Settings(data=directory / "data", redis_url=redis_url)
        self.redis: Redis = connect_redis(redis_url)
        self.webs = {
            version: Services.open(self.settings.model_copy(update={"step_version": version})) for version in (OLD, NEW)
        }
        migrate(self.webs[OLD].database)
        self.workers: dict[int, subprocess.Popen[bytes]] = {}
        self._log = directory / "workers.log"

    def start_worker(self, version: int) -> None:
        told = {
            "TENFOLD_DATA": str(self.settings.data),
            "TENFOLD_REDIS_URL": self.settings.redis_url,
            "TENFOLD_STEP_VERSION": str(version),
            "TENFOLD_RECONCILE_SECONDS": "1",
            "TENFOLD_SHARD_IMAGES": "2",
        }
        with self._log.open("ab") as log:
            self.workers[version] = subprocess.Popen(
                [sys.executable, "-m", "tenfold.worker.process.main", "--kind", "classify"],
                env=os.environ | told,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop_worker(self, version: int) -> None:
        """As an update does: it is told to, and gives its step back."""
        self.workers[version].send_signal(signal.SIGTERM)
        self.workers[version].wait()

    def stop(self) -> None:
        for worker in self.workers.values():
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        for web in self.webs.values():
            web.database.close()

    def submit(self, version: int, mnist: Dataset) -> str:
        """A classification of six images, three shards, taken in by the web of this version."""
        web = self.webs[version]
        upload = received(web, zipped(digits(mnist, 6)), "digits.zip")
        return submit_classification(web, ClassificationParameters(), upload).id

    def ended(self, job_id: str) -> Job | None:
        job = self.webs[NEW].jobs.get(job_id)
        return job if job.state.final else None

    def steps(self, job_id: str) -> list[Step]:
        with self.webs[NEW].database.read() as session:
            return list(session.scalars(select(Step).where(Step.job_id == job_id)))


@pytest.fixture
def rollout(tmp_path: Path, redis_url: str) -> Iterator[Rollout]:
    under_way = Rollout(tmp_path, redis_url)
    untrained_model(under_way.webs[OLD])
    yield under_way
    under_way.stop()


def test_an_update_under_way_ends_every_job_right(rollout: Rollout, mnist: Dataset) -> None:
    rollout.start_worker(OLD)
    of_the_new_web = rollout.submit(NEW, mnist)
    of_the_old_web = rollout.submit(OLD, mnist)
    first = until(lambda: rollout.ended(of_the_old_web))
    assert first.state is JobState.SUCCEEDED, first.error
    rollout.webs[OLD].queue.announce(JobKind.CLASSIFICATION, [step.id for step in rollout.steps(of_the_new_web)])
    later_still = create_celery(rollout.settings.redis_url)
    later_still.send_task(RUN_STEP, args=["of", "another form"], queue="classification", headers={VERSION: LATER_STILL})
    until(lambda: rollout.redis.llen(f"classification.{LATER_STILL}"))

    assert rollout.webs[OLD].jobs.get(of_the_new_web).state is JobState.QUEUED
    assert [(step.state, step.attempts) for step in rollout.steps(of_the_new_web)] == [(StepState.QUEUED, 0)]

    rollout.start_worker(NEW)
    together = [of_the_new_web, *(rollout.submit(version, mnist) for version in (OLD, NEW) * 3)]
    for job_id in together:
        job = until(lambda job_id=job_id: rollout.ended(job_id))
        assert job.state is JobState.SUCCEEDED, job.error
        assert job.summary is not None
        assert job.summary["images"] == 6

    rollout.stop_worker(OLD)
    last = [rollout.submit(version, mnist) for version in (OLD, NEW)]
    for job_id in last:
        assert until(lambda job_id=job_id: rollout.ended(job_id)).state is JobState.SUCCEEDED
    assert all(step.attempts == 1 for job_id in together + last for step in rollout.steps(job_id))
    assert rollout.redis.llen(f"classification.{LATER_STILL}") == 1
