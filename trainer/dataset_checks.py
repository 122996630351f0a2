"""Checks a person's images and labels, brings them to a data set's form, and reports what they are like."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainer.datasets import Dataset
from trainer.errors import DatasetInvalid
from trainer.idx import Bytes
from trainer.images import SIDE, normalise

# Labels are stored as unsigned bytes.
MAX_CLASSES = 256
LEAST_IMAGES = 10
MOST_NAME_CHARACTERS = 100

# How many images pass between two calls of `check`.
CHECK_EVERY = 256

UNEVEN = 5
DARK_ON_LIGHT = 0.5
NEARLY_BLACK = 32

INTEGER = re.compile(r"[+-]?[0-9]{1,18}")

Array = npt.NDArray[Any]
Check = Callable[[], None]


@dataclass(frozen=True)
class Report:
    """What an imported data set is like.

    `unreadable` has the first messages of `unreadable_count`. `duplicates_across_split` counts test images whose
    exact pixels are also in training, `constant_images` those without any contrast. `mean_ink` is the mean of all
    pixels, 0 for all dark to 1 for all light. `warnings` are sentences for a person.
    """

    images: int
    train: int
    test: int
    per_class: dict[str, dict[str, int]]
    unreadable: list[str]
    unreadable_count: int
    duplicates_across_split: int
    constant_images: int
    mean_ink: float
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return asdict(self) | {"warnings": list(self.warnings)}


def to_images(values: Array, what: str, check: Check) -> Bytes:
    """Images of any accepted form as (n, 28, 28) uint8.

    Args:
        values: (n, 784), (n, h, w), (n, h, w, 1) or (n, h, w, 3) of booleans, whole numbers 0–255, or fractions 0–1.
        what: the array's name, for messages.
        check: called every few hundred images; raises to stop.

    Raises:
        DatasetInvalid: another shape or type, a value out of range, NaN or infinity.
    """
    values = _with_image_shape(values, what)
    images = np.empty((len(values), SIDE, SIDE), np.uint8)
    if not len(values):
        return images
    factor = _factor(values, what)
    done = 0
    for chunk in _chunks(values):
        check()
        pixels = chunk.astype(np.uint8) if factor == 1 else np.round(chunk.astype(np.float64) * factor).astype(np.uint8)
        if pixels.shape[1:] != (SIDE, SIDE):
            pixels = np.stack([normalise(_grey(image), mode="none").pixels for image in pixels])
        images[done : done + len(chunk)] = pixels
        done += len(chunk)
    return images


def to_labels(values: Array, what: str) -> Array:
    """Labels as (n,) int64 where they are whole numbers, else as (n,) text.

    Args:
        values: (n,) or (n, 1) of integers, whole floats, or text.
        what: the array's name, for messages.

    Raises:
        DatasetInvalid: another shape or type, fractions, NaN, or bytes that are no text.
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        hint = " If they are one-hot, store labels.argmax(axis=1) instead." if values.ndim == 2 else ""
        raise DatasetInvalid(f"{what} has shape {values.shape}; expected one label for each image, (n,).{hint}")
    if values.dtype.kind == "f":
        _refuse_fractions(values, what)
    if values.dtype.kind in "biuf":
        if values.size and not -(2**63) <= int(values.min()) <= int(values.max()) < 2**63:
            raise DatasetInvalid(f"{what} has labels beyond 64 bits; expected class numbers or names.")
        return values.astype(np.int64)
    if values.dtype.kind not in "SU":
        raise DatasetInvalid(f"{what} is of type {values.dtype}; expected whole numbers or text.")
    try:
        text = np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values
        return np.array([label.strip() for label in text.tolist()], dtype=np.str_)
    except (ValueError, SystemError) as error:  # the latter for code points beyond Unicode
        raise DatasetInvalid(f"{what} holds labels that are no text: {error}. Store them as UTF-8.") from error


def parse_labels(cells: Sequence[str], what: str) -> Array:
    """The labels in a text file's column: (n,) int64 where all are whole numbers, else (n,) text.

    Raises:
        DatasetInvalid: all are numbers, some with a fraction, or NaN.
    """
    if all(INTEGER.fullmatch(cell) for cell in cells):
        return np.array([int(cell) for cell in cells], np.int64)
    try:
        numbers = np.array([float(cell) for cell in cells])
    except ValueError:
        return np.array(cells, np.str_)
    return to_labels(numbers, what)


def check_name(name: str, where: str) -> None:
    """Refuse what cannot be the name of a class.

    Raises:
        DatasetInvalid: it is empty, very long or not printable.
    """
    if not name or not name.isprintable() or len(name) > MOST_NAME_CHARACTERS:
        raise DatasetInvalid(
            f"{where} is {name[:MOST_NAME_CHARACTERS]!r}, which cannot be the name of a class; "
            f"expected 1 to {MOST_NAME_CHARACTERS} printable characters."
        )


