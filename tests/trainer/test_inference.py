"""Classifying in batches gives for each image what the model gives for it alone."""

from pathlib import Path

import keras
import numpy as np
import pytest

from trainer.datasets import Dataset
from trainer.inference import BATCH, Classifier, normalised
from trainer.networks import build_model
from trainer.recipes import get_recipe


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """Untrained sigmoid outputs, whose sums are far from 1."""
    return build_model(get_recipe("sigmoid-100").plan, classes=10, seed=3, steps=1)


@pytest.mark.parametrize("count", [1, 7, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH + 3])
def test_any_number_of_images_is_classified_as_by_the_model(count: int, model: keras.Model, digits: Dataset) -> None:
    images = digits.train_images[:count]

    probabilities = Classifier(model).classify(images)

    scores = model.predict(images / 255.0, verbose=0)
    assert probabilities.shape == (count, 10)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, scores / scores.sum(axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_no_image_is_no_answer(model: keras.Model) -> None:
    assert Classifier(model).classify(np.zeros((0, 28, 28), np.uint8)).shape == (0, 10)


def test_what_pads_the_last_batch_changes_nothing(model: keras.Model, digits: Dataset) -> None:
    classifier = Classifier(model)
    full = classifier.classify(digits.train_images[:BATCH])

    assert (classifier.classify(digits.train_images[:3]) == full[:3]).all()


def test_a_saved_model_is_loaded_with_its_class_names(model: keras.Model, digits: Dataset, tmp_path: Path) -> None:
    model.save(tmp_path / "model.keras")

    loaded = Classifier.load(tmp_path / "model.keras")
    letters = Classifier.load(tmp_path / "model.keras", list("abcdefghij"))

    images = digits.test_images[:20]
    assert loaded.class_names == tuple("0123456789")
    assert letters.class_names == tuple("abcdefghij")
    assert (loaded.classify(images) == Classifier(model).classify(images)).all()


def test_scores_of_nothing_are_an_even_guess() -> None:
    assert normalised(np.zeros((1, 4), np.float32)).tolist() == [[0.25] * 4]
