"""The array types that most modules share; by themselves, since modules without NumPy must not import them."""

from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

# Class indices (n,): uint8 for up to 256 classes, int32 for more.
Labels = npt.NDArray[np.integer[Any]]

MAX_BYTE_CLASSES = 256


def label_type(classes: int) -> type[np.integer[Any]]:
    """The type of the indices of so many classes."""
    return np.uint8 if classes <= MAX_BYTE_CLASSES else np.int32
