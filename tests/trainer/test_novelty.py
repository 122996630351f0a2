"""Telling images that are like nothing a model was trained on."""

from pathlib import Path

import numpy as np
import pytest

from trainer.datasets import Dataset
from trainer.novelty import FAMILIAR_SHARE, NoveltyDetector, fit_novelty


@pytest.fixture(scope="module")
def detector(digits: Dataset) -> NoveltyDetector:
    return fit_novelty(digits.train_images, digits.train_labels, digits.test_images, seed=1)


def test_nearly_all_held_out_images_are_familiar(detector: NoveltyDetector, digits: Dataset) -> None:
    scores = detector.score(digits.test_images)

    assert np.mean(scores <= 1) == pytest.approx(FAMILIAR_SHARE, abs=0.003)
    assert scores.min() >= 0


def test_training_images_are_more_familiar_than_others(detector: NoveltyDetector, digits: Dataset) -> None:
    assert np.median(detector.score(digits.train_images)) < np.median(detector.score(digits.test_images))


def test_pictures_of_other_things_are_not(detector: NoveltyDetector) -> None:
    checks = np.kron(np.indices((7, 7)).sum(axis=0) % 2, np.ones((4, 4)))
    stripes = np.kron(np.arange(7)[:, None] % 2 == 0, np.ones((4, 28)))
    corners = np.kron([[1, 0, 1], [0, 0, 0], [1, 0, 1]], np.ones((9, 9)))
    pictures = np.stack([checks, stripes, np.pad(corners, (0, 1))]).astype(np.uint8) * np.uint8(255)

    assert (detector.score(pictures) > 1).all()


def test_a_blank_picture_has_a_score(detector: NoveltyDetector) -> None:
    assert np.isfinite(detector.score(np.zeros((1, 28, 28), np.uint8))).all()
    assert detector.score(np.zeros((0, 28, 28), np.uint8)).shape == (0,)


def test_it_answers_the_same_when_it_is_read_back(detector: NoveltyDetector, digits: Dataset, tmp_path: Path) -> None:
    detector.save(tmp_path / "novelty.npz")

    again = NoveltyDetector.load(tmp_path / "novelty.npz")

    assert (again.score(digits.test_images) == detector.score(digits.test_images)).all()


def test_classes_of_few_images_are_learned_too(digits: Dataset) -> None:
    few = [int(np.flatnonzero(digits.train_labels == label)[0]) for label in range(10)]

    detector = fit_novelty(digits.train_images[few], digits.train_labels[few], digits.test_images, seed=1)

    assert detector.prototypes.shape == (10, 49)
    assert (detector.score(digits.train_images[few]) < 1e-3).all()
