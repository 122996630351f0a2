"""Describes an imported data set, and warns about problems that make models look better than they are."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.duplicates import duplicates_across_split
from tenfold.trainer.data.importing.found import Check, Found
from tenfold.trainer.data.importing.labels import listing

MAX_MESSAGES = 20
IMBALANCED = 5
DARK_ON_LIGHT = 0.5
NEARLY_BLACK = 32
# Random parts of one data set have nearly the same mean brightness.
PARTS_DIFFER = 2.5


@dataclass(frozen=True)
class Report:
    """A description of an imported data set.

    `unreadable` has the first of `unreadable_count` messages. `duplicates_across_split` counts test images with the
    same pixels as a training image, `near_duplicates_across_split` those that are nearly one (`duplicates`), and
    `duplicate_pairs` the first of both. `constant_images` counts those without contrast. `mean_ink` is the mean of all
    pixels, in 0–1. `skipped` counts skipped files by reason. `notes` are sentences on the origin of split and classes,
    on skipped files and assumptions; `warnings` are about possible problems.
    """

    images: int
    train: int
    test: int
    per_class: dict[str, dict[str, int]]
    unreadable: list[str]
    unreadable_count: int
    duplicates_across_split: int
    near_duplicates_across_split: int
    duplicate_pairs: list[dict[str, Any]]
    constant_images: int
    mean_ink: float
    skipped: dict[str, int]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON."""
        return asdict(self) | {"notes": list(self.notes), "warnings": list(self.warnings)}


def report_on(dataset: Dataset, found: Found, check: Check = lambda: None) -> Report:
    """Describe a data set and the file that it was imported from.

    Args:
        check: called now and then; raises an exception to stop.
    """
    parts = (dataset.train_images, dataset.test_images)
    images = sum(map(len, parts))
    per_class = _count_by_class(dataset)
    duplicates = duplicates_across_split(dataset, check)
    flat = [part.reshape(len(part), -1) for part in parts if len(part)]
    constant = sum(int(np.sum(part.max(axis=1) == part.min(axis=1))) for part in flat)
    mean_ink = sum(int(part.sum(dtype=np.int64)) for part in parts) / (255 * math.prod(dataset.input.shape) * images)

    warnings = list(found.warnings)
    if found.unreadable:
        warnings.append(f"Skipped unreadable images: {len(found.unreadable):,}. The first: {found.unreadable[0]}")
    warnings += _class_warnings(per_class)
    if duplicates.exact:
        warnings.append(
            f"Test images that are also training images: {len(duplicates.exact):,}. The test accuracy will look better "
            "than it is."
        )
    if constant:
        warnings.append(f"Blank images (all pixels are equal): {constant:,}.")
    warnings += _brightness_warnings(
        dict(zip(("training", "test"), parts, strict=True)),
        from_arrays=found.input is None and dataset.input.channels == 1,
    )
    return Report(
        images=images,
        train=len(dataset.train_images),
        test=len(dataset.test_images),
        per_class=per_class,
        unreadable=list(found.unreadable[:MAX_MESSAGES]),
        unreadable_count=len(found.unreadable),
        duplicates_across_split=len(duplicates.exact),
        near_duplicates_across_split=len(duplicates.near),
        duplicate_pairs=duplicates.pairs(dataset),
        constant_images=constant,
        mean_ink=round(mean_ink, 4),
        skipped=dict(found.skipped),
        notes=tuple(filter(None, [*found.notes, duplicates.note(len(dataset.test_images))])),
        warnings=tuple(warnings),
    )


def _count_by_class(dataset: Dataset) -> dict[str, dict[str, int]]:
    train, test = (
        np.bincount(labels, minlength=len(dataset.class_names)).tolist()
        for labels in (dataset.train_labels, dataset.test_labels)
    )
    return {
        name: {"train": in_train, "test": in_test}
        for name, in_train, in_test in zip(dataset.class_names, train, test, strict=True)
    }


def _class_warnings(per_class: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    totals = {name: counts["train"] + counts["test"] for name, counts in per_class.items()}
    most, least = max(totals, key=totals.__getitem__), min(totals, key=totals.__getitem__)
    if totals[most] > IMBALANCED * totals[least]:
        yield (
            f"The classes are imbalanced: {totals[most]:,} images of {most!r}, only {totals[least]:,} of {least!r}. "
            "Accuracy on small classes may be low."
        )
    if untested := [name for name, counts in per_class.items() if not counts["test"]]:
        yield f"No test images of {listing(untested)}: the accuracy of these classes can't be measured."


def _brightness_warnings(parts: Mapping[str, Bytes], *, from_arrays: bool) -> Iterator[str]:
    """Warnings about the brightness of each part, or of all parts in one sentence."""
    parts = {name: images for name, images in parts.items() if len(images)}
    brightest = {name: int(images.max()) for name, images in parts.items()}
    light = {name: float(images.mean()) / 255 for name, images in parts.items()}
    for names, means in _grouped(
        {name: mean for name, mean in light.items() if from_arrays and mean > DARK_ON_LIGHT}, parts
    ):
        yield (
            f"{names} look dark on light (mean brightness {means:.0%}); MNIST is light on dark. Images to "
            "classify should look like these. If these are digits, import with preprocessing=digit, which detects ink."
        )
    black = {name: most for name, most in brightest.items() if most < NEARLY_BLACK}
    for names, most in _grouped(black, parts):
        yield (
            f"{names} are nearly black: the brightest pixel is {most:.0f} of 255. "
            "Integers are read as 0–255; store fractions 0–1, or scale them."
        )
    if len(parts) == 2 and not black and min(light.values()) * PARTS_DIFFER < max(light.values()):
        yield (
            f"Training and test images differ: their mean brightness is {light['training']:.0%} and "
            f"{light['test']:.0%}. If one part has another value range or is inverted, the "
            "test accuracy is meaningless."
        )


def _grouped(values: Mapping[str, float], parts: Mapping[str, Bytes]) -> Iterator[tuple[str, float]]:
    """The parts with such values, in words, and the largest value."""
    if len(values) == len(parts) and values:
        yield "The images", max(values.values())
    else:
        for name, value in values.items():
            yield f"The {name} images", value
