"""Trains a recipe: faithful to the Keras script it comes from, and several times faster."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from trainer.checkpoints import EpochResult, restore_checkpoint, save_checkpoint
from trainer.datasets import Dataset
from trainer.epochs import Epochs, metrics_of
from trainer.errors import TrainingDiverged
from trainer.networks import build_from
from trainer.parameters import TrainingParameters
from trainer.recipes import get_recipe


@dataclass(frozen=True)
class Progress:
    """How far a training is: `step` of `steps` of the current `epoch` (from 1) of `epochs`.

    `loss` and `accuracy` are the running means of the current epoch; `history` has the finished ones.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    history: tuple[EpochResult, ...]


@dataclass(frozen=True)
class Trained:
    """A trained model, what it was trained by, and how it went."""

    model: keras.Model
    parameters: TrainingParameters
    history: tuple[EpochResult, ...]


def train(
    parameters: TrainingParameters,
    dataset: Dataset,
    *,
    checkpoint: Path | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Trained:
    """Train to the last epoch. The same parameters and data on the same machine give the same weights, bit for bit.

    Args:
        parameters: what to train; None fields take the recipe's values.
        dataset: images and labels; a recipe whose validation is `test` is validated on its test images.
        checkpoint: written after each epoch; where it exists already, training goes on after its last epoch,
            and ends with the same weights as if it had never stopped.
        on_progress: called several times a second and after each epoch. It may raise: training stops at once
            and the exception passes through.

    Raises:
        TrainingDiverged: the loss is no finite number.
    """
    parameters = parameters.resolved()
    assert parameters.epochs is not None
    assert parameters.batch_size is not None
    recipe = get_recipe(parameters.recipe)
    model = build_from(parameters)
    history = restore_checkpoint(checkpoint, model, parameters) if checkpoint else []
    engine = Epochs(
        model,
        dataset.train_images,
        dataset.train_labels,
        batch_size=parameters.batch_size,
        one_hot=recipe.loss == "categorical_crossentropy",
    )

    def report(epoch: int, step: int, metrics: dict[str, float]) -> None:
        loss, accuracy = metrics["loss"], metrics["accuracy"]
        assert parameters.epochs is not None
        on_progress(Progress(epoch, parameters.epochs, step, engine.steps, loss, accuracy, tuple(history)))

    for epoch in range(len(history) + 1, parameters.epochs + 1):
        started = time.perf_counter()
        order = np.random.default_rng([parameters.seed, epoch]).permutation(len(dataset.train_images))
        metrics: dict[str, float] = {}
        for step in engine.train(order.astype(np.int32)):
            metrics = metrics_of(model)
            _check_finite(metrics["loss"], epoch, parameters)
            report(epoch, step, metrics)
        validation = engine.test(dataset.test_images, dataset.test_labels) if recipe.validation == "test" else {}
        history.append(
            EpochResult(
                epoch=epoch,
                loss=metrics["loss"],
                accuracy=metrics["accuracy"],
                val_loss=validation.get("loss"),
                val_accuracy=validation.get("accuracy"),
                seconds=time.perf_counter() - started,
            )
        )
        if checkpoint:
            save_checkpoint(checkpoint, model, parameters, history)
        report(epoch, engine.steps, metrics)
    return Trained(model, parameters, tuple(history))


def _check_finite(loss: float, epoch: int, parameters: TrainingParameters) -> None:
    if not math.isfinite(loss):
        raise TrainingDiverged(
            f"The loss became {loss} in epoch {epoch}: training diverged. "
            f"Try a learning rate below {parameters.learning_rate}."
        )
