"""What the reader of each kind of file hands back: images with their labels, and what there is to say about them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy.typing as npt

from trainer.idx import Bytes
from trainer.input_spec import InputSpec

Array = npt.NDArray[Any]

# Called every now and then while a file is read; raises to stop.
Check = Callable[[], None]

# How many images pass between two calls of a check.
CHECK_EVERY = 256


@dataclass(frozen=True)
class Part:
    """Images (n, h, w) uint8, 28×28 once they are prepared, and their labels (n,), int64 or text."""

    images: Bytes
    labels: Array


@dataclass(frozen=True)
class Found:
    """What a file held. Without `test` the split is to be made.

    `input` is how pictures became the images; None for those of arrays, which are still of their own size and to be
    prepared (`preprocessing`). `unreadable` has a message about each image that could not be read. `notes` are
    sentences that warn, `told` are those that say what was done: where the split and the classes are from, what was
    assumed; empty ones are nothing. `skipped` counts what was left out, by reason.
    """

    train: Part
    test: Part | None = None
    _: KW_ONLY
    input: InputSpec | None = None
    unreadable: Sequence[str] = ()
    notes: Sequence[str] = ()
    told: Sequence[str] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def left_out(self) -> str:
        """What to add to a refusal that images which were left out may explain; empty where none were."""
        said = [note for note in self.notes if note.startswith("Skipped images")]
        if self.unreadable:
            said.append(f"{len(self.unreadable):,} images could not be read; the first: {self.unreadable[0]}")
        return "".join(f" {sentence}" for sentence in said)
