"""What is compared of two trainings, and how one of them is interrupted."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.training.engines import Engine
from tenfold.trainer.training.loop import Progress, Trained

# A training that takes next to no time: TensorFlow compiles no dense layers by XLA for it.
SMALL: dict[str, Any] = {"filters": "2", "units": "none"}

# Learns so fast that its validation loss soon rises again.
STOPPED_EARLY: dict[str, Any] = {
    "filters": (4,),
    "units": (64,),
    "dropout": 0.1,
    "learning_rate": 0.02,
    "epochs": 30,
    "validation": "split",
    "validation_split": 0.25,
    "early_stopping": 2,
}


# As Keras' `fit` takes them.
CLASS_WEIGHT = {label: 0.25 * (label + 1) for label in range(10)}


class Killed(Exception):
    """Stands for whatever ends a worker."""


def kill_in_epoch(epoch: int) -> Callable[[Progress], None]:
    def on_progress(progress: Progress) -> None:
        if progress.epoch == epoch:
            raise Killed

    return on_progress


def weights(trained: Trained) -> list[bytes]:
    return arrays(trained.model)


def arrays(model: keras.Model) -> list[bytes]:
    return [array.tobytes() for array in model.get_weights()]


def state(model: keras.Model) -> list[bytes]:
    """The weights, dropout's random state and what the optimizer remembers."""
    return [variable.numpy().tobytes() for variable in [*model.variables, *model.optimizer.variables]]


def figures(trained: Trained) -> list[tuple[float | None, ...]]:
    """The history without its times."""
    return [(r.epoch, r.loss, r.accuracy, r.val_loss, r.val_accuracy) for r in trained.history]


def run_in_order(engine: Engine, images: int) -> list[int]:
    """One epoch over the images as they lie; returns the steps that were told."""
    return list(engine.train(np.arange(images, dtype=np.int32)))


def image_weights(dataset: Dataset, class_weight: dict[int, float]) -> np.ndarray:
    """The weight of each training image, float32."""
    return np.array([class_weight[label] for label in dataset.train_labels.tolist()], np.float32)


def scaled(dataset: Dataset) -> np.ndarray:
    """The training images as Keras takes them."""
    return dataset.train_images.astype(np.float32) / 255
