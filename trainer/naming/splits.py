"""Tells which names of folders, files and arrays mean training images and which mean test images."""

import re
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple


class Part(StrEnum):
    """A part of a data set, as people split it."""

    TRAIN = "training"
    VALIDATION = "validation"
    TEST = "test"


class Named(NamedTuple):
    """What a name says. `certain` is false where it has other words beside: `mnist_train`, but also `train station`."""

    part: Part
    certain: bool


WORDS = {
    **dict.fromkeys(("train", "training", "trn", "trainval"), Part.TRAIN),
    **dict.fromkeys(("test", "testing", "tst", "t10k"), Part.TEST),
    **dict.fromkeys(
        ("val", "valid", "validation", "validate", "validating", "dev", "eval", "evaluation", "holdout", "heldout"),
        Part.VALIDATION,
    ),
}
# What people write beside these words, apart or at their end.
FILLERS = ("set", "sets", "data", "dataset", "datasets", "images", "image", "imgs", "img", "pictures", "samples",
           "sample", "split", "folder", "folders", "files", "part", "png", "jpg", "jpeg", "all", "new", "labels",
           "digits", "raw", "x", "y")  # fmt: skip
FILLED = re.compile(rf"({'|'.join(sorted(WORDS, key=len, reverse=True))})({'|'.join(FILLERS)})")
WORD = re.compile(r"t10k|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")


def part_named(name: str) -> Named | None:
    """The part of a data set that a name means; None where it means none, or train and test.

    `train`, `Training`, `TrainSet`, `train_images`, `test data`, `val2017`, `mnist_train`, `t10k-images`.
    """
    parts, certain = [], True
    for found in WORD.findall(name):
        word = found.lower()
        filled = FILLED.fullmatch(word)
        part = WORDS.get(filled[1] if filled else word)
        if part:
            parts.append(part)
        elif word not in FILLERS:
            certain = False
    if set(parts) == {Part.TRAIN, Part.VALIDATION}:
        return Named(Part.TRAIN, certain)
    return Named(parts[0], certain) if len(set(parts)) == 1 else None


def part_for_test(parts: Collection[Part | None]) -> Part | None:
    """Which of these parts is for the test: the test images, or without any the validation images.

    None where there is nothing to split: one part alone is no split.
    """
    if len(set(parts) - {None}) < 2:
        return None
    return Part.TEST if Part.TEST in parts else Part.VALIDATION


def tell_split(names: Mapping[Part, Iterable[str]]) -> str:
    """The split in a sentence; empty where there is none.

    Args:
        names: what each part is called in the file: folders, files or arrays.
    """
    for_test = part_for_test(names)
    if for_test is None:
        return ""
    told = []
    for part in (part for part in Part if part in names):
        listed = ", ".join(sorted(names[part])[:5])
        if part is Part.VALIDATION and part is not for_test:
            told.append(f"validation images ({listed}) are among the training images")
        else:
            told.append(f"{'test' if part is for_test else part.value} images are from {listed}")
    return f"The split is the file's own: {'; '.join(told)}."
