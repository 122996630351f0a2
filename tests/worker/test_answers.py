"""From an archive's members to the rows of its results."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import polars as pl
import pytest

from trainer.datasets import Dataset
from trainer.inference import BATCH, Classifier, Ensemble
from trainer.input_spec import DIGIT
from trainer.naming.class_names import ClassNames
from trainer.networks import build_model
from trainer.novelty import fit_novelty
from trainer.recipes import get_recipe
from trainer.samples import png
from worker.answers import Answering, answer
from worker.errors import LeaseLost
from worker.preparing import Preparation
from worker.reading import CHUNK_IMAGES, Problem, read_images
from worker.results import ROWS
from worker.sources import Source, open_source
from worker.truth import FolderTruth
from worker.warm import Panel

MOST_BYTES = 10**6


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """Untrained: sure of nothing."""
    return build_model(get_recipe("dropout-128").plan, classes=10, seed=3, steps=1)


@pytest.fixture(scope="module")
def panel(model: keras.Model, mnist: Dataset) -> Panel:
    few = mnist.head(train=2000, test=500)
    ensemble = Ensemble([Classifier(model)])
    predicted = ensemble.classify(few.test_images).argmax(axis=1)
    given = few.train_images, few.train_labels, few.test_images, predicted
    return Panel(ensemble, fit_novelty(*given, classes=10, seed=1))


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


def answers(archive: Source, panel: Panel, threads: int = 1, **changes: float) -> pl.DataFrame:
    images = read_images(
        archive,
        archive.listing.images,
        Preparation(DIGIT),
        max_image_bytes=MOST_BYTES,
        threads=threads,
        report=lambda _: None,
    )
    how = {"threshold": 0.5, "top_k": 3} | changes
    truth = FolderTruth(None, ClassNames(panel.ensemble.class_names))
    return pl.concat(answer(images, 100, Answering(panel, how["threshold"], int(how["top_k"]), 7, truth)))


def test_a_row_says_what_the_model_says(opened: Open, panel: Panel, mnist: Dataset) -> None:
    archive = opened({f"{mnist.test_labels[n]}/{n}.png": png(mnist.test_images[n]) for n in range(20)})

    rows = answers(archive, panel)

    probabilities = panel.ensemble.classify(mnist.test_images[:20])
    assert rows.schema == ROWS
    assert rows["row"].to_list() == list(range(100, 120))
    assert rows["label"].to_list() == [str(label) for label in probabilities.argmax(axis=1)]
    assert rows["truth"].to_list() == [str(label) for label in mnist.test_labels[:20]]
    np.testing.assert_allclose(rows["confidence"], probabilities.max(axis=1), atol=1e-6)
    for row, of_classes in zip(rows.iter_rows(named=True), probabilities, strict=True):
        order = np.argsort(-of_classes)[:3]
        assert row["top_labels"] == [str(label) for label in order]
        assert row["top_confidences"] == pytest.approx(of_classes[order].tolist(), abs=1e-6)
        assert (row["runner_up"], row["runner_up_confidence"]) == (row["top_labels"][1], row["top_confidences"][1])
    assert set(rows["shard"]) == {7}
    assert set(rows["normalisation"]) == {"as-is"}
    assert rows["error"].null_count() == 20


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("count", [CHUNK_IMAGES - 1, CHUNK_IMAGES, BATCH + 1])
def test_each_image_has_one_row_in_its_place(
    opened: Open, panel: Panel, mnist: Dataset, count: int, threads: int
) -> None:
    """Also where some cannot be read."""
    members = {f"{n}.png": png(mnist.test_images[n]) if n % 5 else b"no image" for n in range(count)}

    rows = answers(opened(members), panel, threads)

    assert rows["name"].to_list() == list(members)
    assert rows["row"].to_list() == list(range(100, 100 + count))
    assert rows["label"].is_null().to_list() == [n % 5 == 0 for n in range(count)]
    assert rows["error_kind"].is_null().to_list() == [n % 5 != 0 for n in range(count)]


def test_no_image_that_can_be_read_is_rows_of_errors(opened: Open, panel: Panel) -> None:
    rows = answers(opened({"a.png": b"", "b.png": b"<html>"}), panel)

    assert rows.schema == ROWS
    assert rows["error"].null_count() == rows["accepted"].count() == 0


def test_what_the_model_is_sure_of_is_accepted(opened: Open, panel: Panel, mnist: Dataset) -> None:
    archive = opened({f"{n}.png": png(mnist.test_images[n]) for n in range(50)})
    confidences = answers(archive, panel)["confidence"]
    middle = float(np.median(confidences))

    rows = answers(archive, panel, threshold=middle)

    good = rows.filter(pl.col("quality").is_null())
    assert len(good) > 40
    assert (good["accepted"] == (good["confidence"] > middle)).all()


def test_an_image_with_something_wrong_is_never_accepted(opened: Open, panel: Panel, mnist: Dataset) -> None:
    window = np.full((200, 200), 255, np.uint8)
    for place in (20, 94, 168):
        window[20:180, place : place + 12] = window[place : place + 12, 20:180] = 0
    pair = 255 - np.hstack([np.pad(mnist.test_images[n], 8).repeat(3, 0).repeat(3, 1) for n in (0, 1)])
    small_window = np.pad(window, 80, constant_values=255)  # too far inside for the lines of a box
    blank = np.full((90, 60), 240, np.uint8)
    pictures = {"blank.png": blank, "small.png": small_window, "window.png": window, "pair.png": pair}
    members = pictures | {"7.png": mnist.test_images[0]}

    rows = answers(opened({name: png(image) for name, image in members.items()}), panel, threshold=0.0)

    assert rows["quality"].to_list() == ["blank", "like no class", "lines", "several digits", None]
    assert rows["accepted"].to_list() == [False, False, False, False, True]


def test_a_model_without_a_detector_calls_nothing_novel(opened: Open, model: keras.Model, mnist: Dataset) -> None:
    rows = answers(opened({"a.png": png(mnist.test_images[0])}), Panel(Ensemble([Classifier(model)]), None))

    assert rows["novelty"].to_list() == [None]
    assert rows["quality"].to_list() == [None]


def test_more_classes_are_asked_for_than_there_are(opened: Open, panel: Panel, mnist: Dataset) -> None:
    rows = answers(opened({"a.png": png(mnist.test_images[0])}), panel, top_k=100)

    assert len(rows["top_labels"][0]) == 10


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
                max_image_bytes=MOST_BYTES,
                threads=1,
                report=cancelled,
            )
        )


def test_a_file_that_is_too_large_is_a_problem_of_its_own(opened: Open, mnist: Dataset) -> None:
    archive = opened({"a.png": bytes(2 * MOST_BYTES), "b.png": png(mnist.test_images[0])})

    (_, first), (_, second) = read_images(
        archive,
        archive.listing.images,
        Preparation(DIGIT),
        max_image_bytes=MOST_BYTES,
        threads=1,
        report=lambda _: None,
    )

    assert isinstance(first, Problem)
    assert "larger than" in first.message
    assert not isinstance(second, Problem)
