"""The job that compares models: its figures, its files, what it warns of, and how it ends."""

import csv
import json

import keras
import numpy as np
import pytest

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.trainer.evaluation.acceptance import wilson
from tenfold.trainer.input_spec import InputSpec
from tenfold.worker.comparisons.differences import Differences
from tenfold.worker.comparisons.parameters import ComparisonParameters
from tenfold.worker.comparisons.step import compare_models
from tenfold.worker.comparisons.submission import submit_comparison
from tenfold.worker.datasets.datasets import delete_dataset
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobState
from tenfold.worker.errors import InvalidSubmission, LeaseLost, WrongState
from tenfold.worker.jobs import submission
from tenfold.worker.models.cache import load_ensemble
from tenfold.worker.models.removal import delete_model
from tenfold.worker.review.reviews import correct
from tenfold.worker.services import Services
from tests.conftest import write_dataset
from tests.linear_models import linear_model
from tests.reviews import classified, digits, work_off

TESTED = 1000


@pytest.fixture
def models(services: Services, mnist: Dataset) -> tuple[str, str]:
    """A weak model and a better one, of the data set `tiny`."""
    write_dataset(mnist.head(2000, TESTED), services.volume.dataset("tiny"))
    return linear_model(services, "weak", mnist, 200), linear_model(services, "better", mnist, 2000)


def compared(services: Services, *models: str, on: str | None = None) -> Job:
    job = work_off(services, submit_comparison(services, ComparisonParameters(models=models, on=on)))
    assert job.error is None
    return job


def refusal(services: Services, *models: str, on: str | None = None) -> tuple[str, str]:
    with pytest.raises(InvalidSubmission) as refused:
        submit_comparison(services, ComparisonParameters(models=models, on=on))
    return refused.value.field, str(refused.value)


