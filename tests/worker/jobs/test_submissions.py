"""Taking a job in: durable before it is announced, and nothing left behind when it is refused."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.recipes import get_recipe
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.records import Model
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import IdempotencyConflict, InvalidSubmission, UnknownJob
from tenfold.worker.jobs import submission
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.training.submission import submit_training
from tenfold.worker.uploads.upload import Upload
from tests.conftest import every_database

pytestmark = every_database


@pytest.fixture
def model(services: Services) -> str:
    """A model in the registry."""
    with services.database.write() as session:
        session.add(Model(id="m1", recipe="dropout-128", dataset="mnist", parameters={}, metrics={}, created_at=1.0))
    services.aliases.promote("m1", who=None)
    return "m1"


def upload(services: Services, members: int = 3) -> Upload:
    path = services.volume.uploads / "received.part"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(members):
            archive.writestr(zipfile.ZipInfo(f"{number}.png"), b"image")
    return Upload(path, "digits.zip", path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())


def files(services: Services) -> list[Path]:
    return [path for path in services.volume.root.rglob("*") if path.is_file() and "tenfold.db" not in path.name]


def test_a_training_is_written_down_with_every_default_filled_in_and_announced(services: Services) -> None:
    job = submit_training(services, TrainingParameters(recipe="rmsprop-512"))

    assert job.parameters.items() >= {"recipe": "rmsprop-512", "dataset": "mnist", "seed": 1, "epochs": 5}.items()
    assert job.parameters.items() >= get_recipe("rmsprop-512").plan.model_dump(mode="json").items()
    assert services.queue.waiting(JobKind.TRAINING) == 1


def test_a_classification_takes_the_upload_to_its_own_directory(services: Services, model: str) -> None:
    job = submit_classification(services, ClassificationParameters(), upload(services))

    assert files(services) == [services.volume.archive(job.id)]
    assert job.parameters["model"] == [model]
    assert job.total == 3
    assert job.source["name"] == "digits.zip"


def test_without_redis_a_submission_is_accepted_all_the_same(settings: Settings) -> None:
    from tenfold.worker.db.schema import migrate

    services = Services.open(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    migrate(services.database)

    job = submit_training(services, TrainingParameters(recipe="dropout-128"))

    assert services.jobs.get(job.id).state is JobState.QUEUED


def test_a_repeated_classification_is_the_same_job_and_keeps_one_file(services: Services, model: str) -> None:
    first = submit_classification(services, ClassificationParameters(), upload(services), "key")
    second = submit_classification(services, ClassificationParameters(), upload(services), "key")

    assert second.id == first.id
    assert files(services) == [services.volume.archive(first.id)]


def test_a_repetition_is_the_same_job_although_another_model_serves_since(services: Services, model: str) -> None:
    def submit(**parameters: int) -> str:
        given = ClassificationParameters.model_validate(parameters)
        return submit_classification(services, given, upload(services), "key").id

    first = submit()
    with services.database.write() as session:
        session.add(Model(id="m2", recipe="dropout-128", dataset="mnist", parameters={}, metrics={}, created_at=2.0))
    services.aliases.promote("m2", who=None)

    assert submit() == first
    services.aliases.delete("production", who=None)
    services.models.delete("m1")
    services.models.delete("m2")
    assert submit() == first
    with pytest.raises(IdempotencyConflict):
        submit(top_k=2)


def test_a_key_used_for_another_zip_is_refused_and_nothing_is_left(services: Services, model: str) -> None:
    first = submit_classification(services, ClassificationParameters(), upload(services), "key")

    with pytest.raises(IdempotencyConflict):
        submit_classification(services, ClassificationParameters(), upload(services, 5), "key")

    assert files(services) == [services.volume.archive(first.id)]


def test_without_a_model_a_classification_is_refused_and_nothing_is_left(services: Services) -> None:
    with pytest.raises(InvalidSubmission, match="train one first") as refused:
        submit_classification(services, ClassificationParameters(), upload(services))

    assert refused.value.field == "model"
    assert files(services) == []
    assert services.jobs.list() == []


def test_an_archive_of_too_many_images_is_refused(settings: Settings, services: Services, model: str) -> None:
    bounded = Services.open(settings.model_copy(update={"max_archive_images": 2}))

    with pytest.raises(InvalidSubmission, match="contains more than 2 images"):
        submit_classification(bounded, ClassificationParameters(), upload(services))

    assert files(services) == []


def test_a_deleted_job_leaves_no_file(services: Services, model: str) -> None:
    job = submit_classification(services, ClassificationParameters(), upload(services))
    services.jobs.cancel(job.id)

    submission.delete(services, job.id)

    assert files(services) == []
    with pytest.raises(UnknownJob):
        services.jobs.get(job.id)
