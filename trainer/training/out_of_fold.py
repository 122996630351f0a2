"""The probabilities of every image's classes by a network that did not learn from it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.serving.inference import Classifier
from tenfold.trainer.training.loop import Progress, train

FOLDS = 4

# A small network.
RECIPE = "dropout-128"

# It is shown this many images in each fold, in 1 to 20 epochs: all folds of MNIST, 4 epochs each, take some 17 seconds
# of a processor core.
IMAGES_SHOWN = 210_000
MAX_EPOCHS = 20

# The folds are drawn by it.
SEED = 1


def out_of_fold_probabilities(
    dataset: Dataset, on_progress: Callable[[float], None] = lambda done: None
) -> npt.NDArray[np.float32]:
    """Train a small network for each of four folds of all images, training and test, and ask it about the fold.

    Args:
        on_progress: called several times a second with the share (0–1) that is done; may raise to stop.

    Returns:
        (n, classes) probabilities, the training images before the test images.

    Raises:
        TrainingDiverged: the loss is not finite.
        InputUnsupported: the network can't be built for images of this size.
    """
    images = np.concatenate([dataset.train_images, dataset.test_images])
    labels = np.concatenate([dataset.train_labels, dataset.test_labels])
    folds = np.random.default_rng(SEED).permutation(len(labels)) % FOLDS
    probabilities = np.zeros((len(labels), len(dataset.class_names)), np.float32)
    epochs = min(max(1, round(IMAGES_SHOWN * FOLDS / (FOLDS - 1) / len(labels))), MAX_EPOCHS)
    for fold in range(FOLDS):
        held_out = folds == fold
        trained = train(
            TrainingParameters(recipe=RECIPE, epochs=epochs, seed=SEED, validation="none"),
            replace(dataset, train_images=images[~held_out], train_labels=labels[~held_out]),
            on_progress=partial(_report, on_progress, fold),
        )
        classifier = Classifier(trained.model, dataset.class_names, spec=dataset.input)
        probabilities[held_out] = classifier.classify(images[held_out])
    return probabilities


def _report(on_progress: Callable[[float], None], fold: int, at: Progress) -> None:
    on_progress((fold + (at.epoch - 1 + at.step / at.steps) / at.epochs) / FOLDS)
