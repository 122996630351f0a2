"""Tells what an imported data set is like, and warns of what will make its models worse than they look."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trainer.datasets import Dataset
from trainer.idx import Bytes
from trainer.images import SIDE
from trainer.importing.classes import listing
from trainer.importing.found import Found

MOST_MESSAGES = 20
UNEVEN = 5
DARK_ON_LIGHT = 0.5
NEARLY_BLACK = 32
# Parts of one data set drawn alike have nearly the same mean brightness.
PARTS_DIFFER = 2.5


@dataclass(frozen=True)
class Report:
    """What an imported data set is like.

    `unreadable` has the first messages of `unreadable_count`. `duplicates_across_split` counts test images whose
    exact pixels are also in training, `constant_images` those without any contrast. `mean_ink` is the mean of all
    pixels, 0 for all dark to 1 for all light. `skipped` counts what was left out, by reason. `notes` are sentences for
    a person that say what was done: where the split and the classes are from, what was skipped and assumed; `warnings`
    are those that say what may be wrong.
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
    skipped: dict[str, int]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return asdict(self) | {"notes": list(self.notes), "warnings": list(self.warnings)}


def report_on(dataset: Dataset, found: Found) -> Report:
    """Look at all images of a data set, and at what there was to say about the file that it was made of."""
    parts = (dataset.train_images, dataset.test_images)
    images = sum(map(len, parts))
    per_class = _count_by_class(dataset)
    duplicates = _duplicates(*parts)
    constant = sum(int(np.sum(part.max(axis=(1, 2)) == part.min(axis=(1, 2)))) for part in parts if len(part))
    mean_ink = sum(int(part.sum(dtype=np.int64)) for part in parts) / (255 * SIDE * SIDE * images)

    warnings = list(found.notes)
    if found.unreadable:
        warnings.append(
            f"Images that could not be read, and were left out: {len(found.unreadable):,}. "
            f"The first: {found.unreadable[0]}"
        )
    warnings += _warn_of_classes(per_class)
    if duplicates:
        warnings.append(
            f"Test images that are also training images: {duplicates:,}. "
            "The accuracy on the test images will look better than it is."
        )
    if constant:
        warnings.append(f"Blank images, whose pixels are all the same: {constant:,}.")
    warnings += _warn_of_light(dict(zip(("training", "test"), parts, strict=True)), from_arrays=found.input is None)
    return Report(
        images=images,
        train=len(dataset.train_images),
        test=len(dataset.test_images),
        per_class=per_class,
        unreadable=list(found.unreadable[:MOST_MESSAGES]),
        unreadable_count=len(found.unreadable),
        duplicates_across_split=duplicates,
        constant_images=constant,
        mean_ink=round(mean_ink, 4),
        skipped=dict(found.skipped),
        notes=tuple(filter(None, found.told)),
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


def _warn_of_classes(per_class: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    totals = {name: counts["train"] + counts["test"] for name, counts in per_class.items()}
    most, least = max(totals, key=totals.__getitem__), min(totals, key=totals.__getitem__)
    if totals[most] > UNEVEN * totals[least]:
        yield (
            f"The classes are uneven: {totals[most]:,} images of {most!r}, only {totals[least]:,} of {least!r}. "
            "The model may neglect the small ones."
        )
    if untested := [name for name, counts in per_class.items() if not counts["test"]]:
        yield f"No test images of {listing(untested)}: how well they are recognised stays unknown."


def _warn_of_light(parts: Mapping[str, Bytes], *, from_arrays: bool) -> Iterator[str]:
    """What the brightness of each part says; where all parts are alike, in one sentence for all."""
    parts = {name: images for name, images in parts.items() if len(images)}
    brightest = {name: int(images.max()) for name, images in parts.items()}
    light = {name: float(images.mean()) / 255 for name, images in parts.items()}
    for names, means in _alike(
        {name: mean for name, mean in light.items() if from_arrays and mean > DARK_ON_LIGHT}, parts
    ):
        yield (
            f"{names} look dark on light (mean brightness {means:.0%}); MNIST is light on dark. Images to "
            "classify should look as these do. If these are digits, import with preprocessing=digit, which finds out "
            "what is ink."
        )
    black = {name: most for name, most in brightest.items() if most < NEARLY_BLACK}
    for names, most in _alike(black, parts):
        yield (
            f"{names} are nearly black: the brightest pixel is {most:.0f} of 255. "
            "Whole numbers are taken as 0–255; store fractions 0–1, or scale them."
        )
    if len(parts) == 2 and not black and min(light.values()) * PARTS_DIFFER < max(light.values()):
        yield (
            f"Training and test images differ: their mean brightness is {light['training']:.0%} and "
            f"{light['test']:.0%}. Perhaps one part has another range of values, or is inverted: the accuracy on the "
            "test images then says nothing."
        )


def _alike(values: Mapping[str, float], parts: Mapping[str, Bytes]) -> Iterator[tuple[str, float]]:
    """What to call the parts that have such values, and the largest value."""
    if len(values) == len(parts) and values:
        yield "The images", max(values.values())
    else:
        for name, value in values.items():
            yield f"The {name} images", value


def _duplicates(train: Bytes, test: Bytes) -> int:
    known = set(map(_digest, train))
    return sum(_digest(image) in known for image in test)


def _digest(image: Bytes) -> bytes:
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()
