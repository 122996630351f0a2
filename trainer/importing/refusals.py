"""Refuses files that are damaged or of no kind that is known."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager

from trainer.errors import DatasetInvalid

KINDS = (
    "Expected a zip of class folders (cats/1.png), a zip of MNIST's four IDX files, an .npz "
    "(x_train, y_train, x_test, y_test, or images, labels), or a .csv (label,pixel0,…,pixel783)."
)

KNOWN_STARTS = {
    b"\x93NUMPY": "one .npy array, without labels; store images and labels together with numpy.savez",
    b"\0\0\x08": "one IDX file; pack all four into a zip",
    b"\x89PNG": "one image; pack the images into a zip, a folder for each class",
    b"\xff\xd8\xff": "one image; pack the images into a zip, a folder for each class",
    b"7z\xbc\xaf": "a 7z archive; pack a zip instead",
    b"Rar!": "a rar archive; pack a zip instead",
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
    for known, kind in KNOWN_STARTS.items():
        if start.startswith(known):
            raise DatasetInvalid(f"{what} is {kind}. {KINDS}")
    if not _is_text(start):
        raise DatasetInvalid(f"{what} is of no kind that is known: no zip, no npz, and no text in UTF-8. {KINDS}")


def _is_text(start: bytes) -> bool:
    try:
        return "\0" not in codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
