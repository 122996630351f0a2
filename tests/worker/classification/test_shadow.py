"""A model in the shadow: it answers too, and changes nothing of what is accepted."""

import csv
import json

import polars as pl
import pytest

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.trainer.input_spec import InputSpec
from tenfold.worker.classification.image_index.building import index_images
from tenfold.worker.classification.image_index.index import ImageIndex, ImageQuery, Status
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.results import ROWS, SHADOW
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.records import Job
from tenfold.worker.errors import InvalidSubmission, WrongState
from tenfold.worker.models.cache import load_ensemble
from tenfold.worker.models.removal import delete_model
from tenfold.worker.services import Services
from tests.linear_models import linear_model
from tests.reviews import classified, digits, with_settings
from tests.uploads import received, zipped

COUNT = 60


@pytest.fixture
def models(services: Services, mnist: Dataset) -> tuple[str, str]:
    return linear_model(services, "serving", mnist, 200), linear_model(services, "shadow", mnist, 2000)


def results_of(services: Services, job: Job) -> pl.DataFrame:
    assert job.error is None
    return pl.read_parquet(services.volume.job(job.id) / "results.parquet")


def labeled(mnist: Dataset) -> dict[str, bytes]:
    images = zip(mnist.test_images[:COUNT], mnist.test_labels[:COUNT], strict=True)
    return {f"{label}/{number:03d}.png": png(image) for number, (image, label) in enumerate(images)}


def test_the_shadow_adds_two_columns_and_changes_no_other(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    serving, shadow = models
    services = with_settings(services, shard_images=25)
    files = labeled(mnist) | {"broken.png": b"no image"}
    alone = results_of(services, classified(services, files, model=serving, review_below=0.5))

    job = classified(services, files, model=serving, shadow=shadow, review_below=0.5)

    rows = results_of(services, job)
    assert rows.columns == [*ROWS.names(), *SHADOW.names()]
    assert rows.select(ROWS.names()).equals(alone)
    by_name = dict(zip(rows["name"], rows["shadow_prediction"], strict=True))
    probabilities = load_ensemble([services.models.get(shadow)], services.volume).ensemble.classify(
        mnist.test_images[:COUNT]
    )
    expected = {name: str(answer) for name, answer in zip(labeled(mnist), probabilities.argmax(axis=1), strict=True)}
    assert by_name == expected | {"broken.png": None}
    directory = services.volume.job(job.id)
    with (directory / "results.csv").open(newline="") as file:
        assert [row["shadow_prediction"] or None for row in csv.DictReader(file)] == rows["shadow_prediction"].to_list()
    lines = [json.loads(line) for line in (directory / "results.jsonl").read_text().splitlines()]
    assert [line["shadow_confidence"] for line in lines] == rows["shadow_confidence"].to_list()


def test_the_summary_says_where_it_differs_and_which_is_better(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    job = classified(services, labeled(mnist), model=models[0], shadow=models[1], review_below=0.5)

    rows = results_of(services, job)
    assert job.summary is not None
    found = job.summary["shadow"]
    differing = rows.filter(pl.col("prediction") != pl.col("shadow_prediction"))
    assert (found["model"], found["differing"]) == (models[1], differing.height)
    assert found["differing_accepted"] == differing["accepted"].sum()
    right = (pl.col("prediction") == pl.col("true_label"), pl.col("shadow_prediction") == pl.col("true_label"))
    assert found["comparison"]["only_first_right"] == rows.filter(right[0] & ~right[1]).height
    assert found["comparison"]["only_second_right"] == rows.filter(~right[0] & right[1]).height
    assert found["comparison"]["conclusion"] in found["message"]


def test_the_images_on_which_it_differs_are_found(services: Services, models: tuple[str, str], mnist: Dataset) -> None:
    job = classified(services, labeled(mnist), model=models[0], shadow=models[1])
    directory, source = services.volume.images(job.id), services.volume.archive(job.id)
    index_images(services.volume.job(job.id) / "results.jsonl", source, directory)

    with ImageIndex(directory) as images:
        found = images.page(ImageQuery(status=Status.SHADOW_DIFFERS), None, COUNT)

    rows = results_of(services, job)
    differing = rows.filter(pl.col("prediction") != pl.col("shadow_prediction"))
    assert [image.row for image in found] == differing["row"].to_list()


def test_without_true_labels_it_only_says_where_it_differs(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    table = "name,age\n" + "\n".join(f"{name},7" for name in digits(mnist, 20))
    files = digits(mnist, 20) | {"manifest.csv": table.encode()}

    job = classified(services, files, model=models[0], shadow=models[1])

    assert job.summary is not None
    assert job.summary["shadow"]["comparison"] is None
    assert results_of(services, job).columns == [*ROWS.names(), *SHADOW.names(), "age"]


def test_a_shadow_that_could_not_be_compared_is_refused(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    others = linear_model(services, "others", mnist, 200, class_names="abcdefghij")
    resized = linear_model(services, "resized", mnist, 200, input=InputSpec("resize").as_dict())

    def refusal(shadow: str) -> tuple[str, str]:
        with pytest.raises(InvalidSubmission) as refused:
            classified(services, digits(mnist, 2), model=models[0], shadow=shadow)
        return refused.value.field, str(refused.value)

    assert refusal("nosuch")[0] == "shadow"
    assert "answers already" in refusal(models[0])[1]
    assert "different classes" in refusal(others)[1]
    assert "must take the same input" in refusal(resized)[1]


def test_a_shadow_of_an_unfinished_classification_is_not_deleted(
    services: Services, models: tuple[str, str], mnist: Dataset
) -> None:
    given = ClassificationParameters(model=(models[0],), shadow=models[1])
    job = submit_classification(services, given, received(services, zipped(digits(mnist, 2)), "scans.zip"))

    with pytest.raises(WrongState, match=job.id):
        delete_model(services, models[1])
