"""Classifying in batches gives for each image what the model gives for it alone."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.recipes import get_recipe
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.errors import ClassesDiffer
from tenfold.trainer.serving.inference import BATCH, Classifier, Ensemble, normalized, with_temperature


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """Untrained sigmoid outputs, whose sums are far from 1."""
    return build_model(get_recipe("sigmoid-100").plan, classes=10, seed=3, steps=1)


@pytest.mark.parametrize("count", [1, 7, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH + 3])
def test_any_number_of_images_is_classified_as_by_the_model(count: int, model: keras.Model, mnist: Dataset) -> None:
    images = mnist.train_images[:count]

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
    assert normalized(np.zeros((1, 4), np.float32)).tolist() == [[0.25] * 4]


def test_a_temperature_changes_how_sure_it_is_and_not_what_it_says(model: keras.Model, digits: Dataset) -> None:
    images = digits.train_images[:100]
    plain = Classifier(model).classify(images)

    cooled = Classifier(model, temperature=0.25).classify(images)

    np.testing.assert_allclose(cooled, with_temperature(plain, 0.25), atol=1e-6)
    assert (cooled.argmax(axis=1) == plain.argmax(axis=1)).all()
    assert (cooled.max(axis=1) > plain.max(axis=1)).all()


def test_several_answer_with_the_mean_of_their_calibrated_probabilities(model: keras.Model, digits: Dataset) -> None:
    images = digits.train_images[:20]
    other = build_model(get_recipe("dropout-128").plan, classes=10, seed=4, steps=1)
    members = [Classifier(model, temperature=0.5), Classifier(other, temperature=2.0)]

    together = Ensemble(members).classify(images)

    np.testing.assert_allclose(together, (members[0].classify(images) + members[1].classify(images)) / 2, atol=1e-6)
    assert together.dtype == np.float32


def test_models_of_other_classes_do_not_answer_together(model: keras.Model) -> None:
    with pytest.raises(ClassesDiffer, match="one has 0, 1"):
        Ensemble([Classifier(model), Classifier(model, class_names="abcdefghij")])
