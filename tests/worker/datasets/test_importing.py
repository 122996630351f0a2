"""Importing a person's own data set: from the upload to a training on it, with everything real but the queue."""

import json
import threading

import keras
import numpy as np
import pytest

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.trainer.data.files import FILES
from tenfold.trainer.errors import TrainingDiverged
from tenfold.worker.datasets.datasets import delete_dataset, get_dataset, list_datasets
from tenfold.worker.datasets.importing import import_upload
from tenfold.worker.datasets.loading import load
from tenfold.worker.datasets.parameters import ImportParameters
from tenfold.worker.datasets.publishing import SOURCE
from tenfold.worker.datasets.submission import submit_import
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import IdempotencyConflict, InvalidSubmission, LeaseLost, UnknownDataset, WrongState
from tenfold.worker.jobs import submission
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.process.runner import Runner
from tenfold.worker.services import Services
from tenfold.worker.training.submission import submit_training
from tests.conftest import every_database
from tests.uploads import class_folders, csv_of, npz, received

SHAPES = {0: "ring", 1: "stroke", 7: "hook"}


@pytest.fixture(scope="module")
def shapes(mnist: Dataset) -> bytes:
    """A zip of three classes of real images, with names of their own."""
    return class_folders(mnist, SHAPES, images=1500)


def submit(services: Services, content: bytes, name: str = "shapes", key: str | None = None) -> Job:
    return submit_import(services, ImportParameters(name=name), received(services, content), key)


def run(services: Services, job: Job) -> Job:
    """Work on the job's steps as a worker does, and return it as it is then."""
    for step in services.jobs.queued_steps(job.id):
        Runner(services, shutting_down=lambda: False).run(step)
    return services.jobs.get(job.id)


def claim(services: Services, job: Job) -> Lease:
    [step] = services.jobs.queued_steps(job.id)
    lease = services.leases.claim(step, "worker")
    assert lease is not None
    return lease


def on_the_volume(services: Services) -> list[str]:
    return sorted(path.name for path in services.volume.datasets.iterdir())


def test_class_folders_become_a_data_set_with_their_names(services: Services, shapes: bytes) -> None:
    job = run(services, submit(services, shapes))

    assert job.state is JobState.SUCCEEDED, job.error
    assert job.summary is not None
    assert job.summary["name"] == "shapes"
    assert job.summary["classes"] == ["hook", "ring", "stroke"]
    assert job.summary["images"] == job.summary["train_images"] + job.summary["test_images"]
    assert job.summary["test_images"] == pytest.approx(job.summary["images"] / 6, abs=2)
    dataset = load_dataset("shapes", services.volume.datasets)
    assert dataset.class_names == ("hook", "ring", "stroke")
    assert len(dataset.train_images) == job.summary["train_images"]
    files = {path.name for path in services.volume.dataset("shapes").iterdir()}
    assert files == {*FILES, "about.json", "preview.png", SOURCE}


def test_the_upload_is_kept_until_it_is_a_data_set_and_then_removed(services: Services, shapes: bytes) -> None:
    job = submit(services, shapes)
    assert services.volume.upload(job.id).read_bytes() == shapes
    assert list(services.volume.uploads.iterdir()) == []

    run(services, job)

    assert not services.volume.upload(job.id).exists()
    source = json.loads((services.volume.dataset("shapes") / SOURCE).read_text())
    assert (source["job"], source["name"]) == (job.id, "letters.zip")


def test_the_test_share_is_the_one_that_was_asked_for(services: Services, shapes: bytes) -> None:
    parameters = ImportParameters(name="shapes", test_share=0.5)

    job = run(services, submit_import(services, parameters, received(services, shapes)))

    assert job.summary is not None
    assert job.summary["test_images"] == pytest.approx(job.summary["train_images"], abs=3)


def test_the_warnings_are_in_the_summary_and_in_the_catalog(services: Services, mnist: Dataset) -> None:
    images = mnist.train_images[:200]
    content = npz(x_train=images, y_train=mnist.train_labels[:200], x_test=images[:50], y_test=mnist.train_labels[:50])

    job = run(services, submit(services, content))

    assert job.summary is not None
    [warning] = [warning for warning in job.summary["warnings"] if "also training images" in warning]
    assert warning in get_dataset(services.volume, "shapes").warnings
    assert warning in services.volume.log(job.id).read_text()


