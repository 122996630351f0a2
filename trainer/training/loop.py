"""Trains a plan with the same results as a plain Keras script, several times faster."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from tenfold.trainer.architecture.networks import build_model, compile_model, on_logits
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.splits import Split, balanced_weights, split_for
from tenfold.trainer.errors import InputUnsupported, TrainingDiverged
from tenfold.trainer.training.augmentation import draw_distortions
from tenfold.trainer.training.checkpoints import Checkpoint, EpochResult, restore_checkpoint, save_checkpoint
from tenfold.trainer.training.engines import Engine, make_engine
from tenfold.trainer.training.finetuning import Ancestor, start_from


@dataclass(frozen=True)
class Progress:
    """The progress of a training: `step` of `steps` in `epoch` (from 1) of `epochs`.

    `loss` (nats) and `accuracy` (0–1) are the running means of the current epoch; `history` has the finished epochs.
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
    """A trained model, its parameters and its history.

    `best_epoch` is the epoch whose weights the model has: the last one, except with early stopping. `notes` are
    sentences that tell the user anything unusual about the training. `ancestor` is the model that it started from.
    """

    model: keras.Model
    parameters: TrainingParameters
    plan: Plan
    history: tuple[EpochResult, ...]
    best_epoch: int
    notes: Sequence[str] = ()
    ancestor: Ancestor | None = None


