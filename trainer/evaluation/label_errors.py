"""Finds images whose labels are probably wrong, by confident learning.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70 (2021).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Labels


@dataclass(frozen=True)
class Suspect:
    """An image whose label is probably wrong: its index, the class that it more probably is, and the probabilities
    (0–1) of its label and of that class."""

    index: int
    suggested: int
    label_probability: float
    suggested_probability: float


def suspected_errors(probabilities: npt.NDArray[np.float32], labels: Labels) -> list[Suspect]:
    """The images that confident learning counts off the diagonal of its joint distribution, the clearest first.

    A class's threshold is the mean probability that images with this label have of it. An image counts as the most
    probable class of those whose threshold it reaches; where that is not its label, the label is suspected. Ranked by
    the label's probability less that of the suggested class.

    Args:
        probabilities: (n, classes), each from a model that did not learn from the image.
        labels: (n,) class indices.
    """
    classes = probabilities.shape[1]
    every = np.arange(len(labels))
    own = probabilities[every, labels]
    counts = np.bincount(labels, minlength=classes)
    # A class without images has a threshold that no probability reaches.
    thresholds = np.where(counts, np.bincount(labels, own, minlength=classes) / np.maximum(counts, 1), 2)
    reached = np.where(probabilities >= thresholds, probabilities, -1)
    suggested = reached.argmax(axis=1)
    suspected = np.flatnonzero((reached.max(axis=1) >= 0) & (suggested != labels))
    margins = own[suspected] - probabilities[suspected, suggested[suspected]]
    return [
        Suspect(
            int(index),
            int(suggested[index]),
            round(float(own[index]), 6),
            round(float(probabilities[index, suggested[index]]), 6),
        )
        for index in suspected[np.argsort(margins, kind="stable")]
    ]