def test_what_was_taken_and_skipped_is_in_the_summary(services: Services, mnist: Dataset) -> None:
    folders = {digit: f"Training/{digit}" for digit in range(5)} | {
        digit: f"Testing/{digit - 5}" for digit in range(5, 10)
    }
    content = class_folders(mnist, folders, images=200, others={"Training/0/.ipynb_checkpoints/x.png": b"x"})

    job = run(services, submit(services, content))

    assert job.summary is not None
    split, level, skipped = job.summary["notes"]
    assert split == "The split is from the file: training images are from Training; test images are from Testing."
    assert "'Training/" in level
    assert skipped == "Skipped hidden and system files: 1 (Training/0/.ipynb_checkpoints/x.png)."
    assert job.summary["skipped"] == {"hidden and system files": 1}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no data set at all", "was read as CSV"),
        (npz(images=np.zeros((20, 28, 28), np.uint8), labels=np.zeros(20, np.uint8)), "only one class"),
        (npz(images=np.full((20, 28, 28), np.nan), labels=np.arange(20) % 2), "NaN"),
        (npz(images=np.zeros((20, 5), np.uint8), labels=np.arange(20) % 2), "shape (20, 5)"),
        (npz(images=np.zeros((20, 28, 28), np.uint8), labels=np.arange(19) % 2), "19 labels"),
    ],
    ids=["no data set", "one class", "NaN", "wrong shape", "labels missing"],
)
def test_what_cannot_be_trained_on_fails_the_job_with_the_reason_and_leaves_nothing(
    services: Services, content: bytes, says: str
) -> None:
    job = run(services, submit(services, content))

    assert job.state is JobState.FAILED
    assert job.error is not None
    assert says in job.error
    assert on_the_volume(services) == []


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_names_of_the_known_data_sets_are_taken(services: Services, shapes: bytes, name: str) -> None:
    with pytest.raises(InvalidSubmission, match=f"{name} is a built-in data set") as refused:
        submit(services, shapes, name)

    assert refused.value.field == "name"
    assert list(services.volume.uploads.iterdir()) == []
    assert list(services.jobs.list()) == []


def test_a_name_is_taken_by_a_data_set_and_free_when_that_is_deleted(services: Services, shapes: bytes) -> None:
    run(services, submit(services, shapes))
    with pytest.raises(InvalidSubmission, match="shapes is already in use"):
        submit(services, shapes)

    delete_dataset(services, "shapes")

    assert run(services, submit(services, shapes)).state is JobState.SUCCEEDED


def test_a_name_is_taken_by_an_import_that_has_not_ended(services: Services, shapes: bytes) -> None:
    first = submit(services, shapes)

    with pytest.raises(InvalidSubmission, match=f"Job {first.id} is importing"):
        submit(services, shapes)

    services.jobs.cancel(first.id)
    assert submit(services, shapes).id != first.id


@every_database
def test_a_repeated_import_is_the_same_job_before_and_after_its_end(services: Services, shapes: bytes) -> None:
    first = submit(services, shapes, key="once")
    assert submit(services, shapes, key="once").id == first.id

    run(services, first)

    assert submit(services, shapes, key="once").id == first.id
    with pytest.raises(IdempotencyConflict):
        submit(services, shapes + b"more", key="once")


