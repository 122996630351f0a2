"""Saves a training between epochs so that another process can go on with it, bit for bit."""

import json
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from trainer.parameters import TrainingParameters


@dataclass(frozen=True)
class EpochResult:
    """One finished epoch. Losses and accuracies are means over its images; `val_…` is None without validation."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    seconds: float


def save_checkpoint(path: Path, model: keras.Model, parameters: TrainingParameters, history: list[EpochResult]) -> None:
    """Write weights, optimizer state, dropout's random state and the history; whole, or not at all."""
    about = {"parameters": parameters.model_dump(mode="json"), "history": [asdict(result) for result in history]}
    arrays = {f"v{index:04d}": np.asarray(variable) for index, variable in enumerate(_state(model))}
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def restore_checkpoint(path: Path, model: keras.Model, parameters: TrainingParameters) -> list[EpochResult]:
    """Put a saved training's state into the model and return its history.

    Returns an empty history, the model untouched, when there is no checkpoint, it is damaged, or it belongs to
    other parameters.
    """
    try:
        with np.load(path, allow_pickle=False) as saved:
            about = json.loads(str(saved["about"]))
            arrays = [saved[name] for name in sorted(saved.files) if name != "about"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return []
    variables = _state(model)
    same_shapes = [array.shape for array in arrays] == [tuple(variable.shape) for variable in variables]
    if about["parameters"] != parameters.model_dump(mode="json") or not same_shapes:
        return []
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return [EpochResult(**result) for result in about["history"]]


def _state(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
