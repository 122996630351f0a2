"""Real digits, few enough that a test trains on them in a moment."""

import pytest

from trainer import runtime
from trainer.datasets import Dataset

runtime.configure(1)


@pytest.fixture(scope="session")
def digits(mnist: Dataset) -> Dataset:
    """The first 2,000 training and 500 test images of MNIST."""
    return mnist.head(train=2000, test=500)
