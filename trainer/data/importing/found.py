"""The result of reading an uploaded file: images, labels and notes, and counts of what was skipped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.input_spec import InputSpec

Array = npt.NDArray[Any]

# Called from time to time while a file is read; raises an exception to stop.
Check = Callable[[], None]

# The number of images between two calls of a check.
CHECK_EVERY = 256


@dataclass(frozen=True)
class Part:
    """Images, gray (n, h, w) or RGB (n, h, w, 3) uint8, and their labels (n,), int64 or text."""

    images: Bytes
    labels: Array


@dataclass(frozen=True)
class Found:
    """The content of a file. Without `test` it has no split.

    `input` says how the images were converted; None for arrays, which still have their own size (see `preprocessing`).
    `unreadable` has a message for each unreadable image. `warnings` are sentences about possible problems, `notes`
    about the origin of split and classes, and assumptions; empty ones are ignored. `skipped` counts by reason.
    """

    train: Part
    test: Part | None = None
    _: KW_ONLY
    input: InputSpec | None = None
    unreadable: Sequence[str] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def skipped_images(self) -> str:
        """Text to append to an error that skipped images may explain; empty if none were skipped."""
        sentences = [text for text in self.warnings if text.startswith("Skipped images")]
        if self.unreadable:
            sentences.append(f"{len(self.unreadable):,} images are unreadable; the first: {self.unreadable[0]}")
        return "".join(f" {sentence}" for sentence in sentences)


EXAMPLES = 3
MAX_EXAMPLE_CHARACTERS = 200

SYSTEM = "hidden and system files"


class Skipped:
    """Counts what an import skips, by reason, with examples. Reasons are plurals: `text files`."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._examples: dict[str, list[str]] = {}

    def add(self, reason: str, name: object) -> None:
        """Count one file or image."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        examples = self._examples.setdefault(reason, [])
        if len(examples) < EXAMPLES:
            examples.append(str(name)[-MAX_EXAMPLE_CHARACTERS:])

    def sentences(self, *, of_images: bool) -> Iterator[str]:
        """A sentence for each reason for which images, or other files, were skipped."""
        for reason, count in sorted(self.counts.items()):
            if reason.startswith("images") != of_images:
                continue
            examples = self._examples[reason]
            more = ", …" if count > len(examples) else ""
            yield f"Skipped {reason}: {count:,} ({', '.join(examples)}{more})."
