"""Corrections, and the job that puts them into the results and into a data set."""

import csv
import json
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenfold.trainer.data.catalog import read_entry
from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.trainer.images import normalize
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import InvalidSubmission, LeaseLost, UnknownJob, UnknownRow, WrongState
from tenfold.worker.jobs import submission
from tenfold.worker.process.runner import Runner
from tenfold.worker.review.corrections import NONE_OF_THESE, CorrectionStore
from tenfold.worker.review.parameters import ReviewParameters
from tenfold.worker.review.reviews import clear, correct
from tenfold.worker.review.submission import submit_review
from tenfold.worker.services import Services
from tests.conftest import Clock, every_database, write_dataset
from tests.reviews import classified, digits, untrained_model, with_settings, work_off

COUNT = 40


@pytest.fixture
def job(services: Services, mnist: Dataset) -> Job:
    """A classification of forty digits, all to review."""
    untrained_model(services)
    found = classified(services, digits(mnist, COUNT))
    assert found.error is None
    return found


def review_as_they_are(services: Services, job: Job, mnist: Dataset, rows: range = range(COUNT)) -> None:
    for row in rows:
        correct(services, job.id, row, str(mnist.test_labels[row]))


def merged(services: Services, job: Job, **parameters: str) -> Job:
    return work_off(services, submit_review(services, ReviewParameters(classification=job.id, **parameters)))


def corrected_column(services: Services, job: Job) -> list[str | None]:
    column: list[str | None] = pl.read_parquet(services.volume.job(job.id) / "results.parquet")["corrected"].to_list()
    return column


@every_database
def test_a_correction_is_kept_replaced_and_cleared(services: Services, job: Job) -> None:
    correct(services, job.id, 3, "7")
    correct(services, job.id, 5, None)
    correct(services, job.id, 3, "8")

    found = services.corrections.list(job.id)
    assert [(each.row, each.name, each.label) for each in found] == [(3, "003.png", "8"), (5, "005.png", None)]
    clear(services, job.id, 3)
    clear(services, job.id, 4)
    assert services.corrections.count(job.id) == 1


def test_what_cannot_be_corrected_says_why(services: Services, job: Job) -> None:
    with pytest.raises(InvalidSubmission, match="no class 'seven'; its classes are: 0, 1, 2"):
        correct(services, job.id, 3, "seven")
    with pytest.raises(UnknownRow, match="no row 99"):
        correct(services, job.id, 99, "7")
    with pytest.raises(UnknownJob):
        correct(services, "nosuch", 3, "7")
    training = services.jobs.submit("training", JobKind.TRAINING, {}, total=1, fingerprint="")
    with pytest.raises(WrongState, match="is a training"):
        correct(services, training.id, 3, "7")
    assert services.corrections.count(job.id) == 0


@every_database
def test_of_two_corrections_of_one_row_at_a_time_one_counts_and_none_fails(services: Services, job: Job) -> None:
    labels = [str(number) for number in range(8)]
    start = threading.Barrier(len(labels))
    failures: list[BaseException] = []

    def put(label: str) -> None:
        start.wait()
        try:
            services.corrections.put(job.id, 0, "000.png", label)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=put, args=[label]) for label in labels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    [correction] = services.corrections.list(job.id)
    assert correction.label in labels


@every_database
def test_the_time_of_a_correction_is_that_of_the_last(services: Services, job: Job, clock: Clock) -> None:
    store = CorrectionStore(services.database, clock)
    store.put(job.id, 0, "000.png", "1")
    clock.advance(60)
    store.put(job.id, 0, "000.png", "1")

    assert [correction.corrected_at for correction in store.list(job.id)] == [clock.now]


@every_database
def test_corrections_go_with_their_job(services: Services, job: Job) -> None:
    correct(services, job.id, 3, "7")

    submission.delete(services, job.id)

    assert services.corrections.count(job.id) == 0
    assert not services.volume.review(job.id).exists()
    with pytest.raises(UnknownJob):
        services.corrections.put(job.id, 3, "003.png", "7")


def test_results_get_a_last_column_with_what_people_said(services: Services, job: Job) -> None:
    directory: Path = services.volume.job(job.id)
    before = pl.read_parquet(directory / "results.parquet")
    correct(services, job.id, 3, "7")
    correct(services, job.id, 5, None)
    correct(services, job.id, 9, before["prediction"][9])

    review = merged(services, job)

    assert review.state is JobState.SUCCEEDED, review.error
    expected: list[str | None] = [None] * COUNT
    expected[3], expected[5], expected[9] = "7", NONE_OF_THESE, before["prediction"][9]
    after = pl.read_parquet(directory / "results.parquet")
    assert after.columns == [*before.columns, "corrected"]
    assert after.drop("corrected").equals(before)
    assert after["corrected"].to_list() == expected
    lines = [json.loads(line) for line in (directory / "results.jsonl").read_text().splitlines()]
    assert [line["corrected"] for line in lines] == expected
    with (directory / "results.csv").open(newline="") as file:
        assert [row["corrected"] or None for row in csv.DictReader(file)] == expected
    changed = int(before["prediction"][3] != "7")
    assert review.summary == {
        "reviewed": 3,
        "confirmed": 2 - changed,
        "changed": changed,
        "none_of_these": 1,
        "classification": job.id,
        "dataset": None,
    }


def test_merging_again_after_more_corrections_replaces_the_column(services: Services, job: Job) -> None:
    correct(services, job.id, 3, "7")
    merged(services, job)
    clear(services, job.id, 3)
    correct(services, job.id, 4, "2")

    assert merged(services, job).state is JobState.SUCCEEDED

    column = corrected_column(services, job)
    assert (column[3], column[4]) == (None, "2")


