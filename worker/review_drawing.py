"""Draws a review queue's pictures: each shard those of its own doubtful images, so that all workers share the work."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import TypeVar

import polars as pl

from trainer.decoding import decode
from trainer.idx import Bytes
from trainer.images import normalise
from trainer.thumbnails import picture_of, thumbnail
from worker.preparing import Preparation
from worker.reading import Problem, read_members
from worker.results import DOUBTFUL
from worker.settings import Settings
from worker.sources import Source

# As large as a phone held upright shows it.
SIDE = 320

# A shard draws so many times its share of the pictures that are kept: doubtful images are spread unevenly, and the
# merge draws what is lacking, on one worker.
OVERDRAWN = 2

# Row, the picture of the original, and that of what the model saw.
Picture = tuple[int, bytes, bytes]

T = TypeVar("T")


def least_certain(rows: pl.DataFrame, share: float, most: int) -> Sequence[int]:
    """The row numbers, rising, of a shard's images that may be among the `most` least certain of all.

    Args:
        rows: the shard's, those of `results.ROWS`.
        share: that of the shard in all images, in 0–1.
    """
    doubtful = rows.filter(DOUBTFUL).sort("confidence").head(ceil(OVERDRAWN * share * most))
    return doubtful["row"].sort().to_list()


def draw(
    source: Source,
    rows: Sequence[int],
    positions: "array[int]",
    seen: Sequence[Bytes],
    settings: Settings,
    check: Callable[[], None],
) -> Iterator[Picture]:
    """Pictures of these images. One that could be read when it was classified and cannot now has none.

    Args:
        positions: of the images in the source.
        seen: as the model saw them, (28, 28) uint8 each.
        check: called now and then; may raise to stop.
    """
    for row, pixels, original in zip(rows, seen, _drawn(source, positions, _original, settings, check), strict=True):
        if not isinstance(original, Problem):
            yield row, original, picture_of(pixels)


def draw_anew(
    source: Source,
    rows: Sequence[int],
    positions: "array[int]",
    preparation: Preparation,
    settings: Settings,
    check: Callable[[], None],
) -> Iterator[Picture]:
    """As `draw`, where what the model saw is no longer held."""

    def both(data: bytes) -> tuple[bytes, bytes]:
        seen = normalise(decode(data), preparation.input.mode, preparation.polarity).pixels
        return _original(data), picture_of(seen)

    for row, pictures in zip(rows, _drawn(source, positions, both, settings, check), strict=True):
        if not isinstance(pictures, Problem):
            yield row, *pictures


def _original(data: bytes) -> bytes:
    return thumbnail(data, SIDE)


def _drawn(
    source: Source,
    positions: "array[int]",
    prepare: Callable[[bytes], T],
    settings: Settings,
    check: Callable[[], None],
) -> Iterator[T | Problem]:
    members = read_members(
        source,
        source.members(positions),
        prepare,
        max_image_bytes=settings.max_image_bytes,
        threads=settings.threads_per_process,
        report=lambda _: check(),
    )
    return (drawn for _, drawn in members)
