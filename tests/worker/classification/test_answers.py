"""From an archive's members to the rows of its results."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import polars as pl
import pytest

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.architecture.recipes import get_recipe
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.trainer.evaluation.novelty import fit_novelty
from tenfold.trainer.files.class_names import ClassNames
from tenfold.trainer.input_spec import DIGIT, InputSpec
from tenfold.trainer.serving.inference import BATCH, Classifier, Ensemble
from tenfold.worker.classification.answers import Answering, answer
from tenfold.worker.classification.labels.folders import FolderLabels
from tenfold.worker.classification.reading.images import CHUNK_IMAGES, Problem, read_images
from tenfold.worker.classification.results import ROWS
from tenfold.worker.errors import LeaseLost
from tenfold.worker.models.cache import LoadedEnsemble
from tenfold.worker.models.preparing import Preparation
from tenfold.worker.sources import Source, open_source

MAX_BYTES = 10**6


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """Untrained: sure of nothing."""
    return build_model(get_recipe("dropout-128").plan, classes=10, seed=3, steps=1)


@pytest.fixture(scope="module")
def panel(model: keras.Model, mnist: Dataset) -> LoadedEnsemble:
    few = mnist.head(train=2000, test=500)
    ensemble = Ensemble([Classifier(model)])
    predicted = ensemble.classify(few.test_images).argmax(axis=1)
    given = few.train_images, few.train_labels, few.test_images, predicted
    return LoadedEnsemble(ensemble, fit_novelty(*given, classes=10, seed=1))


Open = Callable[[dict[str, bytes]], Source]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    archives = []

    def pack(members: dict[str, bytes]) -> Source:
        with zipfile.ZipFile(tmp_path / "images.zip", "w") as file:
            for name, data in members.items():
                file.writestr(name, data)
        archives.append(open_source(tmp_path / "images.zip", tmp_path))
        return archives[-1]

    yield pack
    for archive in archives:
        archive.close()


def answers(
    archive: Source, panel: LoadedEnsemble, threads: int = 1, spec: InputSpec = DIGIT, **changes: float
) -> pl.DataFrame:
    images = read_images(
        archive,
        archive.listing.images,
        Preparation(spec),
        max_image_bytes=MAX_BYTES,
        threads=threads,
        report=lambda _: None,
    )
    how = {"threshold": 0.5, "top_k": 3} | changes
    truth = FolderLabels(None, ClassNames(panel.ensemble.class_names))
    return pl.concat(answer(images, 100, Answering(panel, how["threshold"], int(how["top_k"]), 7, truth)))


def test_a_row_says_what_the_model_says(opened: Open, panel: LoadedEnsemble, mnist: Dataset) -> None:
    archive = opened({f"{mnist.test_labels[n]}/{n}.png": png(mnist.test_images[n]) for n in range(20)})

    rows = answers(archive, panel)

    probabilities = panel.ensemble.classify(mnist.test_images[:20])
    assert rows.schema == ROWS
    assert rows["row"].to_list() == list(range(100, 120))
    assert rows["prediction"].to_list() == [str(label) for label in probabilities.argmax(axis=1)]
    assert rows["true_label"].to_list() == [str(label) for label in mnist.test_labels[:20]]
    np.testing.assert_allclose(rows["confidence"], probabilities.max(axis=1), atol=1e-6)
    for row, of_classes in zip(rows.iter_rows(named=True), probabilities, strict=True):
        order = np.argsort(-of_classes)[:3]
        assert row["top_predictions"] == [str(label) for label in order]
        assert row["top_confidences"] == pytest.approx(of_classes[order].tolist(), abs=1e-6)
        assert (row["runner_up"], row["runner_up_confidence"]) == (row["top_predictions"][1], row["top_confidences"][1])
    assert set(rows["shard"]) == {7}
    assert set(rows["normalization"]) == {"as-is"}
    assert rows["error"].null_count() == 20


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("count", [CHUNK_IMAGES - 1, CHUNK_IMAGES, BATCH + 1])
def test_each_image_has_one_row_in_its_place(
    opened: Open, panel: LoadedEnsemble, mnist: Dataset, count: int, threads: int
) -> None:
    """Also where some cannot be read."""
    members = {f"{n}.png": png(mnist.test_images[n]) if n % 5 else b"no image" for n in range(count)}

    rows = answers(opened(members), panel, threads)

    assert rows["name"].to_list() == list(members)
    assert rows["row"].to_list() == list(range(100, 100 + count))
    assert rows["prediction"].is_null().to_list() == [n % 5 == 0 for n in range(count)]
    assert rows["error_kind"].is_null().to_list() == [n % 5 != 0 for n in range(count)]


def test_no_image_that_can_be_read_is_rows_of_errors(opened: Open, panel: LoadedEnsemble) -> None:
    rows = answers(opened({"a.png": b"", "b.png": b"<html>"}), panel)

    assert rows.schema == ROWS
    assert rows["error"].null_count() == rows["accepted"].count() == 0


def test_what_the_model_is_sure_of_is_accepted(opened: Open, panel: LoadedEnsemble, mnist: Dataset) -> None:
    archive = opened({f"{n}.png": png(mnist.test_images[n]) for n in range(50)})
    confidences = answers(archive, panel)["confidence"]
    middle = float(np.median(confidences))

    rows = answers(archive, panel, threshold=middle)

    good = rows.filter(pl.col("quality").is_null())
    assert len(good) > 40
    assert (good["accepted"] == (good["confidence"] > middle)).all()


def test_an_image_with_something_wrong_is_never_accepted(opened: Open, panel: LoadedEnsemble, mnist: Dataset) -> None:
    window = np.full((200, 200), 255, np.uint8)
    for place in (20, 94, 168):
        window[20:180, place : place + 12] = window[place : place + 12, 20:180] = 0
    pair = 255 - np.hstack([np.pad(mnist.test_images[n], 8).repeat(3, 0).repeat(3, 1) for n in (0, 1)])
    small_window = np.pad(window, 80, constant_values=255)  # too far inside for the lines of a box
    blank = np.full((90, 60), 240, np.uint8)
    pictures = {"blank.png": blank, "small.png": small_window, "window.png": window, "pair.png": pair}
    members = pictures | {"7.png": mnist.test_images[0]}

    rows = answers(opened({name: png(image) for name, image in members.items()}), panel, threshold=0.0)

    assert rows["quality"].to_list() == ["blank", "out_of_distribution", "lines", "multiple_digits", None]
    assert rows["accepted"].to_list() == [False, False, False, False, True]


def test_a_model_without_a_detector_calls_nothing_novel(opened: Open, model: keras.Model, mnist: Dataset) -> None:
    rows = answers(opened({"a.png": png(mnist.test_images[0])}), LoadedEnsemble(Ensemble([Classifier(model)]), None))

    assert rows["novelty"].to_list() == [None]
    assert rows["quality"].to_list() == [None]


def test_more_classes_are_asked_for_than_there_are(opened: Open, panel: LoadedEnsemble, mnist: Dataset) -> None:
    rows = answers(opened({"a.png": png(mnist.test_images[0])}), panel, top_k=100)

    assert len(rows["top_predictions"][0]) == 10


def test_reading_stops_when_the_job_is_cancelled(opened: Open, mnist: Dataset) -> None:
    archive = opened({f"{n}.png": png(mnist.test_images[0]) for n in range(3 * CHUNK_IMAGES)})

    def cancelled(read: int) -> None:
        if read >= CHUNK_IMAGES:
            raise LeaseLost("cancelled")

    with pytest.raises(LeaseLost):
        list(
            read_images(
                archive,
                archive.listing.images,
                Preparation(DIGIT),
                max_image_bytes=MAX_BYTES,
                threads=1,
                report=cancelled,
            )
        )


def test_a_file_that_is_too_large_is_a_problem_of_its_own(opened: Open, mnist: Dataset) -> None:
    archive = opened({"a.png": bytes(2 * MAX_BYTES), "b.png": png(mnist.test_images[0])})

    (_, first), (_, second) = read_images(
        archive,
        archive.listing.images,
        Preparation(DIGIT),
        max_image_bytes=MAX_BYTES,
        threads=1,
        report=lambda _: None,
    )

    assert isinstance(first, Problem)
    assert "larger than" in first.message
    assert not isinstance(second, Problem)


def test_without_preprocessing_an_image_of_another_size_is_a_row_with_its_error(opened: Open) -> None:
    spec = InputSpec("none", 12, 16, 3)
    network = build_model(Plan(units=()), classes=10, seed=1, steps=1, spec=spec)
    loaded = LoadedEnsemble(Ensemble([Classifier(network, spec=spec)]), None)
    exact, random = np.zeros((12, 16, 3), np.uint8), np.random.default_rng(1)
    members = {
        "a.png": png(random.integers(0, 256, exact.shape, np.uint8)),
        "gray.png": png(exact[..., 0]),
        "large.png": png(random.integers(0, 256, (13, 16, 3), np.uint8)),
    }
    rows = answers(opened(members), loaded, spec=spec)

    assert rows["error_kind"].to_list() == [None, "wrong_size", "wrong_size"]
    assert rows["prediction"].is_null().to_list() == [False, True, True]
    assert "is 13×16 color; the model takes only 12×16 color" in rows["error"][2]
