"""Telling images that are unlike what a model learned their class from."""

import tracemalloc
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.framed_digits import cells
from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.evaluation.novelty import FAMILIAR_SHARE, NoveltyDetector, fit_novelty, load_novelty
from tenfold.trainer.images import normalize_all

Labels = npt.NDArray[np.uint8]


def fit(dataset: Dataset, classes: int = 10) -> NoveltyDetector:
    """For a model that is always right."""
    given = dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels
    return fit_novelty(*given, classes=classes, seed=1)


@pytest.fixture(scope="module")
def detector(digits: Dataset) -> NoveltyDetector:
    return fit(digits)


def share_novel(detector: NoveltyDetector, images: Bytes, predicted: Labels | None = None) -> float:
    """Whatever class each of them is taken for, where no other is said."""
    if predicted is not None:
        return float(np.mean(detector.score(images, predicted) > 1))
    every = [detector.score(images, np.full(len(images), label)) for label in range(10)]
    return float(np.mean(np.min(every, axis=0) > 1))


def test_nearly_all_held_out_images_are_familiar(detector: NoveltyDetector, digits: Dataset) -> None:
    scores = detector.score(digits.test_images, digits.test_labels)

    assert np.mean(scores <= 1) == pytest.approx(FAMILIAR_SHARE, abs=0.003)
    assert scores.min() >= 0
    assert scores.dtype == np.float32


def test_an_image_is_more_familiar_as_what_it_shows(detector: NoveltyDetector, digits: Dataset) -> None:
    right = detector.score(digits.test_images, digits.test_labels)
    wrong = detector.score(digits.test_images, (digits.test_labels + 1) % 10)

    assert np.mean(wrong > right) > 0.95


def test_pictures_of_other_things_are_not(detector: NoveltyDetector) -> None:
    checks = np.kron(np.indices((7, 7)).sum(axis=0) % 2, np.ones((4, 4)))
    stripes = np.kron(np.arange(7)[:, None] % 2 == 0, np.ones((4, 28)))
    corners = np.kron([[1, 0, 1], [0, 0, 0], [1, 0, 1]], np.ones((9, 9)))
    pictures = np.stack([checks, stripes, np.pad(corners, (0, 1))]).astype(np.uint8) * np.uint8(255)

    assert share_novel(detector, pictures) == 1


def test_noise_is_novel(detector: NoveltyDetector) -> None:
    assert share_novel(detector, np.random.default_rng(3).integers(0, 256, (200, 28, 28), np.uint8)) == 1


def test_clothes_are_novel_to_digits(detector: NoveltyDetector, fashion: Dataset) -> None:
    assert share_novel(detector, fashion.test_images[:500]) > 0.7


def test_a_frame_around_a_digit_is_novel(detector: NoveltyDetector, digits: Dataset) -> None:
    """As the model sees it, the frame of a pixel's width left where it was."""
    framed = digits.test_images.copy()
    framed[:, [2, 25], 2:26] = 255
    framed[:, 2:26, [2, 25]] = 255

    assert share_novel(detector, framed, digits.test_labels) > 0.95


def test_a_blank_picture_has_a_score(detector: NoveltyDetector) -> None:
    assert np.isfinite(detector.score(np.zeros((1, 28, 28), np.uint8), np.zeros(1, int))).all()
    assert detector.score(np.zeros((0, 28, 28), np.uint8), np.zeros(0, int)).shape == (0,)


def test_it_answers_the_same_when_it_is_read_back(detector: NoveltyDetector, digits: Dataset, tmp_path: Path) -> None:
    detector.save(tmp_path / "novelty.npz")

    again = load_novelty(tmp_path / "novelty.npz")
    assert again is not None

    scores = [found.score(digits.test_images, digits.test_labels) for found in (again, detector)]
    assert (scores[0] == scores[1]).all()


def test_the_prototypes_of_an_early_release_are_no_detector(tmp_path: Path) -> None:
    np.savez(tmp_path / "novelty.npz", prototypes=np.zeros((1, 49), np.float32), limit=0.5)

    assert load_novelty(tmp_path / "novelty.npz") is None


def test_classes_of_few_images_are_learned_too(digits: Dataset) -> None:
    few = [int(np.flatnonzero(digits.train_labels == label)[0]) for label in range(10)]
    one_each = Dataset(
        "few", digits.train_images[few], digits.train_labels[few], digits.test_images, digits.test_labels
    )

    detector = fit(one_each)

    assert (detector.score(one_each.train_images, one_each.train_labels) < 1e-3).all()
    assert np.mean(detector.score(digits.test_images, digits.test_labels) <= 1) == pytest.approx(0.995, abs=0.003)


def test_a_class_without_images_is_unlike_nearly_all(digits: Dataset) -> None:
    assert share_novel(fit(digits, classes=11), digits.test_images, np.full(500, 10, np.uint8)) > 0.9


def test_of_many_classes_each_has_fewer_directions(digits: Dataset) -> None:
    labels = (np.arange(2000) % 200).astype(np.uint8)
    many = Dataset("many", digits.train_images, labels, digits.test_images, np.zeros(500, np.uint8))

    assert fit(many, classes=200).directions.shape == (200, 784, 10)


def test_the_memory_that_it_takes_does_not_grow_with_the_images(digits: Dataset) -> None:
    """As floats they would take 3,136 bytes an image."""

    def peak(images: int) -> int:
        many = np.broadcast_to(digits.test_images[:1], (images, 28, 28))
        labels = (np.arange(images) % 10).astype(np.uint8)
        tracemalloc.start()
        fit_novelty(many, labels, many, labels, classes=10, seed=1)
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return taken

    assert peak(80_000) - peak(30_000) < 50_000 * 100


def test_misread_cells_of_forms_are_told_from_well_read_ones(digits: Dataset) -> None:
    """With a model of a neighbor: the nearest of the training images answers."""
    detector, pixels = fit(digits), digits.train_images.reshape(2000, -1).astype(np.float32)
    seen = np.stack([image.pixels for image in normalize_all(list(cells(digits.test_images[:300], "box", 4)))])
    points = seen.reshape(len(seen), -1).astype(np.float32)
    distance = (pixels**2).sum(axis=1) - 2 * points @ pixels.T
    predicted = digits.train_labels[distance.argmin(axis=1)]
    right = predicted == digits.test_labels[:300]

    scores = detector.score(seen, predicted)

    assert np.median(scores[~right]) > 1.15 * np.median(scores[right])
