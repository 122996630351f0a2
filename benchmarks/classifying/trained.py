"""Trains a net of the recipe `dropout-128` briefly: `python -m benchmarks.classifying.trained DATASETS FOLDER`."""

import sys
from pathlib import Path

from trainer.artefacts import write_artefacts
from trainer.calibration import calibrate
from trainer.datasets import load_dataset
from trainer.evaluation import evaluate
from trainer.parameters import TrainingParameters
from trainer.training import train


def write_model(datasets: Path, folder: Path) -> None:
    """Fill the empty folder with all that a worker keeps of a training."""
    dataset = load_dataset("mnist", datasets)
    trained = train(TrainingParameters(recipe="dropout-128", epochs=2, seed=1), dataset)
    evaluation = evaluate(trained.model, dataset.test_images, dataset.test_labels)
    write_artefacts(trained, evaluation, calibrate(trained, evaluation, dataset), dataset, folder)


if __name__ == "__main__":
    write_model(Path(sys.argv[1]), Path(sys.argv[2]))
