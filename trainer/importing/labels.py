"""Brings labels of any accepted shape and type to whole numbers or text."""

import re
from collections.abc import Sequence

import numpy as np

from trainer.errors import DatasetInvalid
from trainer.importing.found import Array

INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


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
    if all(map(INTEGER.fullmatch, cells)):
        return np.array(list(map(int, cells)), np.int64)
    try:
        numbers = np.array(list(map(float, cells)))
    except ValueError:
        return np.array(cells, np.str_)
    return to_labels(numbers, what)


def _refuse_fractions(values: Array, what: str) -> None:
    if not np.isfinite(values).all():
        raise DatasetInvalid(f"{what} holds NaN or infinite labels; expected class numbers or names.")
    broken = values[values != np.floor(values)]
    if broken.size:
        raise DatasetInvalid(
            f"{what} holds the label {broken[0]:g}; expected whole numbers or text. Perhaps it is the wrong column?"
        )