def index_classes(parts: Sequence[Array]) -> tuple[tuple[str, ...], list[Bytes]]:
    """The names of the distinct labels in all parts, sorted, and each part's labels (n,) as uint8 indices into them.

    Names that are all integers are sorted as numbers, others as text.

    Raises:
        DatasetInvalid: more than 256 classes, or a name that is empty, very long or not printable.
    """
    if len({part.dtype.kind for part in parts}) > 1:
        parts = [part.astype(np.str_) for part in parts]
    values, indices = np.unique(np.concatenate(parts), return_inverse=True)
    if len(values) > MAX_CLASSES:
        raise DatasetInvalid(
            f"The labels name {len(values):,} classes; the most is {MAX_CLASSES}. "
            "Perhaps the label column or array is the wrong one?"
        )
    names = [str(value) for value in values]
    for name in names:
        check_name(name, "A label")
    if all(INTEGER.fullmatch(name) for name in names):
        order = sorted(range(len(names)), key=lambda index: (int(names[index]), names[index]))
    else:
        order = list(range(len(names)))
    rank = np.empty(len(names), np.uint8)
    rank[order] = range(len(names))
    labels = np.split(rank[indices], np.cumsum([len(part) for part in parts])[:-1])
    return tuple(names[index] for index in order), labels


def check_classes(class_names: Sequence[str], train: Bytes, test: Bytes | None, hint: str = "") -> None:
    """Refuse what no classifier can be trained on, from the class indices (n,) uint8 of the two parts.

    Raises:
        DatasetInvalid: only one class, fewer than 10 images, a class with one image only, or, where the split is
            given, a class without training images.
    """
    counts = np.bincount(train, minlength=len(class_names))
    total = counts if test is None else counts + np.bincount(test, minlength=len(class_names))
    if total.sum() < LEAST_IMAGES:
        raise DatasetInvalid(
            f"There are only {total.sum()} images; expected at least {LEAST_IMAGES}, better hundreds of each class."
            + hint
        )
    if len(class_names) == 1:
        raise DatasetInvalid(
            f"There is only one class, {class_names[0]!r}; a classifier needs two or more to tell apart."
        )
    if single := [name for name, count in zip(class_names, total, strict=True) if count == 1]:
        raise DatasetInvalid(
            f"Only one image of {_listing(single)}; expected two or more of each class, one to train and one to test. "
            "Add images, or leave the class out." + hint
        )
    if unlearnt := [name for name, count in zip(class_names, counts, strict=True) if not count]:
        raise DatasetInvalid(
            f"Test images but no training images of {_listing(unlearnt)}. "
            "Add training images, or check that both parts spell the class alike." + hint
        )


