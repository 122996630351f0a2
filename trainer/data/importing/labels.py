"""Converts labels to class indices, and refuses labels that no classifier can be trained on."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from tenfold.trainer.arrays import Labels, label_type
from tenfold.trainer.data.importing.found import Array
from tenfold.trainer.errors import DatasetInvalid

INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


def to_labels(values: Array, what: str) -> Array:
    """Labels as (n,) int64 if they are integers, else as (n,) text.

    Args:
        values: (n,) or (n, 1) of integers, integral floats, or text.
        what: the array's name, for messages.

    Raises:
        DatasetInvalid: another shape or type, fractions, NaN, or bytes that are not UTF-8.
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
        raise DatasetInvalid(f"{what} is of type {values.dtype}; expected integers or text.")
    try:
        text = np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values
        return np.array([label.strip() for label in text.tolist()], dtype=np.str_)
    except (ValueError, SystemError) as error:  # the latter for code points beyond Unicode
        raise DatasetInvalid(f"{what} contains labels that are not text: {error}. Store them as UTF-8.") from error


def parse_labels(cells: Sequence[str], what: str) -> Array:
    """The labels in a text file's column: (n,) int64 if all are integers, else (n,) text.

    Raises:
        DatasetInvalid: all are numbers, but some are fractions or NaN.
    """
    if all(map(INTEGER.fullmatch, cells)):
        return np.array(list(map(int, cells)), np.int64)
    try:
        numbers = np.array(list(map(float, cells)))
    except ValueError:
        return np.array(cells, np.str_)
    return to_labels(numbers, what)


def _refuse_fractions(values: Array, what: str) -> None:
    if not np.isfinite(values).all():
        raise DatasetInvalid(f"{what} contains NaN or infinite labels; expected class numbers or names.")
    broken = values[values != np.floor(values)]
    if broken.size:
        raise DatasetInvalid(
            f"{what} contains the label {broken[0]:g}; expected integers or text. Is it the right column?"
        )


MAX_CLASSES = 1000
MIN_IMAGES = 10
# Zero-width, within words and emojis.
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
MAX_NAME_CHARACTERS = 100


def check_name(name: str, where: str) -> None:
    """Refuse an invalid class name.

    Raises:
        DatasetInvalid: it is empty, too long or not printable.
    """
    if not name or len(name) > MAX_NAME_CHARACTERS or any(map(_is_control, name)):
        raise DatasetInvalid(
            f"{where} is {name[:MAX_NAME_CHARACTERS]!r}, which is not a valid class name; "
            f"expected 1 to {MAX_NAME_CHARACTERS} printable characters."
        )


def _is_control(character: str) -> bool:
    """Whether it isn't to be seen: a control, a line separator, or a mark of direction.

    `str.isprintable` would refuse characters that are newer than Python, and the joiners in emojis and Persian words.
    """
    category = unicodedata.category(character)
    return category in ("Cc", "Cs", "Co", "Zl", "Zp") or (category == "Cf" and character not in JOINERS)


def index_classes(parts: Sequence[Array]) -> tuple[tuple[str, ...], list[Labels]]:
    """The names of all distinct labels, sorted, and each part's labels (n,) as indices into them.

    The indices are uint8, or int32 for more than 256 classes. Names are sorted as numbers if all are integers, else as
    text.

    Raises:
        DatasetInvalid: more than 1,000 classes, or an invalid class name.
    """
    if len({part.dtype.kind for part in parts}) > 1:
        parts = [part.astype(np.str_) for part in parts]
    values, indices = np.unique(np.concatenate(parts), return_inverse=True)
    if len(values) > MAX_CLASSES:
        raise DatasetInvalid(
            f"The labels name {len(values):,} classes; the maximum is {MAX_CLASSES:,}. "
            "Is it the right label column or array?"
        )
    names = [str(value) for value in values]
    for name in names:
        check_name(name, "A label")
    order = list(range(len(names)))
    if all(map(INTEGER.fullmatch, names)):
        order.sort(key=lambda index: int(names[index]))
    rank = np.argsort(order).astype(label_type(len(order)))
    labels = np.split(rank[indices], np.cumsum([len(part) for part in parts])[:-1])
    return tuple(names[index] for index in order), labels


def check_classes(class_names: Sequence[str], labels: Sequence[Labels], hint: str) -> None:
    """Refuse labels that no classifier can be trained on.

    Args:
        class_names: in the order of the indices.
        labels: class indices (n,) of the training images, and of the test images if the file has a split.
        hint: appended to messages about missing images.

    Raises:
        DatasetInvalid: only one class, fewer than 10 images, a class with only one image, or a class without training
            images.
    """
    counts = [np.bincount(part, minlength=len(class_names)) for part in labels]
    total = np.sum(counts, axis=0)
    if total.sum() < MIN_IMAGES:
        raise DatasetInvalid(
            f"There are only {total.sum()} images; expected at least {MIN_IMAGES}, better hundreds of each class."
            + hint
        )
    if len(class_names) == 1:
        raise DatasetInvalid(f"There is only one class, {class_names[0]!r}; a classifier needs at least two.")
    if single := [name for name, count in zip(class_names, total, strict=True) if count == 1]:
        raise DatasetInvalid(
            f"Only one image of {listing(single)}; expected two or more of each class, one to train and one to test. "
            "Add images, or remove the class." + hint
        )
    if unlearned := [name for name, count in zip(class_names, counts[0], strict=True) if not count]:
        raise DatasetInvalid(
            f"Test images but no training images of {listing(unlearned)}. "
            "Add training images, or check that the class has the same spelling in both parts." + hint
        )


def listing(names: Sequence[str]) -> str:
    """The first names, for a message."""
    shown = ", ".join(map(repr, names[:5]))
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more classes"
