"""Draws the pictures of a review queue: each shard draws its own images, so that all workers share the work."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import TypeVar

import polars as pl

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images.decoding import decode
from tenfold.trainer.images.preparing import prepare, reads_color
from tenfold.trainer.images.thumbnails import picture_of, thumbnail
from tenfold.worker.classification.reading.images import Problem, read_members
from tenfold.worker.classification.results import DOUBTFUL
from tenfold.worker.models.preparing import Preparation
from tenfold.worker.settings import Settings
from tenfold.worker.sources import Source

# Pixels: the width of a phone.
SIDE = 320

# A shard draws this multiple of its share of pictures, since images to review are spread unevenly; the merge draws the
# missing ones, on one worker.
OVERDRAWN = 2

# Row, thumbnail of the original, and model input, as image files.
Picture = tuple[int, bytes, bytes]

T = TypeVar("T")


def least_certain(rows: pl.DataFrame, share: float, most: int) -> Sequence[int]:
    """The row numbers, ascending, of a shard's images that may be among the `most` least certain of all.

    Args:
        rows: the shard's, those of `results.ROWS`.
        share: of the shard in all images, in 0–1.
    """
    doubtful = rows.filter(DOUBTFUL).sort("confidence").head(ceil(OVERDRAWN * share * most))
    return doubtful["row"].sort().to_list()


def draw(
    source: Source,
    rows: Sequence[int],
    positions: "array[int]",
    inputs: Sequence[Bytes],
    settings: Settings,
    check: Callable[[], None],
) -> Iterator[Picture]:
    """Pictures of these images; an image that can no longer be read is left out.

    Args:
        positions: of the images in the source.
        inputs: of the model, of its shape, uint8.
        check: called now and then; may raise to stop.
    """
    for row, pixels, original in zip(rows, inputs, _drawn(source, positions, _original, settings, check), strict=True):
        if not isinstance(original, Problem):
            yield row, original, picture_of(pixels)


def draw_from_source(
    source: Source,
    rows: Sequence[int],
    positions: "array[int]",
    preparation: Preparation,
    settings: Settings,
    check: Callable[[], None],
) -> Iterator[Picture]:
    """Like `draw`, and prepares the model inputs too."""

    def both(data: bytes) -> tuple[bytes, bytes]:
        picture = decode(data, color=reads_color(preparation.input))
        seen = prepare(picture, preparation.input, preparation.polarity).pixels
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
