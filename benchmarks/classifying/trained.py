"""Trains a net by the recipe `dropout-128`: `python -m benchmarks.classifying.trained DATASETS FOLDER`."""

import sys
from pathlib import Path

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import load_dataset
from tenfold.trainer.evaluation.accuracy import evaluate
from tenfold.trainer.evaluation.calibration import calibrate
from tenfold.trainer.reports.artifacts import write_artifacts
from tenfold.trainer.training.loop import train


def write_model(datasets: Path, folder: Path) -> None:
    """Fill the empty folder with all that a worker keeps of a training."""
    dataset = load_dataset("mnist", datasets)
    trained = train(TrainingParameters(recipe="dropout-128", seed=1), dataset)
    evaluation = evaluate(trained.model, dataset.test_images, dataset.test_labels)
    write_artifacts(trained, evaluation, calibrate(trained, evaluation, dataset), dataset, folder)


if __name__ == "__main__":
    write_model(Path(sys.argv[1]), Path(sys.argv[2]))
