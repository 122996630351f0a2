"""The base of all training engines."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import keras
import numpy as np
import numpy.typing as npt

from tenfold.trainer.architecture.networks import has_convolutions, takes_one_hot
from tenfold.trainer.arrays import Bytes, Labels
from tenfold.trainer.input_spec import DIGIT, InputSpec
from tenfold.trainer.training.augmentation import Floats

# Images between two returns to Python: about 20 ms of work on a network of dense layers and 150 ms on a small
# convolutional one, so that progress is smooth and a job is cancelled quickly.
IMAGES_PER_CALL = 4096
IMAGES_PER_CALL_WITH_CONVOLUTIONS = 512

# Each step has a fixed cost: with tiny batches this many keep a call well under 0.3 s.
MAX_STEPS_PER_CALL = 256

# The distortions of an epoch's images: see `tenfold.trainer.training.augmentation.draw_distortions`.
Distortions = tuple[Floats, Floats]

AnyArray = npt.NDArray[Any]


class Engine(ABC):
    """Trains and tests one compiled model on fixed images, in a `with` block. See `make_engine` for the arguments."""

    def __init__(
        self,
        model: keras.Model,
        images: Bytes,
        labels: Labels,
        *,
        batch_size: int,
        spec: InputSpec = DIGIT,
        weights: Floats | None = None,
    ) -> None:
        self.model = model
        self.spec = spec
        # The value of paper, for the augmentation.
        self.paper = spec.scaled(0.0)
        self.batch_size = batch_size
        self.weights = weights
        self.one_hot = takes_one_hot(model)
        self.classes = int(model.output_shape[-1])
        self.steps = -(-len(images) // batch_size)
        self._whole_steps = len(images) // batch_size
        images_per_call = IMAGES_PER_CALL_WITH_CONVOLUTIONS if has_convolutions(model) else IMAGES_PER_CALL
        self._stride = _even_stride(self._whole_steps, min(max(1, images_per_call // batch_size), MAX_STEPS_PER_CALL))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027  most engines have nothing to release
        """Release resources; the model is unchanged."""

    @abstractmethod
    def train(self, order: npt.NDArray[np.int32], distortions: Distortions | None = None) -> Iterator[int]:
        """Train one epoch over the images in this order; yields the number of finished steps from time to time.

        The model has the new weights only at the end of the epoch.

        Args:
            order: (n,) indices of the images.
            distortions: those of the first, second, … image of the order.
        """

    @abstractmethod
    def metrics(self) -> dict[str, float]:
        """The running `loss` and `accuracy` of the epoch."""

    def calls(self) -> Iterator[tuple[int, int]]:
        """Ranges of steps (start, stop) whose batches have the same size."""
        for start in range(0, self._whole_steps, self._stride):
            yield start, min(start + self._stride, self._whole_steps)
        if self.steps > self._whole_steps:
            yield self._whole_steps, self.steps

    def batches(self, parts: Sequence[AnyArray], start: int, stop: int) -> Iterator[AnyArray]:
        """The part of each epoch-long array that belongs to these steps, as (steps, batch, …)."""
        for part in parts:
            chunk = part[start * self.batch_size : stop * self.batch_size]
            yield chunk.reshape(stop - start, -1, *part.shape[1:])

    def test(self, images: Bytes, labels: Labels) -> dict[str, float]:
        """`loss` and `accuracy` on other images."""
        return evaluate_in_batches(self.model, images, labels, self.spec)


def _even_stride(steps: int, maximum: int) -> int:
    """Steps per call: a number that divides the epoch evenly if possible, since each length is compiled separately."""
    return next((stride for stride in range(maximum, maximum // 2, -1) if steps % stride == 0), maximum)


TEST_BATCH = 1000


def evaluate_in_batches(model: keras.Model, images: Bytes, labels: Labels, spec: InputSpec = DIGIT) -> dict[str, float]:
    """Keras' `loss` and `accuracy` on (n, *spec.shape) uint8 images, in batches to bound the memory."""
    one_hot, classes = takes_one_hot(model), model.output_shape[-1]
    means = BatchMeans()
    for start in range(0, len(images), TEST_BATCH):
        batch = slice(start, start + TEST_BATCH)
        target = keras.utils.to_categorical(labels[batch], classes) if one_hot else labels[batch]
        inputs = spec.scaled(spec.oriented(images[batch]).astype(np.float32))
        model.reset_metrics()
        means.add(model.test_on_batch(inputs, target, return_dict=True), len(target))
    return means.result()


class BatchMeans:
    """The means over all images of metrics that are measured one batch at a time.

    `train_on_batch` and `test_on_batch` of newer versions of Keras return those of their batch (keras#22617), of
    older ones the means since `reset_metrics`: reset the metrics for each batch.
    """

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._images = 0

    def add(self, metrics: Mapping[str, float], images: int) -> None:
        for name, value in metrics.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value) * images
        self._images += images

    def result(self) -> dict[str, float]:
        return {name: total / self._images for name, total in self._sums.items()}
