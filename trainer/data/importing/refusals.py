"""Refuses files that are damaged, too large or of an unsupported format."""

import codecs
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tenfold.files.kinds import ARROW, IDX, MATLAB, NPY, PDF, PICKLE, kind_of_file
from tenfold.trainer.errors import DatasetInvalid

KINDS = (
    "Expected a zip, tar or 7z of class folders (cats/1.png), of images with a table of their labels (train.csv), or "
    "of MNIST's four IDX files; an .npz or .h5 (x_train, y_train, x_test, y_test, or images, labels); a .parquet of "
    "images and labels; or a .csv (label,pixel0,…,pixel783)."
)

ONE_IMAGE = "one image; pack the images into a zip, a folder for each class"

# What to do about files that are not data sets.
REMEDIES = {
    NPY: "one .npy array, without labels; store images and labels together with numpy.savez",
    IDX: "one IDX file; pack all four into a zip",
    PICKLE: "a Python pickle, which can run programs and is never opened; save the arrays with numpy.savez",
    MATLAB: "a MATLAB file; save its arrays as .npz: d = scipy.io.loadmat(file), then "
    "numpy.savez('data.npz', images=…, labels=…), images as (n, height, width)",
    ARROW: "an Arrow or Feather file; save it as Parquet",
}


@contextmanager
def refuse_damage(what: str) -> Iterator[None]:
    """Convert any other error in the block to `DatasetInvalid`: `what` is damaged.

    Raises:
        DatasetInvalid: instead of any other error.
    """
    try:
        yield
    except DatasetInvalid:
        raise
    except Exception as error:  # zipfile, zlib, csv and NumPy raise many kinds of errors on damaged files
        reason = str(error) or type(error).__name__
        raise DatasetInvalid(
            f"{what} is damaged and can't be read ({reason}). Create it again, and upload that."
        ) from error


def refuse_unless_text(start: bytes, what: str) -> None:
    """Refuse a file whose first bytes are not UTF-8 text; the last character may be incomplete.

    Raises:
        DatasetInvalid: the file is not text; the message says what it is, if that is known.
    """
    kind = kind_of_file(start)
    if kind is not None and kind.group != "text":
        is_one_image = kind.group == "image" and kind is not PDF
        called = REMEDIES.get(kind) or (
            ONE_IMAGE if is_one_image else f"{kind.with_article}; {kind.remedy}".rstrip("; ")
        )
        raise DatasetInvalid(f"{what} is {called}. {KINDS}")
    if not _is_text(start):
        raise DatasetInvalid(f"{what} has an unsupported format: not a zip, not an npz, and not text in UTF-8. {KINDS}")


def _is_text(start: bytes) -> bool:
    try:
        return "\0" not in codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False


MAX_IMAGES = 1_000_000
MAX_IMAGE_BYTES = 64 * 2**20
MAX_ARRAY_BYTES = 2 * 2**30
MAX_LABEL_BYTES = 256 * 2**20

# Limits for the files in a tar, and for the size of a zip's directory: `zipfile` reads it completely, and needs ten
# times its size. A million images with names of 80 letters take this much.
MAX_FILES = 2_000_000
MAX_DIRECTORY_BYTES = 128 * 2**20

# The unpacked size of a compressed tar or a 7-Zip archive, on disk: the larger of the two. Images hardly compress.
MAX_UNPACKED_BYTES = 4 * 2**30
MAX_UNPACKED_RATIO = 4


def refuse_too_many(images: int) -> None:
    """Raise `DatasetInvalid` for more images than `MAX_IMAGES`."""
    if images > MAX_IMAGES:
        raise DatasetInvalid(f"There are more than {MAX_IMAGES:,} images, the maximum. Upload fewer.")


def refuse_too_large(shape: Sequence[int], size: int, max_bytes: int, what: str) -> None:
    """Raise `DatasetInvalid` for an array of this shape, of `size` bytes, with too many rows or bytes."""
    refuse_too_many(shape[0])
    if size > max_bytes:
        raise DatasetInvalid(
            f"{what} of shape {tuple(shape)} takes {size / 2**20:,.0f} MiB; the maximum is {max_bytes // 2**20:,} MiB. "
            "Store fewer or smaller images, pixels as unsigned bytes."
        )