def test_a_data_set_of_the_corrections_holds_what_the_model_saw(services: Services, job: Job, mnist: Dataset) -> None:
    review_as_they_are(services, job, mnist)
    correct(services, job.id, 0, None)

    review = merged(services, job, dataset="corrections")

    assert review.state is JobState.SUCCEEDED, review.error
    assert review.summary is not None
    made = load_dataset("corrections", services.volume.datasets)
    assert len(made.train_labels) + len(made.test_labels) == COUNT - 1
    assert len(made.test_labels) > 0
    assert made.class_names == mnist.class_names
    pixels = {image.tobytes(): int(label) for image, label in zip(*parts(made), strict=True)}
    for image, label in zip(mnist.test_images[1:COUNT], mnist.test_labels[1:COUNT], strict=True):
        assert pixels[normalize(image).pixels.tobytes()] == label
    entry = read_entry("corrections", services.volume.datasets)
    assert (entry.ready, entry.has_preview) == (True, True)
    assert "learns no ordinary" in entry.warnings[0]
    assert review.summary["dataset"]["images"] == COUNT - 1


def parts(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.concatenate([dataset.train_images, dataset.test_images]),
        np.concatenate([dataset.train_labels, dataset.test_labels]),
    )


def test_corrections_come_after_the_training_images_they_are_put_together_with(
    services: Services, job: Job, mnist: Dataset
) -> None:
    write_dataset(mnist.head(200, 50), services.volume.dataset("some"))
    review_as_they_are(services, job, mnist, range(4))

    review = merged(services, job, dataset="more", together_with="some")

    assert review.state is JobState.SUCCEEDED, review.error
    made = load_dataset("more", services.volume.datasets)
    assert np.array_equal(made.train_images[:200], mnist.train_images[:200])
    assert made.train_labels[200:].tolist() == mnist.test_labels[:4].tolist()
    assert np.array_equal(made.test_images, mnist.test_images[:50])


def test_a_data_set_is_made_whatever_has_become_of_the_images_handed_in(
    services: Services, job: Job, mnist: Dataset
) -> None:
    services.volume.archive(job.id).unlink()
    review_as_they_are(services, job, mnist)

    assert merged(services, job, dataset="corrections").state is JobState.SUCCEEDED


def test_corrections_of_images_without_pictures_are_in_the_results_and_left_out_of_the_data_set(
    services: Services, mnist: Dataset
) -> None:
    untrained_model(services)
    job = classified(with_settings(services, max_review_images=30), digits(mnist, COUNT))
    review_as_they_are(services, job, mnist)

    review = merged(services, job, dataset="corrections")

    assert review.summary is not None
    assert (review.summary["reviewed"], review.summary["dataset"]["images"]) == (COUNT, 30)
    assert (
        "Left out, since they have no stored pictures: 10 corrected images" in review.summary["dataset"]["warnings"][0]
    )
    assert None not in corrected_column(services, job)


def test_too_few_corrections_for_a_data_set_of_their_own_fail_with_what_to_do(
    services: Services, job: Job, mnist: Dataset
) -> None:
    review_as_they_are(services, job, mnist, range(4))

    review = merged(services, job, dataset="corrections")

    assert review.state is JobState.FAILED
    assert "too few" in (review.error or "")
    assert not services.volume.dataset("corrections").exists()
    assert "corrected" not in pl.read_parquet(services.volume.job(job.id) / "results.parquet").columns


@every_database
def test_a_review_that_could_not_be_merged_is_refused(services: Services, job: Job, mnist: Dataset) -> None:
    def refusal(**parameters: str) -> tuple[str, str]:
        with pytest.raises(InvalidSubmission) as refused:
            submit_review(services, ReviewParameters(**{"classification": job.id, **parameters}))
        return refused.value.field, str(refused.value)

    assert refusal() == ("classification", "No answers have been corrected or confirmed yet.")
    correct(services, job.id, 3, "7")
    write_dataset(mnist.head(20, 20), services.volume.dataset("taken"))
    (services.volume.dataset("taken") / "about.json").write_text('{"class_names": ["a", "b"]}')
    assert refusal(classification="nosuch")[0] == "classification"
    assert refusal(dataset="taken")[0] == "dataset"
    assert refusal(dataset="new", together_with="nosuch")[0] == "together_with"
    assert "different classes from the model" in refusal(dataset="new", together_with="taken")[1]
    assert refusal(together_with="mnist")[0] == "dataset"
    first = submit_review(services, ReviewParameters(classification=job.id))
    assert f"Job {first.id} is merging" in refusal()[1]


def test_of_two_data_sets_of_one_name_one_wins(services: Services, job: Job, mnist: Dataset) -> None:
    review_as_they_are(services, job, mnist)
    review = submit_review(services, ReviewParameters(classification=job.id, dataset="same"))
    write_dataset(mnist.head(20, 20), services.volume.dataset("same"))

    ended = work_off(services, review)

    assert ended.state is JobState.FAILED
    assert "Another job made a data set same first" in (ended.error or "")
    assert len(load_dataset("same", services.volume.datasets).train_labels) == 20


def test_a_review_cancelled_at_its_end_leaves_no_data_set(
    services: Services, job: Job, mnist: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    review_as_they_are(services, job, mnist)
    review = submit_review(services, ReviewParameters(classification=job.id, dataset="gone"))

    def cancelled_meanwhile(*_: object, **__: object) -> None:
        services.jobs.cancel(review.id)
        raise LeaseLost("the job was cancelled")

    monkeypatch.setattr(services.leases, "finish_job", cancelled_meanwhile)
    Runner(services, shutting_down=lambda: False).run(services.jobs.queued_steps(review.id)[0])

    assert services.jobs.get(review.id).state is JobState.CANCELLED
    assert not services.volume.dataset("gone").exists()