def test_the_better_of_two_models_is_named_with_its_figures(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    summary = compared(services, *models).summary
    assert summary is not None
    rights = []
    for model, figures in zip(models, summary["models"], strict=True):
        ensemble = load_ensemble([services.models.get(model)], services.volume).ensemble
        right = ensemble.classify(mnist.test_images[:TESTED]).argmax(axis=1) == mnist.test_labels[:TESTED]
        assert (figures["model"], figures["right"]) == (model, right.sum())
        assert figures["accuracy_interval"] == pytest.approx(wilson(int(right.sum()), TESTED), abs=1e-6)
        rights.append(right)

    [pair] = summary["pairs"]
    assert pair["only_first_right"] == (rights[0] & ~rights[1]).sum()
    assert pair["only_second_right"] == (~rights[0] & rights[1]).sum()
    assert pair["better"] == "B"
    assert summary["conclusion"].startswith("B is better than A by ")
    assert summary["on"] == {"dataset": "tiny"}
    assert summary["warnings"] == []


def test_the_images_on_which_they_differ_are_kept_with_thumbnails(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    job = compared(services, *models)
    assert job.summary is not None

    with (services.volume.job(job.id) / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    differing = {int(row["row"]) for row in rows if row["A_prediction"] != row["B_prediction"]}
    assert len(rows) == TESTED
    with Differences(services.volume.job(job.id)) as differences:
        found = differences.page(0, TESTED)
        assert {item.row for item in found} == differing
        assert job.summary["differing"] == len(differing)
        only_b = differences.page(0, TESTED, right=[1], wrong=[0])
        assert len(only_b) == differences.count([1], [0]) == job.summary["pairs"][0]["only_second_right"]
        assert all(item.answers[1].right and not item.answers[0].right for item in only_b)
        first = found[0]
        assert first.true_label == str(mnist.test_labels[first.row])
        picture = differences.picture(first.rank)
        assert picture is not None
        assert picture.startswith(b"\x89PNG")
    assert json.loads((services.volume.job(job.id) / "comparison.json").read_text()) == job.summary


def test_several_models_are_compared_with_the_first_and_corrected_by_holm(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    third = linear_model(services, "third", mnist, 1000)

    summary = compared(services, *models, third).summary

    assert summary is not None
    assert [(pair["first"], pair["second"]) for pair in summary["pairs"]] == [("A", "B"), ("A", "C")]
    assert all(pair["corrected_p_value"] >= pair["p_value"] for pair in summary["pairs"])
    assert "Holm" in summary["methods"]


def test_images_of_a_model_s_training_are_found_by_their_pixels(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    leaked = Dataset(
        "leaked",
        mnist.train_images[:500],
        mnist.train_labels[:500],
        mnist.train_images[400:600],
        mnist.train_labels[400:600],
    )
    write_dataset(leaked, services.volume.dataset("leaked"))

    summary = compared(services, *models, on="leaked").summary

    assert summary is not None
    assert [warning.partition(",")[0] for warning in summary["warnings"]] == [
        "A was trained on 200 of the 200 images",
        "B was trained on 200 of the 200 images",
    ]


def test_images_of_an_ancestor_s_training_count_and_a_model_made_elsewhere_is_said_to_be_unknown(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    seen = Dataset("seen", mnist.test_images[:100], mnist.test_labels[:100], mnist.test_images, mnist.test_labels)
    write_dataset(seen, services.volume.dataset("seen"))
    ancestors = [{"id": "gone", "dataset": "seen"}]
    tuned = linear_model(services, "tuned", mnist, 200, ancestors=ancestors)
    elsewhere = linear_model(services, "elsewhere", mnist, 200, origin={"name": "elsewhere"})

    summary = compared(services, tuned, elsewhere, on="tiny").summary

    assert summary is not None
    assert [warning.partition(",")[0] for warning in summary["warnings"]] == ["A was trained on 100 of the 1"]
    assert (
        "Whether B was trained on some of these images is not fully known: a model made elsewhere"
        in summary["notes"][0]
    )


def test_a_test_set_that_a_training_looked_at_is_warned_of(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    looked = linear_model(services, "looked", mnist, 300, parameters={"validation": "test"}, trained_on="tiny")
    gone = linear_model(services, "gone", mnist, 300, trained_on="deleted")

    summary = compared(services, gone, looked, on="tiny").summary

    assert summary is not None
    assert ["validation=test" in warning for warning in summary["warnings"]] == [True]
    assert (
        "Whether A was trained on some of these images is not fully known: the data set deleted is not on the volume"
        in summary["notes"][0]
    )
    assert "3 models have been scored on the 1,000 test images of tiny" in summary["notes"][-1]


def test_models_are_compared_on_a_classification_s_true_labels_and_corrections(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    labeled = {f"{mnist.test_labels[n]}/{n}.png": png(mnist.test_images[n]) for n in range(60)}
    job = classified(services, labeled | digits(mnist, 5) | {"broken.png": b"no image"}, model=models[0])
    rows = {row["name"]: int(row["row"]) for row in _rows(services, job)}
    correct(services, job.id, rows["000.png"], str(mnist.test_labels[0]))
    correct(services, job.id, rows["001.png"], None)

    comparison = compared(services, *models, on=job.id)

    summary = comparison.summary
    assert summary is not None
    assert summary["images"] == 61
    assert summary["corrected_labels"] == 1
    assert summary["left_out"] == {"unlabeled": 4, "none_of_the_classes": 1}
    assert any("people's corrections" in note for note in summary["notes"])
    own = [int(row["prediction"] == row["true_label"]) for row in _rows(services, job) if row["true_label"]]
    assert sum(own) <= summary["models"][0]["right"] <= sum(own) + 1


def _rows(services: Services, job: Job) -> list[dict[str, str]]:
    with (services.volume.job(job.id) / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_what_cannot_be_compared_is_refused_with_the_reason(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    unlabeled = classified(services, digits(mnist, 3), model=models[0])
    others = linear_model(services, "others", mnist, 200, class_names="abcdefghij")

    assert refusal(services, *models, on="nosuch") == (
        "on",
        "There is no data set and no job 'nosuch'. `tenfold dataset list` shows all data sets.",
    )
    assert "has no labels" in refusal(services, *models, on=unlabeled.id)[1]
    assert refusal(services, models[0], models[0])[1].startswith("A model is named twice")
    assert refusal(services, models[0], "nosuch")[0] == "models"
    field, reason = refusal(services, models[0], others)
    assert field == "models"
    assert "others does not have these classes of the data set tiny: 0, 1, 2" in reason


def test_classes_are_compared_by_name_whatever_their_order(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    order = [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]
    turned = Dataset(
        "turned",
        mnist.train_images,
        np.argsort(order).astype(np.uint8)[mnist.train_labels],
        mnist.test_images,
        mnist.test_labels,
    )
    same = linear_model(services, "same", turned, 2000, class_names=[str(label) for label in order])

    summary = compared(services, models[1], same).summary

    assert summary is not None
    assert summary["models"][0]["right"] == summary["models"][1]["right"]
    assert "equally often" in summary["conclusion"]


def test_models_of_other_inputs_get_the_images_prepared_for_each(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    color = linear_model(services, "color", mnist, 200, input=InputSpec("resize", 32, 32, 3).as_dict())
    layers = [keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    keras.Sequential(layers).save(services.volume.model(color) / "model.keras")

    summary = compared(services, models[1], color).summary

    assert summary is not None
    assert summary["images"] == TESTED
    assert any("A digit 28×28 gray, B resize 32×32 color" in note for note in summary["notes"])


def test_a_cancelled_comparison_leaves_nothing_and_a_retry_finishes_it(
    services: Services, models: tuple[str, str]
) -> None:
    job = submit_comparison(services, ComparisonParameters(models=models))
    [step] = services.jobs.queued_steps(job.id)
    lease = services.leases.claim(step, "worker")
    assert lease is not None
    services.jobs.cancel(job.id)

    with pytest.raises(LeaseLost):
        compare_models(services, lease, lambda: None)

    directory = services.volume.job(job.id)
    assert [path.name for path in directory.iterdir() if path.is_file()] == []
    submission.retry(services, job.id)
    assert work_off(services, job).state is JobState.SUCCEEDED
    assert (directory / "comparison.json").exists()
    assert not services.volume.work(job.id).exists()


def test_what_an_unfinished_comparison_needs_is_not_deleted(services: Services, models: tuple[str, str]) -> None:
    job = submit_comparison(services, ComparisonParameters(models=models))

    with pytest.raises(WrongState, match=job.id):
        delete_model(services, models[1])
    with pytest.raises(WrongState, match=job.id):
        delete_dataset(services, "tiny")


def test_a_model_that_is_gone_fails_the_comparison_with_the_reason(services: Services, models: tuple[str, str]) -> None:
    job = submit_comparison(services, ComparisonParameters(models=models))
    services.models.delete(models[1])

    assert "no model 'better'" in (work_off(services, job).error or "")
