"""Makes classes of labels, and refuses those that no classifier can be trained on."""

from collections.abc import Sequence

import numpy as np

from trainer.errors import DatasetInvalid
from trainer.idx import Bytes
from trainer.importing.found import Array
from trainer.importing.labels import INTEGER

# Labels are stored as unsigned bytes.
MAX_CLASSES = 256
LEAST_IMAGES = 10
MOST_NAME_CHARACTERS = 100


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
    order = list(range(len(names)))
    if all(map(INTEGER.fullmatch, names)):
        order.sort(key=lambda index: int(names[index]))
    rank = np.argsort(order).astype(np.uint8)
    labels = np.split(rank[indices], np.cumsum([len(part) for part in parts])[:-1])
    return tuple(names[index] for index in order), labels


def check_classes(class_names: Sequence[str], labels: Sequence[Bytes], hint: str) -> None:
    """Refuse what no classifier can be trained on.

    Args:
        class_names: sorted as the indices say.
        labels: the indices (n,) of the training images' classes, and those of the test images where the split is given.
        hint: the end of messages that unreadable images may explain.

    Raises:
        DatasetInvalid: only one class, fewer than 10 images, a class with one image only, or, where the split is
            given, a class without training images.
    """
    counts = [np.bincount(part, minlength=len(class_names)) for part in labels]
    total = np.sum(counts, axis=0)
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
            f"Only one image of {listing(single)}; expected two or more of each class, one to train and one to test. "
            "Add images, or leave the class out." + hint
        )
    if unlearnt := [name for name, count in zip(class_names, counts[0], strict=True) if not count]:
        raise DatasetInvalid(
            f"Test images but no training images of {listing(unlearnt)}. "
            "Add training images, or check that both parts spell the class alike." + hint
        )


def listing(names: Sequence[str]) -> str:
    """The first few names, for a message."""
    shown = ", ".join(map(repr, names[:5]))
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more classes"
