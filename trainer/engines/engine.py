"""What every engine does; how it runs many steps at a time is its backend's."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Self

import keras
import numpy as np
import numpy.typing as npt

from trainer.augmentation import Floats
from trainer.evaluation import test_in_batches
from trainer.idx import Bytes
from trainer.networks import has_convolutions, takes_one_hot

# Images between two returns to Python: some 20 ms of work on a net of dense layers and 150 ms on a small convolutional
# one, so that progress is smooth and a cancel quick.
IMAGES_PER_CALL = 4096
IMAGES_PER_CALL_WITH_CONVOLUTIONS = 512

# A step has a cost of its own: with tiny batches this many keep a call well under 0.3 s.
MOST_STEPS_PER_CALL = 256

# What happens to each image of an epoch: `trainer.augmentation.draw_distortions`.
Distortions = tuple[Floats, Floats]

AnyArray = npt.NDArray[Any]


class Engine(ABC):
    """Trains and tests one compiled model on fixed images, in a `with` block. See `make_engine` for the arguments."""

    def __init__(self, model: keras.Model, images: Bytes, labels: Bytes, *, batch_size: int) -> None:
        self.model = model
        self.batch_size = batch_size
        self.one_hot = takes_one_hot(model)
        self.classes = int(model.output_shape[-1])
        self.steps = -(-len(images) // batch_size)
        self._whole_steps = len(images) // batch_size
        images_per_call = IMAGES_PER_CALL_WITH_CONVOLUTIONS if has_convolutions(model) else IMAGES_PER_CALL
        self._stride = _even_stride(self._whole_steps, min(max(1, images_per_call // batch_size), MOST_STEPS_PER_CALL))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027  most engines have nothing to give back
        """Give back what the engine had to itself. The model stays as it is."""

    @abstractmethod
    def train(self, order: npt.NDArray[np.int32], distortions: Distortions | None = None) -> Iterator[int]:
        """One epoch over the images in this order; yields the number of steps done now and then.

        The model is trained when the epoch is at its end; one that is broken off may leave it as it was.

        Args:
            order: (n,) indices of the images.
            distortions: what is to happen to the first, second, … image of the order.
        """

    @abstractmethod
    def metrics(self) -> dict[str, float]:
        """The running `loss` and `accuracy` of the epoch."""

    def calls(self) -> Iterator[tuple[int, int]]:
        """Runs of steps from start to stop whose batches are of one size."""
        for start in range(0, self._whole_steps, self._stride):
            yield start, min(start + self._stride, self._whole_steps)
        if self.steps > self._whole_steps:
            yield self._whole_steps, self.steps

    def batches(self, parts: Sequence[AnyArray], start: int, stop: int) -> Iterator[AnyArray]:
        """What belongs to the steps of one call: each part of an epoch (images, …) as (steps, batch, …)."""
        for part in parts:
            here = part[start * self.batch_size : stop * self.batch_size]
            yield here.reshape(stop - start, -1, *part.shape[1:])

    def test(self, images: Bytes, labels: Bytes) -> dict[str, float]:
        """`loss` and `accuracy` on other images."""
        return test_in_batches(self.model, images, labels)


def _even_stride(steps: int, most: int) -> int:
    """Steps in a call: as many as divide the epoch evenly, since each other length is compiled anew."""
    return next((stride for stride in range(most, most // 2, -1) if steps % stride == 0), most)
