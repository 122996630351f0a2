"""A training whose classes differ much in size."""

from dataclasses import replace

import numpy as np
import pytest

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.evaluation.accuracy import evaluate
from tenfold.trainer.training.loop import Trained, train
from tests.trainer.trainings import SMALL

FREQUENT, RARE = 4, 9


@pytest.fixture(scope="module")
def imbalanced(mnist: Dataset) -> Dataset:
    """1,000 fours and 30 nines, which look alike, to train on; all fours and nines of MNIST's test part."""
    labels = mnist.train_labels
    chosen = np.concatenate([np.flatnonzero(labels == FREQUENT)[:1000], np.flatnonzero(labels == RARE)[:30]])
    test = np.isin(mnist.test_labels, [FREQUENT, RARE])
    return replace(
        mnist,
        train_images=mnist.train_images[chosen],
        train_labels=labels[chosen],
        test_images=mnist.test_images[test],
        test_labels=mnist.test_labels[test],
    )


def trained_on(dataset: Dataset, class_weights: str) -> Trained:
    parameters = TrainingParameters(**SMALL, epochs=5, validation="split", class_weights=class_weights)
    return train(parameters, dataset)


def balanced_accuracy(trained: Trained, dataset: Dataset) -> float:
    return evaluate(trained.model, dataset.test_images, dataset.test_labels).scores()["balanced_accuracy"]


def test_balanced_class_weights_find_the_rare_class(imbalanced: Dataset) -> None:
    unweighted, balanced = (trained_on(imbalanced, class_weights) for class_weights in ("none", "balanced"))

    assert balanced_accuracy(balanced, imbalanced) > balanced_accuracy(unweighted, imbalanced) + 0.1
    assert unweighted.notes == []
    assert balanced.notes == [
        "Class weights: in the training loss an image counts 0.515 (most frequent class) to 17.2 times (rarest class); "
        "validation and test are not weighted."
    ], "counted on the 900 and 27 images that the split leaves to train on"
