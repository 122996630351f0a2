"""Tenfold's own training, as a worker that has the machine to itself runs it: progress, checkpoints, validation."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contenders import Result
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.evaluation.accuracy import evaluate
from tenfold.trainer.runtime import configure
from tenfold.trainer.training.loop import Progress
from tenfold.trainer.training.loop import train as train_recipe


def train(recipe: str, epochs: int, seed: int, dataset: Dataset) -> Result:
    configure()
    epoch_ends: list[float] = []

    def note(progress: Progress) -> None:
        if len(progress.history) > len(epoch_ends):
            epoch_ends.append(time.perf_counter())

    started = time.perf_counter()
    with TemporaryDirectory() as directory:
        trained = train_recipe(
            TrainingParameters(recipe=recipe, epochs=epochs, seed=seed),
            dataset,
            checkpoint=Path(directory) / "checkpoint.npz",
            on_progress=note,
        )
    seconds = [end - begin for begin, end in zip([started, *epoch_ends], epoch_ends, strict=False)]
    evaluation = evaluate(trained.model, dataset.test_images, dataset.test_labels)
    return Result(seconds, trained.history[-1].accuracy, evaluation.accuracy, evaluation.loss)
