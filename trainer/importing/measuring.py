"""Measures an imported model on labeled images: accuracy, calibration, acceptance, novelty, and obvious mistakes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.evaluation.accuracy import Evaluation, evaluation_of
from tenfold.trainer.evaluation.calibration import Calibration, calibrate_on_halves
from tenfold.trainer.evaluation.novelty import NoveltyDetector, fit_novelty
from tenfold.trainer.importing.mistakes import Mistake, find_mistakes
from tenfold.trainer.input_spec import InputSpec
from tenfold.trainer.serving.inference import BATCH, Classifier, Probabilities

SEED = 0

# Images on which alternatives to the declaration are tried, and the processor time for all of them.
MISTAKES_TRIED_ON = 1000
MIN_TRIED_ON = 100
MISTAKES_SECONDS = 60
ALTERNATIVES = 8

# Novelty is learned from half of the images of each class; from fewer it would be noise.
MIN_IMAGES_OF_CLASS = 40


@dataclass(frozen=True)
class Sample:
    """Labeled images to check a declaration on.

    `images` (n, *shape) uint8, prepared as declared; `labels` (n,) indices of the model's classes; `otherwise` has the
    same images prepared by other preprocessing. `name` says where they are from, for people; `notes` what to know.
    """

    name: str
    images: Bytes
    labels: npt.NDArray[np.int64]
    otherwise: Mapping[str, Bytes] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Measured:
    """What was measured on a sample; `novelty` is None where it has too few images of a class."""

    sample: Sample
    evaluation: Evaluation
    calibration: Calibration
    novelty: NoveltyDetector | None
    mistakes: Sequence[Mistake]


def measure(
    network: Path,
    spec: InputSpec,
    class_names: Sequence[str],
    sample: Sample,
    seconds_per_image: float,
    check: Callable[[], None],
) -> Measured:
    """Classify the sample as declared, and a part of it otherwise.

    Args:
        network: `model.keras` or `model.onnx`.
        seconds_per_image: the processor time that it takes.
        check: called for every batch; may raise to stop.
    """
    model = Classifier.load(network, class_names, spec=spec)

    def classify(images: Bytes, called: InputSpec) -> Probabilities:
        classifier = model.called_with(called)
        parts = []
        for start in range(0, len(images), BATCH):
            check()
            parts.append(classifier.classify(images[start : start + BATCH]))
        return np.concatenate(parts)

    evaluation = evaluation_of(classify(sample.images, spec), sample.labels)
    affordable = int(MISTAKES_SECONDS / max(ALTERNATIVES * seconds_per_image, 1e-9))
    tried = min(len(sample.labels), MISTAKES_TRIED_ON, max(affordable, MIN_TRIED_ON))
    chosen = np.random.default_rng(SEED).permutation(len(sample.labels))[:tried]
    otherwise = {name: images[chosen] for name, images in sample.otherwise.items()}
    mistakes = find_mistakes(classify, spec, class_names, sample.images[chosen], sample.labels[chosen], otherwise)
    return Measured(
        sample,
        evaluation,
        calibrate_on_halves(evaluation, SEED),
        _novelty(sample, evaluation, len(class_names)),
        mistakes,
    )


def _novelty(sample: Sample, evaluation: Evaluation, classes: int) -> NoveltyDetector | None:
    """Learned from one half of the sample instead of the training images, and scaled on the other."""
    if np.bincount(sample.labels, minlength=classes).min() < MIN_IMAGES_OF_CLASS:
        return None
    learned, held_out = np.array_split(np.random.default_rng(SEED).permutation(len(sample.labels)), 2)
    return fit_novelty(
        sample.images[learned],
        sample.labels[learned],
        sample.images[held_out],
        evaluation.predicted[held_out],
        classes=classes,
        seed=SEED,
    )
