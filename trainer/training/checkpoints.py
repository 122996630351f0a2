"""Saves a training after each epoch, so that another process can resume it with bit-identical results."""

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

from tenfold.trainer.architecture.parameters import TrainingParameters

DATA_CHANGED = (
    "The data set {dataset} has changed since this training started, so it started over: its first {epochs} epochs "
    "were on other data."
)
DATA_UNKNOWN = (
    "An earlier version of Tenfold saved the first {epochs} epochs without the content hash of the data set {dataset}, "
    "so the training started over."
)

Weights = list[npt.NDArray[Any]]


@dataclass(frozen=True)
class EpochResult:
    """One finished epoch: loss (nats) and accuracy (0–1), means over its images; `val_…` is None without validation."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class Checkpoint:
    """What a resumed training needs besides the model's state.

    `best` is the model's weights after its best epoch, for early stopping only. `note` tells the user, in a sentence,
    anything unusual about resuming.
    """

    history: list[EpochResult]
    best: Weights | None = None
    note: str | None = None


def save_checkpoint(
    path: Path, model: keras.Model, parameters: TrainingParameters, content: str, checkpoint: Checkpoint
) -> None:
    """Write weights, optimizer state, dropout's random state, history and best weights, atomically.

    Args:
        content: `Dataset.content_sha256` of the training data.
    """
    about = {
        "content": content,
        "parameters": parameters.model_dump(mode="json"),
        "history": [asdict(result) for result in checkpoint.history],
    }
    arrays = _named("v", [keras.ops.convert_to_numpy(variable) for variable in _state(model)])
    arrays |= _named("b", checkpoint.best or [])
    # Not the process ID: processes in different containers can have the same.
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def restore_checkpoint(path: Path, model: keras.Model, parameters: TrainingParameters, content: str) -> Checkpoint:
    """Load a saved training's state into the model and return the rest.

    If there is no checkpoint, or it is damaged or belongs to other parameters, other data (by
    `Dataset.content_sha256`) or another version of the trainer, the model is unchanged and the history empty.
    """
    nothing = Checkpoint([])
    try:
        with np.load(path, allow_pickle=False) as saved:
            about = json.loads(str(saved["about"]))
            arrays = {name: saved[name] for name in sorted(saved.files) if name != "about"}
        history = [EpochResult(**result) for result in about["history"]]
        saved_content = about.get("content")
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return nothing
    state = [array for name, array in arrays.items() if name.startswith("v")]
    best = [array for name, array in arrays.items() if name.startswith("b")]
    variables = _state(model)
    same_shapes = [array.shape for array in state] == [tuple(variable.shape) for variable in variables]
    if about["parameters"] != parameters.model_dump(mode="json") or not same_shapes:
        return nothing
    if saved_content != content:
        note = DATA_CHANGED if saved_content else DATA_UNKNOWN
        return Checkpoint([], note=note.format(dataset=parameters.dataset, epochs=len(history)))
    for variable, array in zip(variables, state, strict=True):
        variable.assign(array)
    return Checkpoint(history, best or None)


def _named(prefix: str, arrays: Sequence[npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    return {f"{prefix}{index:04d}": array for index, array in enumerate(arrays)}


def _state(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
