"""An evaluation's figures, on answers small enough to count by hand."""

import numpy as np
import pytest

from trainer.datasets import Dataset
from trainer.evaluation import Evaluation, evaluate
from trainer.parameters import TrainingParameters
from trainer.training import train


@pytest.fixture
def by_hand() -> Evaluation:
    """Four images of three classes: the second and the last are mistakes, the last the more confident one."""
    return Evaluation(
        labels=np.array([0, 0, 1, 1]),
        predicted=np.array([0, 1, 1, 0]),
        probabilities=np.array([[0.9, 0.1, 0], [0.4, 0.6, 0], [0.2, 0.8, 0], [0.7, 0.3, 0]], np.float32),
        confusion=np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0]]),
        loss=0.5,
    )


def test_accuracy_and_the_figures_of_each_class(by_hand: Evaluation) -> None:
    assert by_hand.accuracy == 0.5
    assert by_hand.per_class()[0] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "images": 2}


def test_a_class_without_images_has_zeros_rather_than_nan(by_hand: Evaluation) -> None:
    assert by_hand.per_class()[2] == {"precision": 0, "recall": 0, "f1": 0, "images": 0}


def test_the_worst_mistake_is_the_most_confident_one(by_hand: Evaluation) -> None:
    assert by_hand.worst_mistakes(5).tolist() == [3, 1]
    assert by_hand.worst_mistakes(1).tolist() == [3]


@pytest.mark.parametrize("recipe", ["sigmoid-100", "rmsprop-512", "dropout-128"])
def test_a_model_is_evaluated_as_keras_does(recipe: str, digits: Dataset) -> None:
    model = train(TrainingParameters(recipe=recipe, epochs=1), digits).model

    evaluation = evaluate(model, digits.test_images, digits.test_labels)

    scores = model.predict(digits.test_images / 255.0, verbose=0)
    assert (evaluation.predicted == scores.argmax(axis=1)).all()
    assert evaluation.confusion.sum() == len(digits.test_labels)
    assert evaluation.confusion.trace() == (evaluation.predicted == digits.test_labels).sum()
    np.testing.assert_allclose(evaluation.probabilities, scores / scores.sum(axis=1, keepdims=True), atol=1e-5)
