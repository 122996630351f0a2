"""Real digits, few enough that a test trains on them in a moment."""

import hypothesis
import pytest

from tenfold.trainer import runtime
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.training.loop import Trained, train
from tests.trainer.trainings import STOPPED_EARLY

runtime.configure(1)

# How long an example takes says nothing on a busy machine.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def digits(mnist: Dataset) -> Dataset:
    """The first 2,000 training and 500 test images of MNIST."""
    return mnist.head(train=2000, test=500)


@pytest.fixture(scope="session")
def whole_batches(mnist: Dataset) -> Dataset:
    """The first 2,048 training and 500 test images: batches of 32 leave no part of one, and one loop is compiled."""
    return mnist.head(train=2048, test=500)


@pytest.fixture(scope="session")
def animals(mnist: Dataset) -> Dataset:
    """Three classes with names of their own, 640 training and 200 test images: the sevens, eights and nines."""
    parts = []
    for images, labels, count in (
        (mnist.train_images, mnist.train_labels, 640),
        (mnist.test_images, mnist.test_labels, 200),
    ):
        chosen = labels >= 7
        parts += [images[chosen][:count], labels[chosen][:count] - 7]
    return Dataset("animals", *parts, class_names=("cat", "dog", "guinea pig"))


@pytest.fixture(scope="session")
def with_dropout(whole_batches: Dataset) -> Trained:
    """Two epochs, validated on the test images."""
    return train(TrainingParameters(recipe="dropout-128-32", epochs=2), whole_batches)


@pytest.fixture(scope="session")
def stopped_early(whole_batches: Dataset) -> Trained:
    """Stopped by its validation split of 512 images, long before its last epoch."""
    return train(TrainingParameters(**STOPPED_EARLY), whole_batches)
