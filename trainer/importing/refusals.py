"""Refuses files that are damaged or of no kind that is known."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager

from trainer.errors import DatasetInvalid
from trainer.file_kinds import ARROW, IDX, MATLAB, NPY, PDF, PICKLE, kind_of_file

KINDS = (
    "Expected a zip, tar or 7z of class folders (cats/1.png), of images with a table of their labels (train.csv), or "
    "of MNIST's four IDX files; an .npz or .h5 (x_train, y_train, x_test, y_test, or images, labels); a .parquet of "
    "images and labels; or a .csv (label,pixel0,…,pixel783)."
)

ONE_IMAGE = "one image; pack the images into a zip, a folder for each class"

# What to do about files that are no data set by themselves.
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
    """Take every error in the block for damage of what is read there.

    Raises:
        DatasetInvalid: instead of that error; one raised in the block passes as it is.
    """
    try:
        yield
    except DatasetInvalid:
        raise
    except Exception as error:  # zipfile, zlib, csv and NumPy raise many kinds of errors on damaged files
        reason = str(error) or type(error).__name__
        raise DatasetInvalid(
            f"{what} is damaged and cannot be read ({reason}). Make it again, and upload that."
        ) from error


def refuse_unless_text(start: bytes, what: str) -> None:
    """Refuse a file whose first bytes are no text in UTF-8; the last character may be cut off.

    Raises:
        DatasetInvalid: says what the file is instead, where its first bytes tell.
    """
    kind = kind_of_file(start)
    if kind is not None and kind.group != "text":
        is_one_image = kind.group == "image" and kind is not PDF
        called = REMEDIES.get(kind) or (
            ONE_IMAGE if is_one_image else f"{kind.with_article}; {kind.remedy}".rstrip("; ")
        )
        raise DatasetInvalid(f"{what} is {called}. {KINDS}")
    if not _is_text(start):
        raise DatasetInvalid(f"{what} is of no kind that is known: no zip, no npz, and no text in UTF-8. {KINDS}")


def _is_text(start: bytes) -> bool:
    try:
        return "\0" not in codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
