"""Chooses the preprocessing of an upload's images, and applies it.

The rule, which docs/how-to/own-data-set.md explains and tests/trainer/data/importing/test_preprocessing.py measures:

1. Arrays (IDX, npz, CSV) are `digit` if at least 99.5 % of their images are in MNIST's format, which the digit
   normalizer leaves unchanged. Other arrays are `resize`: their pixels were prepared by their author.
2. Class folders are `digit` if the same share of a sample is in MNIST's format. Else the sample is preprocessed both
   ways, and each image classified by its most similar other image: the preprocessing with more correct answers wins.
3. If neither is clearly better, folders named after digits are `digit`, others `resize`.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.importing.found import CHECK_EVERY, Array, Check, Part
from tenfold.trainer.images import SIDE, normalize, normalize_all
from tenfold.trainer.images.normalization.as_is import are_mnist
from tenfold.trainer.input_spec import InputSpec, Preprocessing

# The values of the parameter `preprocessing`.
Wanted = Literal["auto", "digit", "resize"]

# The share of images that must be in MNIST's format. All of MNIST's are, and none of Fashion-MNIST's; the rest costs at
# most 0.5 % of accuracy.
IN_FORMAT = 0.995

# The number of images from class folders that are preprocessed both ways.
SAMPLE = 300
SAMPLE_SEED = 1

# The p-value of a sign test on images that one preprocessing gets right and the other wrong.
SIGNIFICANT = 0.01

CHOSEN = "Chosen by the user."
ALREADY_MNIST = "The images are in MNIST's format already."

_DIGIT = re.compile(r"0*[0-9]|zero|one|two|three|four|five|six|seven|eight|nine", re.IGNORECASE)


@dataclass
class Sample:
    """Images of class folders, preprocessed both ways. The originals, which may be large, are not kept."""

    labels: list[str] = field(default_factory=list)
    prepared: dict[Preprocessing, list[Bytes]] = field(default_factory=lambda: {"digit": [], "resize": []})
    in_format: int = 0

    def add(self, gray: Bytes, label: str) -> None:
        """Add an image (h, w) uint8 of any size, and its class."""
        normalized = normalize(gray, "auto")
        self.labels.append(label)
        self.prepared["digit"].append(normalized.pixels)
        self.prepared["resize"].append(normalize(gray, "none").pixels)
        self.in_format += normalized.method == "as-is"


def prepare_arrays(parts: Sequence[Part], wanted: Wanted, check: Check) -> tuple[list[Part], InputSpec]:
    """Preprocess the parts' images (n, h, w) uint8 to (n, 28, 28); returns the input spec too."""
    spec = _spec_of_arrays(parts) if wanted == "auto" else InputSpec(wanted, reason=CHOSEN)
    return [Part(_prepared(part.images, spec, check), part.labels) for part in parts], spec


def decide_for_folders(sample: Sample, wanted: Wanted) -> InputSpec:
    """Choose the preprocessing by this sample."""
    if wanted != "auto":
        return InputSpec(wanted, reason=CHOSEN)
    if sample.in_format >= max(IN_FORMAT * len(sample.labels), 1):
        return InputSpec("digit", reason=ALREADY_MNIST)
    digit, resize = (_right_by_neighbor(sample.prepared[way], sample.labels) for way in ("digit", "resize"))
    only_digit, only_resize = int(np.sum(digit & ~resize)), int(np.sum(resize & ~digit))
    if _sign_test(only_digit, only_resize) < SIGNIFICANT:
        better: Preprocessing = "digit" if only_digit > only_resize else "resize"
        shares = f"{digit.mean():.1%} after the digit normalizer, {resize.mean():.1%} after resizing alone"
        measured = f"Of {len(sample.labels)} images, the most similar other one has the same class for {shares}."
        return InputSpec(better, reason=measured)
    named = all(_DIGIT.fullmatch(label) for label in set(sample.labels))
    return InputSpec(
        "digit" if named else "resize",
        reason=f"The class folders are {'' if named else 'not '}named after digits, and on a sample of "
        f"{len(sample.labels)} images neither preprocessing was clearly better.",
    )


def note_on(spec: InputSpec) -> str | None:
    """A note for the import's report about a guessed preprocessing; None if it was not guessed."""
    if spec.reason in (CHOSEN, ALREADY_MNIST):
        return None
    other = {
        "digit": "Images to classify are preprocessed in the same way. If they aren't digits, import with "
        "preprocessing=resize.",
        "resize": "Images to classify are preprocessed in the same way, and should look like these. If these are "
        "digits and you want to classify scans of digits, import with preprocessing=digit.",
    }
    return f"Preprocessing is {spec.preprocessing}. {spec.description} {spec.reason} {other[spec.preprocessing]}"


def _spec_of_arrays(parts: Sequence[Part]) -> InputSpec:
    small = [part.images for part in parts if part.images.shape[1:] == (SIDE, SIDE)]
    in_format = sum(int(are_mnist(images).sum()) for images in small)
    share = in_format / sum(len(part.images) for part in parts)
    if share >= IN_FORMAT:
        return InputSpec("digit", reason=ALREADY_MNIST)
    return InputSpec(
        "resize", reason=f"Arrays are used unchanged, unless they are in MNIST's format: only {share:.1%} of these are."
    )


def _prepared(images: Bytes, spec: InputSpec, check: Check) -> Bytes:
    prepared = np.empty((len(images), SIDE, SIDE), np.uint8)
    for chunk, target in zip(chunks(images), chunks(prepared), strict=True):
        check()
        if spec.preprocessing == "resize" and chunk.shape[1:] == (SIDE, SIDE):
            target[:] = chunk
        elif len(chunk):
            target[:] = np.stack([image.pixels for image in normalize_all(list(chunk), spec.mode)])
    return prepared


def chunks(values: Array) -> Iterator[Array]:
    """Views of a few hundred rows each."""
    for start in range(0, len(values), CHECK_EVERY):
        yield values[start : start + CHECK_EVERY]


def _right_by_neighbor(images: Sequence[Bytes], labels: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Whether each image's most similar other one, by the correlation of their pixels, has the same class."""
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
    """The two-sided p-value of these wins and losses if both are equally likely."""
    trials = wins + losses
    tail = sum(math.comb(trials, count) for count in range(min(wins, losses) + 1))
    return min(1.0, 2 * float(tail / 2**trials))
