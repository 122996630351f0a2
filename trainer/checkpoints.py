"""Saves a training between epochs so that another process can go on with it, bit for bit."""

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import keras
import numpy as np
import numpy.typing as npt

from trainer.parameters import TrainingParameters

DATA_CHANGED = (
    "The data set {dataset} has changed since this training began, so it started over: the {epochs} epochs trained "
    "before were on other images."
)
# A checkpoint of an earlier version.
DATA_ASSUMED = (
    "This training went on from a checkpoint that doesn't say which images it is of: assumed to be those of the data "
    "set {dataset} as it is now."
)

Weights = list[npt.NDArray[Any]]


@dataclass(frozen=True)
class EpochResult:
    """One finished epoch. Losses and accuracies are means over its images; `val_…` is None without validation."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class Checkpoint:
    """What a training that goes on has to know besides the model's state.

    `best` are the model's weights after its best epoch, kept for early stopping; None without that. `note` is a
    sentence on what a person should know of how the training goes on, where there is something.
    """

    history: list[EpochResult]
    best: Weights | None = None
    note: str | None = None


def save_checkpoint(
    path: Path, model: keras.Model, parameters: TrainingParameters, data: str, checkpoint: Checkpoint
) -> None:
    """Write weights, optimizer state, dropout's random state, history and best weights; whole, or not at all.

    Args:
        data: `Dataset.sha256` of what the model learns from.
    """
    about = {
        "data": data,
        "parameters": parameters.model_dump(mode="json"),
        "history": [asdict(result) for result in checkpoint.history],
    }
    arrays = _named("v", [keras.ops.convert_to_numpy(variable) for variable in _state(model)])
    arrays |= _named("b", checkpoint.best or [])
    # Processes in different containers, of which one may be late, can have the same number.
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def restore_checkpoint(path: Path, model: keras.Model, parameters: TrainingParameters, data: str) -> Checkpoint:
    """Put a saved training's state into the model and return the rest.

    Returns an empty history, the model untouched, when there is no checkpoint, it is damaged, or it belongs to
    other parameters, to other data (`data` is their `Dataset.sha256`) or to another version of the trainer.
    """
    nothing = Checkpoint([])
    try:
        with np.load(path, allow_pickle=False) as saved:
            about = json.loads(str(saved["about"]))
            arrays = {name: saved[name] for name in sorted(saved.files) if name != "about"}
        history = [EpochResult(**result) for result in about["history"]]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return nothing
    state = [array for name, array in arrays.items() if name.startswith("v")]
    best = [array for name, array in arrays.items() if name.startswith("b")]
    variables = _state(model)
    same_shapes = [array.shape for array in state] == [tuple(variable.shape) for variable in variables]
    if about["parameters"] != parameters.model_dump(mode="json") or not same_shapes:
        return nothing
    if about.get("data", data) != data:
        return Checkpoint([], note=DATA_CHANGED.format(dataset=parameters.dataset, epochs=len(history)))
    for variable, array in zip(variables, state, strict=True):
        variable.assign(array)
    note = None if "data" in about else DATA_ASSUMED.format(dataset=parameters.dataset)
    return Checkpoint(history, best or None, note)


def _named(prefix: str, arrays: Sequence[npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    return {f"{prefix}{index:04d}": array for index, array in enumerate(arrays)}


def _state(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
