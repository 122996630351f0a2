"""What the reader of each kind of file hands back: images with their labels, and what there is to say about them."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy.typing as npt

from trainer.idx import Bytes

Array = npt.NDArray[Any]

# Called every now and then while a file is read; raises to stop.
Check = Callable[[], None]

# How many images pass between two calls of a check.
CHECK_EVERY = 256


@dataclass(frozen=True)
class Part:
    """Images (n, 28, 28) uint8 and their labels (n,), int64 or text."""

    images: Bytes
    labels: Array


@dataclass(frozen=True)
class Found:
    """What a file held. Without `test` the split is to be made.

    `from_arrays` says whether pixels were taken as they are, so that their polarity was not seen to. `unreadable` has
    a message about each image that could not be read, `notes` are sentences for the report.
    """

    train: Part
    test: Part | None = None
    _: KW_ONLY
    from_arrays: bool = True
    unreadable: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def first_unreadable(self) -> str:
        """A sentence for the end of a refusal; empty where all images could be read."""
        if not self.unreadable:
            return ""
        return f" {len(self.unreadable):,} images could not be read; the first: {self.unreadable[0]}"
