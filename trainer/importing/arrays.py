"""Brings arrays of images and of their labels together by their names, as npz, HDF5 and IDX files hold them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from trainer.errors import DatasetInvalid
from trainer.importing.found import Array, Check, Found, Part
from trainer.importing.labels import to_labels
from trainer.importing.parts import put_together
from trainer.importing.pixels import factor_of, to_images
from trainer.naming import splits

IMAGE_WORDS = frozenset(
    ("x", "image", "images", "img", "imgs", "data", "pixels", "features", "input", "inputs", "samples")
)
LABEL_WORDS = frozenset(("y", "label", "labels", "target", "targets", "class", "classes"))

EXPECTED = "expected x_train, y_train, x_test and y_test, or images and labels"


class Pair(NamedTuple):
    """The names of an array of images and of that of their labels, and the part that they are."""

    images: str
    labels: str
    part: splits.Part | None


def find_pairs(names: Collection[str], what: str) -> Sequence[Pair]:
    """Which arrays are images and which are their labels, told by their names.

    `x_train` and `y_train`, `train_images` and `train_labels`, `train/data` and `train/target`, `X` and `y`.

    Raises:
        DatasetInvalid: no two arrays belong together, some are left alone, or two arrays could be the same.
    """
    found: dict[tuple[splits.Part | None, str], str] = {}
    for name in sorted(names):
        words = {word.lower() for word in splits.WORD.findall(name)}
        role = "labels" if words & LABEL_WORDS else "images" if words & IMAGE_WORDS else None
        if role is None or "names" in words:
            continue
        named = splits.part_named(name)
        key = (named.part if named else None, role)
        if key in found:
            raise DatasetInvalid(
                f"{what} holds both {found[key]} and {name}, so it isn't clear which are the {role}; {EXPECTED}."
            )
        found[key] = name
    parts = {part for part, _ in found}
    if not parts or any((part, role) not in found for part in parts for role in ("images", "labels")):
        raise DatasetInvalid(f"{what} holds the arrays {', '.join(sorted(names)[:20])}; {EXPECTED}.")
    order = (None, *splits.Part)
    return [Pair(found[part, "images"], found[part, "labels"], part) for part in order if part in parts]


def read_pairs(pairs: Sequence[Pair], read: Callable[[str, bool], Array], check: Check) -> Found:
    """The data set in these arrays.

    Args:
        read: gives an array by its name; its second argument says whether it is one of labels.

    Raises:
        DatasetInvalid: as `to_part`, or arrays of one part have different sizes.
    """
    parts, factors = [], {}
    for pair in pairs:
        check()
        images, labels = read(pair.images, False), read(pair.labels, True)
        parts.append((pair.images, pair.part, to_part(images, labels, names=pair[:2], check=check)))
        if len(images):
            factors[pair.images] = factor_of(images, pair.images)
    found = put_together(parts)
    return replace(found, notes=[*found.notes, *_tell_factors(factors)])


def _tell_factors(factors: Mapping[str, int]) -> Sequence[str]:
    if len(set(factors.values())) < 2:
        return ()
    named = [f"{name} has {'fractions 0–1' if factor > 1 else 'values 0–255'}" for name, factor in factors.items()]
    return [
        f"The parts have different ranges of values: {', '.join(named)}. Each was brought to 0–255 by itself; if one "
        "has other contents than its range says, the accuracy on the test images says nothing."
    ]


def to_part(images: Array, labels: Array, *, names: Sequence[str], check: Check) -> Part:
    """Images and labels as one part; `names` are what the two arrays are called.

    Raises:
        DatasetInvalid: there are more of one than of the other, or either cannot be brought to its form.
    """
    if len(images) != len(labels):
        raise DatasetInvalid(
            f"{names[0]} has {len(images):,} images, but {names[1]} has {len(labels):,} labels; "
            "expected one label for each image."
        )
    return Part(to_images(images, names[0], check), to_labels(labels, names[1]))
