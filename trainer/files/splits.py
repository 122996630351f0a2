"""Recognizes names of folders, files and arrays that mean training, validation or test images."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Part(StrEnum):
    """A part of a split data set."""

    TRAIN = "training"
    VALIDATION = "validation"
    TEST = "test"


NO_CLASSES = "in a test folder without classes"


class Named(NamedTuple):
    """The part that a name means. `certain` is false if it has other words too: `mnist_train`, or `train station`."""

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
# Words that accompany these, separately or appended.
FILLERS = ("set", "sets", "data", "dataset", "datasets", "images", "image", "imgs", "img", "pictures", "samples",
           "sample", "split", "folder", "folders", "files", "part", "png", "jpg", "jpeg", "all", "new", "labels",
           "digits", "raw", "x", "y")  # fmt: skip
FILLED = re.compile(rf"({'|'.join(sorted(WORDS, key=len, reverse=True))})({'|'.join(FILLERS)})")
WORD = re.compile(r"t10k|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")


def part_named(name: str) -> Named | None:
    """The part that a name means; None if it means none, or both training and test.

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
    """The part used for testing: the test images, or the validation images if there are none.

    None if there is only one part.
    """
    if len(set(parts) - {None}) < 2:
        return None
    return Part.TEST if Part.TEST in parts else Part.VALIDATION


def tell_split(names: Mapping[Part, Iterable[str]]) -> str:
    """A sentence about the split; empty if there is none.

    Args:
        names: each part's folders, files or arrays.
    """
    for_test = part_for_test(names)
    if for_test is None:
        return ""
    phrases = []
    for part in (part for part in Part if part in names):
        listed = ", ".join(sorted(names[part])[:5])
        if part is Part.VALIDATION and part is not for_test:
            phrases.append(f"validation images ({listed}) were added to the training images")
        else:
            phrases.append(f"{'test' if part is for_test else part.value} images are from {listed}")
    return f"The split is from the file: {'; '.join(phrases)}."


@dataclass(frozen=True)
class Choice:
    """Which of a folder's subfolders mean which part; `removed` are not classes, `left_out` are skipped."""

    parts: Mapping[str, Part]
    removed: frozenset[str] = frozenset()
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_real(self) -> bool:
        return len(set(self.parts.values())) > 1


def read_choice(names: Mapping[str, set[str]]) -> Choice:
    """Decide whether a folder's subfolders are parts of a split.

    Args:
        names: the subfolders, each with the names of its own subfolders.
    """
    named = {name: part for name in names if (part := part_named(name))}
    parts = {name: part.part for name, part in named.items()}
    others = names.keys() - parts.keys()
    if not parts:
        return Choice({})
    kinds = set(parts.values())
    if not others:
        return Choice(parts, frozenset(parts))
    if Part.TRAIN in kinds and len(kinds) > 1:
        left_out = dict.fromkeys(others, f"in a folder beside {' and '.join(sorted(parts))}")
        return Choice(parts | dict.fromkeys(others, Part.TRAIN), frozenset(parts), left_out)
    parts = {name: part for name, part in parts.items() if named[name].certain}
    others = names.keys() - parts.keys()
    below = set[str]().union(*(names[name] for name in parts))
    below_others = set[str]().union(*(names[name] for name in others))
    if not parts or (kinds == {Part.TRAIN} and (not below or below & below_others)):
        return Choice({})
    if below & others:
        return Choice(parts | dict.fromkeys(others, Part.TRAIN), frozenset(parts))
    if below & below_others:
        return Choice(parts | dict.fromkeys(others, Part.TRAIN), frozenset(names))
    if Part.TRAIN not in kinds:
        return Choice(parts, frozenset(parts), dict.fromkeys(parts, NO_CLASSES))
    left_out = dict.fromkeys(others, f"in a folder beside {' and '.join(sorted(parts))}")
    return Choice(parts | dict.fromkeys(others, Part.TRAIN), frozenset(parts), left_out)
