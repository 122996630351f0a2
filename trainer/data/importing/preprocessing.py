"""Chooses an upload's `InputSpec` by its images, and applies it.

docs/how-to/own-data-set.md explains the rule for the preprocessing, and
tests/trainer/data/importing/test_preprocessing.py measures it:

1. Arrays (IDX, npz, CSV) are `digit` if at least 99.5 % of their images are in MNIST's format, which the digit
   normalizer leaves unchanged. Other arrays are `resize`: their pixels were prepared by their author.
2. Class folders are `digit` if the same share of a sample is in MNIST's format. Else the sample is preprocessed both
   ways, and each image classified by its most similar other image: the preprocessing with more correct answers wins.
3. If neither is clearly better, gray images in folders named after digits are `digit`, others `resize`.

Digits become MNIST's 28×28 gray pixels. Other images keep their size and color, if they all have the same size from
8×8 to 128×128; else they are resized to 28×28 in gray, or 64×64 in color.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.importing.found import CHECK_EVERY, Array, Check, Part
from tenfold.trainer.errors import DatasetInvalid, ImageUnreadable
from tenfold.trainer.images import SIDE, normalize
from tenfold.trainer.images.normalization.as_is import are_mnist
from tenfold.trainer.images.preparing import prepare_all
from tenfold.trainer.input_spec import MAX_SIDE, MIN_SIDE, InputSpec, Preprocessing

Size = tuple[int, int]

# The share of images that must be in MNIST's format. All of MNIST's are, and none of Fashion-MNIST's; the rest costs at
# most 0.5 % of accuracy.
IN_FORMAT = 0.995

# The number of images from class folders that are preprocessed both ways.
SAMPLE = 300
SAMPLE_SEED = 1

# The p-value of a sign test on images that one preprocessing gets right and the other wrong.
SIGNIFICANT = 0.01

# The share of images with colors from which a data set is one in color, and the mean difference of a pixel's largest
# and smallest channel from which an image has colors: a scan of gray paper differs by a few.
COLORED_SHARE = 0.1
COLORED = 8

# The side of images that have different sizes, or are too large.
FALLBACK_SIDE = {1: SIDE, 3: 64}

CHOSEN = "Chosen by the user."
LIKE_THESE = "Images to classify are preprocessed in the same way, and should look like these."
CHOSEN_COLOR = "Color was chosen, and the digit normalizer makes gray images."
ALREADY_MNIST = "The images are in MNIST's format already."

_DIGIT = re.compile(r"0*[0-9]|zero|one|two|three|four|five|six|seven|eight|nine", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """What a person asks of an import; None leaves it to the images. `size` is height and width."""

    preprocessing: Preprocessing | None = None
    size: Size | None = None
    channels: int | None = None


@dataclass
class Sample:
    """Images of class folders, preprocessed both ways. The originals, which may be large, are not kept."""

    labels: list[str] = field(default_factory=list)
    prepared: dict[Preprocessing, list[Bytes]] = field(default_factory=lambda: {"digit": [], "resize": []})
    in_format: int = 0
    sizes: Counter[Size] = field(default_factory=Counter)
    colored: int = 0

    def add(self, picture: Bytes, label: str) -> None:
        """Add an image of any size, gray (h, w) or RGB (h, w, 3) uint8, and its class."""
        self.sizes[picture.shape[0], picture.shape[1]] += 1
        self.colored += bool(_have_colors(picture[np.newaxis])[0])
        gray = picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
        normalized = normalize(gray, "auto")
        self.labels.append(label)
        self.prepared["digit"].append(normalized.pixels)
        self.prepared["resize"].append(normalize(gray, "none").pixels)
        self.in_format += normalized.method == "as-is"

    @property
    def channels(self) -> int:
        """3 if the images are in color, else 1."""
        return 3 if self.colored > COLORED_SHARE * len(self.labels) else 1


def prepare_arrays(parts: Sequence[Part], wanted: Wanted, check: Check) -> tuple[list[Part], InputSpec, list[str]]:
    """Preprocess the parts' images, gray (n, h, w) or RGB (n, h, w, 3) uint8, to (n, *shape).

    Returns:
        The parts, their input spec, and notes on size and color.

    Raises:
        DatasetInvalid: images of different sizes can't be used without preprocessing.
    """
    images = sum(len(part.images) for part in parts)
    sizes = Counter({(part.images.shape[1], part.images.shape[2]): len(part.images) for part in parts})
    channels = 3 if sum(_count_colored(part.images, check) for part in parts) > COLORED_SHARE * images else 1
    chosen, reason = (wanted.preprocessing, CHOSEN) if wanted.preprocessing else _chosen_for_arrays(parts, wanted)
    spec, notes = _with_size(chosen, reason, wanted, sizes, channels)
    return [Part(_prepared(part.images, spec, check), part.labels) for part in parts], spec, notes


def decide_for_folders(sample: Sample, wanted: Wanted) -> tuple[InputSpec, list[str]]:
    """Choose the input spec by this sample; returns notes on size and color too.

    Raises:
        DatasetInvalid: images of different sizes can't be used without preprocessing.
    """
    chosen, reason = (wanted.preprocessing, CHOSEN) if wanted.preprocessing else _chosen_for_folders(sample, wanted)
    return _with_size(chosen, reason, wanted, sample.sizes, sample.channels)


def _chosen_for_folders(sample: Sample, wanted: Wanted) -> tuple[Preprocessing, str]:
    if wanted.channels == 3:
        return "resize", CHOSEN_COLOR
    if sample.in_format >= max(IN_FORMAT * len(sample.labels), 1):
        return "digit", ALREADY_MNIST
    digit, resize = (_right_by_neighbor(sample.prepared[way], sample.labels) for way in ("digit", "resize"))
    only_digit, only_resize = int(np.sum(digit & ~resize)), int(np.sum(resize & ~digit))
    if _sign_test(only_digit, only_resize) < SIGNIFICANT:
        better: Preprocessing = "digit" if only_digit > only_resize else "resize"
        shares = f"{digit.mean():.1%} after the digit normalizer, {resize.mean():.1%} after resizing alone"
        measured = f"Of {len(sample.labels)} images, the most similar other one has the same class for {shares}."
        return better, measured
    unclear = f"on a sample of {len(sample.labels)} images neither preprocessing was clearly better."
    if sample.channels == 3:
        return "resize", f"The images are in color, and {unclear}"
    named = all(_DIGIT.fullmatch(label) for label in set(sample.labels))
    return "digit" if named else "resize", (
        f"The class folders are {'' if named else 'not '}named after digits, and {unclear}"
    )


def _with_size(
    preprocessing: Preprocessing, reason: str, wanted: Wanted, sizes: Counter[Size], channels: int
) -> tuple[InputSpec, list[str]]:
    """The input spec with size and color, and notes on both; `sizes` and `channels` are those of the images."""
    taken = 1 if preprocessing == "digit" else wanted.channels or channels
    own = next(iter(sizes)) if len(sizes) == 1 and _fits(next(iter(sizes))) else None
    if preprocessing == "none" and sizes and not (own or wanted.size):
        raise DatasetInvalid(
            f"Without preprocessing, all images must have the same size from {MIN_SIDE}×{MIN_SIDE} to "
            f"{MAX_SIDE}×{MAX_SIDE} pixels; these have {_listed(sizes)}. Choose a size, or preprocessing=resize."
        )
    fallback = (FALLBACK_SIDE[taken],) * 2
    height, width = wanted.size or ((SIDE, SIDE) if preprocessing == "digit" else own or fallback)
    spec = InputSpec(preprocessing, height, width, taken, reason=reason)
    notes = []
    if wanted.size is None and preprocessing != "digit":
        if own is None and sizes:
            notes.append(
                f"The images have {_listed(sizes)}: they were resized to {spec.size}. Choose another size with size=."
            )
        elif spec.shape != (SIDE, SIDE):
            notes.append(f"The images keep their size and color: {spec.size}. Choose another with size= and color=.")
    if channels == 3 and taken == 1 and wanted.channels is None:
        notes.append("The images are in color; the digit normalizer makes gray ones of them.")
    return spec, notes


def _fits(size: Size) -> bool:
    return all(MIN_SIDE <= side <= MAX_SIDE for side in size)


def _listed(sizes: Counter[Size]) -> str:
    shown = ", ".join(f"{height}×{width}" for (height, width), _ in sizes.most_common(3))
    if len(sizes) == 1:
        return f"{shown} pixels"
    return f"different sizes ({shown}{', …' if len(sizes) > 3 else ''} pixels)"


def note_on(spec: InputSpec) -> str | None:
    """A note for the import's report about a guessed preprocessing; None if it was not guessed."""
    if spec.reason in (CHOSEN, CHOSEN_COLOR, ALREADY_MNIST):
        return None
    if spec.channels == 3:
        return f"Preprocessing is {spec.preprocessing}. {spec.description} {spec.reason} {LIKE_THESE}"
    other = {
        "digit": "Images to classify are preprocessed in the same way. If they aren't digits, import with "
        "preprocessing=resize.",
        "resize": f"{LIKE_THESE} If these are digits and you want to classify scans of digits, import with "
        "preprocessing=digit.",
    }
    return f"Preprocessing is {spec.preprocessing}. {spec.description} {spec.reason} {other[spec.preprocessing]}"