def train(
    parameters: TrainingParameters,
    dataset: Dataset,
    *,
    ancestor: Ancestor | None = None,
    checkpoint: Path | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Trained:
    """Train to the last epoch. The same parameters and data on the same machine give the same weights, bit for bit.

    Args:
        parameters: what to train; None fields take the recipe's values.
        dataset: images and labels.
        ancestor: the model to start from, whose network replaces the plan's.
        checkpoint: written after each epoch. If it exists and is of the same data, training resumes after its last
            epoch and ends with the same weights as if it had never stopped.
        on_progress: called several times a second and after each epoch. To stop the training, raise an exception in
            it; `train` raises it again.
        callbacks: Keras callbacks; called at the beginning and end of the training and of each epoch, not for batches.
            During the training a network with sigmoid outputs returns logits.

    Raises:
        InputUnsupported: the network can't be built for images of this size.
        TrainingDiverged: the loss is not finite.
        CannotFineTune: no training can start from the ancestor, or not with these images.
    """
    parameters, plan = parameters.resolved(), parameters.plan()
    if ancestor is not None:
        dataset = ancestor.prepared(dataset)
    elif problem := plan.problem(len(dataset.class_names), dataset.input):
        raise InputUnsupported(f"Data set {dataset.name} has {dataset.input.size} images: {problem}.")
    split = split_for(plan, dataset, parameters.seed)
    steps = -(-len(split.train_labels) // plan.batch_size)
    weights = balanced_weights(split.train_labels) if plan.class_weights == "balanced" else None
    model, notes = _start(parameters, plan, dataset, plan.epochs * steps, ancestor)
    if weights is not None:
        notes.append(
            f"Class weights: in the training loss an image counts {weights.min():.3g} (most frequent class) to "
            f"{weights.max():.3g} times (rarest class); validation and test are not weighted."
        )
    state = restore_checkpoint(checkpoint, model, parameters, dataset.content_sha256) if checkpoint else Checkpoint([])
    listeners = keras.callbacks.CallbackList(list(callbacks), model=model)
    listeners.on_train_begin()

    def report(epoch: int, step: int, metrics: dict[str, float]) -> None:
        _check_finite(metrics["loss"], epoch, plan)
        history = tuple(state.history)
        on_progress(Progress(epoch, plan.epochs, step, steps, metrics["loss"], metrics["accuracy"], history))

    with (
        on_logits(model),
        make_engine(
            model,
            split.train_images,
            split.train_labels,
            batch_size=plan.batch_size,
            spec=dataset.input,
            weights=weights,
        ) as engine,
    ):
        while len(state.history) < plan.epochs and not _stalled(state.history, plan):
            epoch = len(state.history) + 1
            listeners.on_epoch_begin(epoch - 1)
            result = _run_epoch(engine, split, plan, parameters.seed, epoch, report)
            state = Checkpoint([*state.history, result], _best_weights(state, result, model, plan), state.note)
            if checkpoint:
                save_checkpoint(checkpoint, model, parameters, dataset.content_sha256, state)
            listeners.on_epoch_end(epoch - 1, _logs(result))
            report(epoch, steps, {"loss": result.loss, "accuracy": result.accuracy})
    listeners.on_train_end()
    if state.best is not None:
        model.set_weights(state.best)
    best_epoch = _best_epoch(state.history) if plan.early_stopping else len(state.history)
    notes += [state.note] if state.note else []
    return Trained(model, parameters, plan, tuple(state.history), best_epoch, notes, ancestor)


def _start(
    parameters: TrainingParameters, plan: Plan, dataset: Dataset, steps: int, ancestor: Ancestor | None
) -> tuple[keras.Model, list[str]]:
    """The compiled network to train, and sentences on how it started."""
    if ancestor is None:
        model = build_model(
            plan,
            classes=len(dataset.class_names),
            seed=parameters.seed,
            steps=steps,
            name=parameters.recipe,
            spec=dataset.input,
        )
        return model, []
    keras.utils.set_random_seed(parameters.seed)
    model, notes = start_from(ancestor, dataset.class_names, parameters.freeze)
    compile_model(model, plan, steps)
    before, now = ancestor.input.preprocessing, dataset.input.preprocessing
    if before != now:
        notes.append(f"Its images are prepared as those of {dataset.name} ({now}), not as before ({before}).")
    return model, notes


def _run_epoch(
    engine: Engine,
    split: Split,
    plan: Plan,
    seed: int,
    epoch: int,
    report: Callable[[int, int, dict[str, float]], None],
) -> EpochResult:
    started = time.perf_counter()
    random = np.random.default_rng([seed, epoch])
    order: npt.NDArray[np.int32] = random.permutation(len(split.train_labels)).astype(np.int32)
    distortions = None if plan.augmentation == "none" else draw_distortions(plan.augmentation, len(order), random)
    for step in engine.train(order, distortions):
        report(epoch, step, engine.metrics())
    metrics = engine.metrics()
    result = EpochResult(epoch, metrics["loss"], metrics["accuracy"], val_loss=None, val_accuracy=None, seconds=0)
    if split.validation_images is not None and split.validation_labels is not None:
        validation = engine.test(split.validation_images, split.validation_labels)
        result = replace(result, val_loss=validation["loss"], val_accuracy=validation["accuracy"])
    return replace(result, seconds=time.perf_counter() - started)


def _stalled(history: Sequence[EpochResult], plan: Plan) -> bool:
    """Whether early stopping ends the training now."""
    return bool(plan.early_stopping and history) and len(history) - _best_epoch(history) >= plan.early_stopping


def _best_epoch(history: Sequence[EpochResult]) -> int:
    def val_loss(result: EpochResult) -> float:
        return math.inf if result.val_loss is None else result.val_loss

    return min(history, key=val_loss).epoch


def _best_weights(
    state: Checkpoint, result: EpochResult, model: keras.Model, plan: Plan
) -> list[npt.NDArray[np.float32]] | None:
    if not plan.early_stopping:
        return None
    is_best = _best_epoch([*state.history, result]) == result.epoch
    return [weight.copy() for weight in model.get_weights()] if is_best else state.best


def _logs(result: EpochResult) -> dict[str, float]:
    """An epoch's metrics as Keras' `fit` passes them to callbacks."""
    figures = {
        "loss": result.loss,
        "accuracy": result.accuracy,
        "val_loss": result.val_loss,
        "val_accuracy": result.val_accuracy,
    }
    return {name: value for name, value in figures.items() if value is not None}


def _check_finite(loss: float, epoch: int, plan: Plan) -> None:
    if not math.isfinite(loss):
        raise TrainingDiverged(
            f"Training diverged: the loss became {loss} in epoch {epoch}. "
            f"Try a learning rate below {plan.learning_rate}."
        )
