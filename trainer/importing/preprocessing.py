"""Decides how the pictures of an upload become images of a data set, and does it.

The rule, which `docs/how-to/own-data-set.md` states for people and tests/trainer/test_import_preprocessing.py measures:

1. Arrays (IDX, npz, CSV) are `digit` where at least 99.5 % of their images are in MNIST's form: the digit normalizer
   leaves such images as they are. Other arrays are `resize`: whoever made an array has prepared its pixels.
2. Class folders are `digit` where as many of a sample are in MNIST's form. Else a sample's pictures are prepared in
   both ways, and each picture is given the class of the most similar other one: the way that is right more often is
   taken.
3. Where neither is clearly better, folders named after digits are `digit`, others `resize`.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes
from trainer.images import SIDE, normalise, normalise_all
from trainer.importing.found import CHECK_EVERY, Array, Check, Part
from trainer.input_spec import InputSpec, Preprocessing
from trainer.normalisation.as_is import are_mnist

# What a person may ask for.
Wanted = Literal["auto", "digit", "resize"]

# How many of a data set's images must be in MNIST's form. All of MNIST's are, and of Fashion-MNIST's none; the rest
# can cost no more than half a point of accuracy.
IN_FORM = 0.995

# Of class folders, as many pictures are prepared in both ways.
SAMPLE = 300
SAMPLE_SEED = 1

# By the sign test on the pictures that one way gets right and the other wrong.
CLEARLY = 0.01

CHOSEN = "Chosen at the import."
IN_FORM_ALREADY = "The images are in MNIST's form already."

_DIGIT = re.compile(r"0*[0-9]|zero|one|two|three|four|five|six|seven|eight|nine", re.IGNORECASE)


@dataclass
class Sample:
    """Pictures of class folders, each prepared in both ways: some may have millions of pixels, so they aren't kept."""

    labels: list[str] = field(default_factory=list)
    prepared: dict[Preprocessing, list[Bytes]] = field(default_factory=lambda: {"digit": [], "resize": []})
    in_form: int = 0

    def add(self, gray: Bytes, label: str) -> None:
        """A picture (h, w) uint8 of any size, and the name of its class."""
        normalized = normalise(gray, "auto")
        self.labels.append(label)
        self.prepared["digit"].append(normalized.pixels)
        self.prepared["resize"].append(normalise(gray, "none").pixels)
        self.in_form += normalized.method == "as-is"


def prepare_arrays(parts: Sequence[Part], wanted: Wanted, check: Check) -> tuple[list[Part], InputSpec]:
    """The parts' images (n, h, w) uint8 as (n, 28, 28), and how they were made."""
    spec = _spec_of_arrays(parts) if wanted == "auto" else InputSpec(wanted, reason=CHOSEN)
    return [Part(_prepared(part.images, spec, check), part.labels) for part in parts], spec


def decide_for_folders(sample: Sample, wanted: Wanted) -> InputSpec:
    """How the pictures that this sample is of are to be prepared."""
    if wanted != "auto":
        return InputSpec(wanted, reason=CHOSEN)
    if sample.in_form >= max(IN_FORM * len(sample.labels), 1):
        return InputSpec("digit", reason=IN_FORM_ALREADY)
    digit, resize = (_right_by_neighbor(sample.prepared[way], sample.labels) for way in ("digit", "resize"))
    only_digit, only_resize = int(np.sum(digit & ~resize)), int(np.sum(resize & ~digit))
    if _sign_test(only_digit, only_resize) < CLEARLY:
        better: Preprocessing = "digit" if only_digit > only_resize else "resize"
        shares = f"{digit.mean():.1%} after the digit normalizer, {resize.mean():.1%} after resizing alone"
        measured = f"Of {len(sample.labels)} pictures, the most similar other one is of the same class for {shares}."
        return InputSpec(better, reason=measured)
    named = all(_DIGIT.fullmatch(label) for label in set(sample.labels))
    return InputSpec(
        "digit" if named else "resize",
        reason=f"The class folders are {'' if named else 'not '}named after digits, and on a sample of "
        f"{len(sample.labels)} pictures neither preprocessing was clearly better.",
    )


def note_on(spec: InputSpec) -> str | None:
    """What the report of an import says of a preprocessing that was guessed; None where there was nothing to guess."""
    if spec.reason in (CHOSEN, IN_FORM_ALREADY):
        return None
    other = {
        "digit": "Images to classify are treated alike. If they show no digits, import with preprocessing=resize.",
        "resize": "Images to classify are treated alike: they should look as these do. If these are digits and you "
        "want to classify scans of digits, import with preprocessing=digit.",
    }
    return f"Preprocessing is {spec.preprocessing}. {spec.description} {spec.reason} {other[spec.preprocessing]}"


def _spec_of_arrays(parts: Sequence[Part]) -> InputSpec:
    small = [part.images for part in parts if part.images.shape[1:] == (SIDE, SIDE)]
    in_form = sum(int(are_mnist(images).sum()) for images in small)
    share = in_form / sum(len(part.images) for part in parts)
    if share >= IN_FORM:
        return InputSpec("digit", reason=IN_FORM_ALREADY)
    return InputSpec(
        "resize", reason=f"Pixels of arrays are taken as they are, and only {share:.1%} of these are in MNIST's form."
    )


def _prepared(images: Bytes, spec: InputSpec, check: Check) -> Bytes:
    prepared = np.empty((len(images), SIDE, SIDE), np.uint8)
    for chunk, target in zip(chunks(images), chunks(prepared), strict=True):
        check()
        if spec.preprocessing == "resize" and chunk.shape[1:] == (SIDE, SIDE):
            target[:] = chunk
        elif len(chunk):
            target[:] = np.stack([image.pixels for image in normalise_all(list(chunk), spec.mode)])
    return prepared


def chunks(values: Array) -> Iterator[Array]:
    """Views of a few hundred rows each."""
    for start in range(0, len(values), CHECK_EVERY):
        yield values[start : start + CHECK_EVERY]


def _right_by_neighbor(images: Sequence[Bytes], labels: Sequence[str]) -> npt.NDArray[np.bool_]:
    """For each image whether the most similar other one, by the correlation of their pixels, is of its class."""
    if not images:
        return np.zeros(0, bool)
    pixels = np.stack(images).reshape(len(images), -1).astype(np.float32)
    pixels -= pixels.mean(axis=1, keepdims=True)
    pixels /= np.maximum(np.linalg.norm(pixels, axis=1, keepdims=True), 1)
    likeness = pixels @ pixels.T
    np.fill_diagonal(likeness, -np.inf)
    names = np.array(labels)
    return np.asarray(names[likeness.argmax(axis=1)] == names)


def _sign_test(wins: int, losses: int) -> float:
    """The two-sided p-value of so many wins and losses where both are equally likely."""
    trials = wins + losses
    tail = sum(math.comb(trials, count) for count in range(min(wins, losses) + 1))
    return min(1.0, 2 * float(tail / 2**trials))
