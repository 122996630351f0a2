"""The most that an uploaded file may hold: it comes from anyone, and is unpacked into memory."""

from collections.abc import Sequence

from trainer.errors import DatasetInvalid

MAX_IMAGES = 1_000_000
MAX_IMAGE_BYTES = 64 * 2**20
MAX_ARRAY_BYTES = 2 * 2**30
MAX_LABEL_BYTES = 256 * 2**20

# Files of any kind in a tar, and the most that a zip may say of its members: `zipfile` reads it all at once, and makes
# ten times as much of it. A million images with names of 80 letters take this much.
MAX_FILES = 2_000_000
MAX_DIRECTORY_BYTES = 128 * 2**20

# What a compressed tar or a 7-Zip archive may unpack to, on disk: the larger of the two. Images hardly compress.
MAX_UNPACKED_BYTES = 4 * 2**30
MAX_UNPACKED_RATIO = 4


def refuse_too_many(images: int) -> None:
    """Raises DatasetInvalid where there are more images than `MAX_IMAGES`."""
    if images > MAX_IMAGES:
        raise DatasetInvalid(f"There are more than {MAX_IMAGES:,} images, which is the most. Upload fewer.")


def refuse_too_large(shape: Sequence[int], size: int, most_bytes: int, what: str) -> None:
    """Raises DatasetInvalid where an array of this shape, `size` bytes of memory, has too many rows or bytes."""
    refuse_too_many(shape[0])
    if size > most_bytes:
        raise DatasetInvalid(
            f"{what} of shape {tuple(shape)} takes {size / 2**20:,.0f} MiB; the most is {most_bytes // 2**20:,} MiB. "
            "Store fewer or smaller images, pixels as unsigned bytes."
        )