def split_classes(labels: Bytes, test_share: float, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which images (n,) go to test: `test_share` of each class, at least one, and at least one stays in training."""
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = min(max(1, round(test_share * len(members))), len(members) - 1)
        chosen[random.permutation(members)[:count]] = True
    return chosen


def mixed(images: Bytes, labels: Bytes, random: np.random.Generator) -> tuple[Bytes, Bytes]:
    """Images (n, 28, 28) and labels (n,) as they came, unless they came class by class; then shuffled.

    A part of the training images that is held out by position would else lack whole classes.
    """
    if np.count_nonzero(labels[1:] != labels[:-1]) >= len(np.unique(labels)):
        return images, labels
    order = random.permutation(len(labels))
    return images[order], labels[order]


def report_on(
    dataset: Dataset, *, unreadable: Sequence[str], unreadable_count: int, from_arrays: bool, notes: Sequence[str]
) -> Report:
    """Look at all images of a data set.

    Args:
        dataset: what was imported.
        unreadable: messages about images that could not be read, as many as the report is to hold.
        unreadable_count: how many there were.
        from_arrays: whether pixels were taken as they are, so that their polarity was not seen to.
        notes: sentences to put before the report's own warnings.
    """
    parts = (dataset.train_images, dataset.test_images)
    train, test = (
        np.bincount(labels, minlength=len(dataset.class_names)).tolist()
        for labels in (dataset.train_labels, dataset.test_labels)
    )
    images = sum(map(len, parts))
    constant = sum(int(np.sum(part.max(axis=(1, 2)) == part.min(axis=(1, 2)))) for part in parts if len(part))
    mean_ink = sum(int(part.sum(dtype=np.int64)) for part in parts) / (255 * SIDE * SIDE * images)
    brightest = max(int(part.max()) for part in parts if len(part))
    duplicates = _duplicates(*parts)

    totals = dict(zip(dataset.class_names, map(sum, zip(train, test, strict=True)), strict=True))
    most, least = max(totals, key=lambda name: totals[name]), min(totals, key=lambda name: totals[name])
    untested = [name for name, count in zip(dataset.class_names, test, strict=True) if not count]
    warnings = list(notes)
    if unreadable_count:
        warnings.append(f"Images that could not be read, and were left out: {unreadable_count:,}.")
    if totals[most] > UNEVEN * totals[least]:
        warnings.append(
            f"The classes are uneven: {totals[most]:,} images of {most!r}, only {totals[least]:,} of {least!r}. "
            "The model may neglect the small ones."
        )
    if untested:
        warnings.append(f"No test images of {_listing(untested)}: how well they are recognised stays unknown.")
    if duplicates:
        warnings.append(
            f"Test images that are also training images: {duplicates:,}. "
            "The accuracy on the test images will look better than it is."
        )
    if constant:
        warnings.append(f"Blank images, whose pixels are all the same: {constant:,}.")
    if from_arrays and mean_ink > DARK_ON_LIGHT:
        warnings.append(
            f"The images look dark on light (mean brightness {mean_ink:.0%}); MNIST is light on dark, and images to "
            "classify are brought to that. Store 255 minus the pixels instead."
        )
    if brightest < NEARLY_BLACK:
        warnings.append(
            f"The images are nearly black: the brightest pixel is {brightest} of 255. "
            "Whole numbers are taken as 0–255; store fractions 0–1, or scale them."
        )
    return Report(
        images=images,
        train=len(dataset.train_images),
        test=len(dataset.test_images),
        per_class={
            name: {"train": in_train, "test": in_test}
            for name, in_train, in_test in zip(dataset.class_names, train, test, strict=True)
        },
        unreadable=list(unreadable),
        unreadable_count=unreadable_count,
        duplicates_across_split=duplicates,
        constant_images=constant,
        mean_ink=round(mean_ink, 4),
        warnings=tuple(warnings),
    )


def _with_image_shape(values: Array, what: str) -> Array:
    shape = values.shape
    if values.dtype.kind not in "biuf":
        raise DatasetInvalid(f"{what} is of type {values.dtype}; expected numbers: 0–255, or fractions 0–1.")
    if len(shape) == 2 and shape[1] == SIDE * SIDE:
        return values.reshape(-1, SIDE, SIDE)
    if len(shape) == 4 and shape[3] == 1:
        shape = shape[:3]
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] != 3) or 0 in shape[1:]:
        hint = " The channels come last." if len(shape) == 4 and shape[1] in (1, 3) else ""
        raise DatasetInvalid(
            f"{what} has shape {values.shape}; expected (n, 28, 28), (n, 784), or images of another size as "
            f"(n, height, width), (n, height, width, 1) or (n, height, width, 3).{hint}"
        )
    return values.reshape(shape)


def _factor(values: Array, what: str) -> int:
    """What brings the values to 0–255: 1 or 255."""
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high):
        raise DatasetInvalid(f"{what} holds NaN or infinite values; expected 0–255, or fractions 0–1.")
    if values.dtype.kind == "b" or (values.dtype.kind == "f" and 0 <= low <= high <= 1):
        return 255
    whole = values.dtype.kind in "iu" or all((chunk == np.floor(chunk)).all() for chunk in _chunks(values))
    if low < 0 or high > 255 or not whole:
        fractions = "" if whole else ", with fractions"
        raise DatasetInvalid(
            f"{what} has values from {low:g} to {high:g}{fractions}; expected whole numbers 0–255, or fractions 0–1. "
            "Scale them, and undo any standardisation."
        )
    return 1


def _chunks(values: Array) -> Iterator[Array]:
    for start in range(0, len(values), CHECK_EVERY):
        yield values[start : start + CHECK_EVERY]


def _grey(image: Bytes) -> Bytes:
    return image if image.ndim == 2 else np.asarray(Image.fromarray(image).convert("L"))


def _refuse_fractions(values: Array, what: str) -> None:
    if not np.isfinite(values).all():
        raise DatasetInvalid(f"{what} holds NaN or infinite labels; expected class numbers or names.")
    broken = values[values != np.floor(values)]
    if broken.size:
        raise DatasetInvalid(
            f"{what} holds the label {broken[0]:g}; expected whole numbers or text. Perhaps it is the wrong column?"
        )


def _duplicates(train: Bytes, test: Bytes) -> int:
    known = set(map(_digest, train))
    return sum(_digest(image) in known for image in test)


def _digest(image: Bytes) -> bytes:
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more classes"