def _chosen_for_arrays(parts: Sequence[Part], wanted: Wanted) -> tuple[Preprocessing, str]:
    if wanted.channels == 3:
        return "resize", CHOSEN_COLOR
    small = [part.images for part in parts if part.images.shape[1:] == (SIDE, SIDE)]
    in_format = sum(int(are_mnist(images).sum()) for images in small)
    share = in_format / sum(len(part.images) for part in parts)
    if share >= IN_FORMAT:
        return "digit", ALREADY_MNIST
    return "resize", f"Arrays are used unchanged, unless they are in MNIST's format: only {share:.1%} of these are."


def _prepared(images: Bytes, spec: InputSpec, check: Check) -> Bytes:
    if spec.preprocessing != "digit" and images.shape[1:] == spec.shape:
        return images
    prepared = np.empty((len(images), *spec.shape), np.uint8)
    for chunk, target in zip(chunks(images), chunks(prepared), strict=True):
        check()
        for place, image in enumerate(prepare_all(list(chunk), spec)):
            if isinstance(image, ImageUnreadable):
                raise DatasetInvalid(f"An image {image}. Choose preprocessing=resize.")
            target[place] = image.pixels
    return prepared


def _count_colored(images: Bytes, check: Check) -> int:
    if images.ndim == 3:
        return 0
    count = 0
    for chunk in chunks(images):
        check()
        count += int(_have_colors(chunk).sum())
    return count


def _have_colors(images: Bytes) -> npt.NDArray[np.bool_]:
    """Whether each of gray (n, h, w) or RGB (n, h, w, 3) images has colors."""
    if images.ndim == 3:
        return np.zeros(len(images), bool)
    spread = images.max(axis=3) - images.min(axis=3)
    return np.asarray(spread.mean(axis=(1, 2)) >= COLORED)


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
