"""Names the obvious mistakes of a declaration: what else, if it were so, would make far more answers right."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.evaluation.acceptance import wilson
from tenfold.trainer.input_spec import InputSpec, Orientation, Scaling
from tenfold.trainer.serving.inference import Probabilities

Labels = npt.NDArray[np.int64]

# (n, classes) for (n, *shape) uint8 images, by a network called with this input.
Classify = Callable[[Bytes, InputSpec], Probabilities]

# What is far better: this much larger a share of right answers, and wrong ones at most this many times as often.
FAR, FEWER = 0.1, 0.6

# Standard deviations on each side: many alternatives are tried, and chance must not make one of them far better.
Z = 3.0

# Only alternatives as good as the best one explain anything; those this much worse are right by chance.
NEXT_TO_BEST = 0.1

# By how much classes can be shifted: labels that count from 1, or a class too many at the beginning.
SHIFTS = (1, -1)


@dataclass(frozen=True)
class Mistake:
    """What would be far better than the declaration: shares (0–1) of right answers, and a sentence with the remedy.

    `kind` is `polarity`, `orientation`, `scaling`, `preprocessing`, `channels` or `classes`.
    """

    kind: str
    accuracy: float
    declared_accuracy: float
    message: str


def find_mistakes(
    classify: Classify,
    spec: InputSpec,
    class_names: Sequence[str],
    images: Bytes,
    labels: Labels,
    otherwise: Mapping[str, Bytes],
) -> list[Mistake]:
    """Compare the declaration with the obvious alternatives, the best first; empty if none is far better.

    Args:
        classify: calls the network.
        images: (n, *spec.shape), prepared as declared.
        labels: (n,) their class indices.
        otherwise: the same images prepared by other kinds of preprocessing, where that is possible.
    """
    probabilities = classify(images, spec)
    declared = _share(probabilities.argmax(axis=1) == labels)
    found = []
    for kind, name, question, changed, changed_spec in _alternatives(spec, images, otherwise):
        right = classify(changed, changed_spec).argmax(axis=1) == labels
        if _is_far_better(right, declared, len(labels)):
            found.append(Mistake(kind, _share(right), declared, _sentence(right, declared, name, question)))
    found += _of_classes(probabilities.argmax(axis=1), labels, declared, class_names)
    best = max((mistake.accuracy for mistake in found), default=0.0)
    near = [mistake for mistake in found if mistake.accuracy > best - NEXT_TO_BEST]
    return sorted(near, key=lambda mistake: -mistake.accuracy)


def _alternatives(
    spec: InputSpec, images: Bytes, otherwise: Mapping[str, Bytes]
) -> Iterator[tuple[str, str, str, Bytes, InputSpec]]:
    """Kind, name, question, and the images and input of each alternative."""
    yield (
        "polarity",
        "inverted polarity",
        "is the polarity wrong? The network seems to take dark ink on light; put the inversion into it: in Keras "
        "Rescaling(-1, offset=1) as its first layer, for scaling 0-1",
        255 - images,
        spec,
    )
    turned: Orientation = "upright" if spec.orientation == "transposed" else "transposed"
    if spec.height == spec.width:
        yield (
            "orientation",
            f"orientation {turned}",
            f"is the orientation wrong? Import it with orientation {turned}",
            images,
            replace(spec, orientation=turned),
        )
    for scaling in get_args(Scaling):
        if scaling != spec.scaling:
            yield (
                "scaling",
                f"scaling {scaling}",
                f"is the scaling wrong? Import it with scaling {scaling}",
                images,
                replace(spec, scaling=scaling),
            )
    for preprocessing, changed in otherwise.items():
        yield (
            "preprocessing",
            f"preprocessing {preprocessing}",
            f"is the preprocessing wrong? Import it with preprocessing {preprocessing}",
            changed,
            spec,
        )
    if spec.channels == 3:
        yield (
            "channels",
            "red and blue swapped",
            "does the network take BGR instead of RGB? Put the swap into it, and export it again",
            images[..., ::-1],
            spec,
        )


def _of_classes(predicted: Labels, labels: Labels, declared: float, names: Sequence[str]) -> Iterator[Mistake]:
    """Shifted and permuted classes; a permutation is learned on every second image, and tried on the others."""
    classes = len(names)
    for shift in SHIFTS:
        right = (predicted + shift) % classes == labels
        if _is_far_better(right, declared, len(labels)):
            order = ",".join(names[(index + shift) % classes] for index in range(classes))
            question = f"are the classes named from the wrong one on? Import it with classes {order}"
            yield Mistake(
                "classes", _share(right), declared, _sentence(right, declared, "classes shifted by one", question)
            )
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (predicted[::2], labels[::2]), 1)
    meant = confusion.argmax(axis=1)
    shifts = (meant - np.arange(classes)) % classes
    if len(set(meant.tolist())) < classes or len(set(shifts.tolist())) == 1:
        return  # no permutation, or a shift
    right = meant[predicted[1::2]] == labels[1::2]
    if _is_far_better(right, declared, len(labels)):
        order = ",".join(names[index] for index in meant)
        question = f"are the classes in another order? Import it with classes {order}"
        yield Mistake("classes", _share(right), declared, _sentence(right, declared, "permuted classes", question))


def _is_far_better(right: npt.NDArray[Any], declared: float, images: int) -> bool:
    low, _ = wilson(int(right.sum()), len(right), Z)
    _, high = wilson(round(declared * images), images, Z)
    share = _share(right)
    return share >= declared + FAR and 1 - share <= FEWER * (1 - declared) and low > high


def _share(right: npt.NDArray[Any]) -> float:
    return float(right.mean()) if len(right) else 0.0


def _sentence(right: npt.NDArray[Any], declared: float, name: str, question: str) -> str:
    return f"{_share(right):.1%} right with {name}, {declared:.1%} as declared: {question}.".replace("%", " %")