@every_database
def test_of_two_imports_of_one_name_one_wins_and_the_other_says_why(
    services: Services, shapes: bytes, mnist: Dataset
) -> None:
    first = submit(services, shapes)
    services.jobs.cancel(first.id)
    second = submit(services, csv_of(mnist, 200))
    submission.retry(services, first.id)
    start = threading.Barrier(2)

    def work(job: Job) -> None:
        lease = claim(services, job)
        start.wait(30)
        try:
            import_upload(services, lease, lambda: None)
        except Exception as error:
            services.leases.fail_job(lease, str(error))

    threads = [threading.Thread(target=work, args=[job]) for job in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ended = [services.jobs.get(job.id) for job in (first, second)]
    [winner] = [job for job in ended if job.state is JobState.SUCCEEDED]
    [loser] = [job for job in ended if job.state is JobState.FAILED]
    assert loser.error is not None
    assert "Another job made a data set shapes first" in loser.error
    assert on_the_volume(services) == ["shapes"]
    assert winner.summary is not None
    assert list(load_dataset("shapes", services.volume.datasets).class_names) == winner.summary["classes"]
    assert services.volume.upload(loser.id).exists()


def test_an_import_cancelled_while_it_is_read_publishes_nothing(services: Services, shapes: bytes) -> None:
    job = submit(services, shapes)
    lease = claim(services, job)

    def check() -> None:
        if services.jobs.get(job.id).state is JobState.RUNNING:
            services.jobs.cancel(job.id)
        raise LeaseLost("cancelled")

    with pytest.raises(LeaseLost):
        import_upload(services, lease, check)

    assert on_the_volume(services) == []


@every_database
def test_an_import_cancelled_between_its_publication_and_its_end_leaves_nothing(
    services: Services, shapes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(services, shapes)
    lease = claim(services, job)
    finish = services.leases.finish_job

    def cancelled_just_before(*arguments: object) -> None:
        assert on_the_volume(services) == ["shapes"]
        services.jobs.cancel(job.id)
        finish(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(services.leases, "finish_job", cancelled_just_before)
    with pytest.raises(LeaseLost):
        import_upload(services, lease, lambda: None)

    assert on_the_volume(services) == []
    monkeypatch.undo()
    submission.retry(services, job.id)
    assert run(services, job).state is JobState.SUCCEEDED


def test_an_attempt_goes_on_from_the_data_set_that_a_killed_one_published(
    services: Services, shapes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(services, shapes)
    lease = claim(services, job)

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(services.leases, "finish_job", killed)
    with pytest.raises(Killed):
        import_upload(services, lease, lambda: None)
    monkeypatch.undo()
    services.leases.requeue_after_error(lease)
    written = (services.volume.dataset("shapes") / "about.json").stat().st_mtime_ns

    assert run(services, job).state is JobState.SUCCEEDED
    assert (services.volume.dataset("shapes") / "about.json").stat().st_mtime_ns == written


def test_imports_wait_in_the_queue_of_the_classifications(services: Services, shapes: bytes) -> None:
    submit(services, shapes)

    assert services.queue.waiting(JobKind.CLASSIFICATION) == 1
    assert services.queue.waiting(JobKind.TRAINING) == 0


def test_a_data_set_in_use_is_not_deleted_until_the_training_has_ended(services: Services, shapes: bytes) -> None:
    run(services, submit(services, shapes))
    training = submit_training(services, TrainingParameters(recipe="dropout-128", dataset="shapes"))

    with pytest.raises(WrongState, match=f"use the data set shapes: {training.id}"):
        delete_dataset(services, "shapes")

    services.jobs.cancel(training.id)
    delete_dataset(services, "shapes")
    assert on_the_volume(services) == []


@pytest.mark.parametrize("name", ["no-such", "..", ".", "", "../datasets", "Shapes"])
def test_an_unknown_data_set_is_told_with_those_there_are(services: Services, name: str) -> None:
    for act in (
        lambda: get_dataset(services.volume, name),
        lambda: delete_dataset(services, name),
    ):
        with pytest.raises(UnknownDataset, match="Available: mnist, fashion-mnist"):
            act()


def test_the_known_data_sets_are_listed_before_they_are_fetched_and_cannot_be_deleted(services: Services) -> None:
    mnist, fashion = list_datasets(services.volume)

    assert (mnist.name, mnist.ready, mnist.train, mnist.usable) == ("mnist", False, 60_000, True)
    assert fashion.class_names[-1] == "Ankle boot"
    with pytest.raises(WrongState, match="is built in"):
        delete_dataset(services, "mnist")


def test_a_damaged_data_set_is_listed_with_the_reason_and_can_only_be_deleted(
    services: Services, shapes: bytes
) -> None:
    run(services, submit(services, shapes))
    images = services.volume.dataset("shapes") / FILES[0]
    images.write_bytes(images.read_bytes()[:-1])

    [entry] = [entry for entry in list_datasets(services.volume) if entry.name == "shapes"]

    assert not entry.usable
    assert "has another size than its header says" in entry.warnings[0]
    with pytest.raises(InvalidSubmission, match="cannot be used"):
        submit_training(services, TrainingParameters(recipe="dropout-128", dataset="shapes"))
    delete_dataset(services, "shapes")


def test_a_training_on_an_unknown_data_set_is_refused_with_those_there_are(services: Services) -> None:
    with pytest.raises(InvalidSubmission, match=r"no data set 'letters'\. Available: mnist, fashion-mnist") as refused:
        submit_training(services, TrainingParameters(recipe="dropout-128", dataset="letters"))

    assert refused.value.field == "dataset"
    assert list(services.volume.root.glob("jobs/*")) == []


def test_a_net_trained_on_three_classes_has_three_outputs_with_their_names(services: Services, shapes: bytes) -> None:
    run(services, submit(services, shapes))
    parameters = TrainingParameters(recipe="dropout-128", dataset="shapes", epochs=5)

    training = run(services, submit_training(services, parameters))

    assert training.state is JobState.SUCCEEDED, training.error
    assert training.summary is not None
    assert training.summary["test_accuracy"] > 0.9
    assert services.models.get(training.id).class_names == ("hook", "ring", "stroke")
    model = keras.models.load_model(services.volume.model(training.id) / "model.keras")
    assert model.output_shape == (None, 3)


def test_a_training_whose_data_set_is_gone_says_so(services: Services, shapes: bytes) -> None:
    run(services, submit(services, shapes))
    training = submit_training(services, TrainingParameters(recipe="dropout-128", dataset="shapes"))
    services.volume.delete_dataset("shapes")

    ended = run(services, training)

    assert ended.state is JobState.FAILED
    assert ended.error is not None
    assert "Upload it again" in ended.error


def test_a_training_that_is_retried_starts_over_where_its_data_set_was_imported_again(
    services: Services, shapes: bytes, mnist: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(services, submit(services, shapes))
    parameters = TrainingParameters(recipe="custom", units="16", dataset="shapes", epochs=3)
    training = submit_training(services, parameters)

    def fail_after_the_first_epoch(services: Services, lease: Lease, history: list[object]) -> None:
        raise TrainingDiverged("as if")

    monkeypatch.setattr("tenfold.worker.training.step.stop_if_pruned", fail_after_the_first_epoch)
    assert run(services, training).state is JobState.FAILED
    monkeypatch.undo()
    first = load_dataset("shapes", services.volume.datasets).content_sha256
    delete_dataset(services, "shapes")
    run(services, submit(services, class_folders(mnist, {3: "hook", 5: "ring", 8: "stroke"}, images=400)))
    submission.retry(services, training.id)
    ended = run(services, training)

    assert ended.state is JobState.SUCCEEDED, ended.error
    assert ended.summary is not None
    assert (
        "The data set shapes has changed since this training started, so it started over" in ended.summary["notes"][0]
    )
    metrics = services.models.get(training.id).metrics
    assert metrics["content_sha256"] == load_dataset("shapes", services.volume.datasets).content_sha256 != first
    untouched = run(services, submit_training(services, parameters))
    assert services.models.get(untouched.id).metrics["test_accuracy"] == metrics["test_accuracy"]


def test_a_data_set_of_an_earlier_version_gets_its_content_hash_when_it_is_first_read(
    services: Services, shapes: bytes
) -> None:
    run(services, submit(services, shapes))
    recorded = get_dataset(services.volume, "shapes").content_sha256
    about = services.volume.dataset("shapes") / "about.json"
    earlier = {name: value for name, value in json.loads(about.read_bytes()).items() if name != "content_sha256"}
    about.write_text(json.dumps(earlier))
    assert get_dataset(services.volume, "shapes").content_sha256 is None

    load(services.volume, "shapes")

    assert get_dataset(services.volume, "shapes").content_sha256 == recorded is not None
    assert json.loads(about.read_bytes())["report"] == earlier["report"]
