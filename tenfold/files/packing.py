"""Packs loose images into a stored zip as they arrive, so that from there on they are like any other zip."""

import shutil
import zipfile
from collections.abc import Callable
from typing import IO, cast

from tenfold.files.kinds import START_BYTES, kind_of_file
from tenfold.files.names import IMAGE_SUFFIXES, IMAGES, kind_of, leads_outside, split_name

COPY_BYTES = 2**20

# Characters; a zip cannot keep a name of more than 65,535 bytes.
MAX_NAME = 1000


def is_image(start: bytes) -> bool:
    """Whether a file that begins so (`START_BYTES`) is an image, be it of a kind that is not read here."""
    kind = kind_of_file(start)
    return kind is not None and kind.group == "image"


def name_in_zip(name: str, start: bytes) -> str:
    """The name of a loose file in the zip: without a way out of it, and that of an image where the content is one.

    Args:
        start: how the content begins.
    """
    if leads_outside(name):
        name = split_name(name)[1]
    if not is_image(start) or kind_of(name) in IMAGES:
        return name
    kind = kind_of_file(start)
    suffix = f".{kind.name.split()[0].lower()}" if kind else ""
    return split_name(name)[1].lstrip(".") + (suffix if suffix in IMAGE_SUFFIXES else ".png")


class Pack:
    """A stored zip that is written from its beginning to its end. The same files in the same order give the same bytes.

    Args:
        write: takes each piece of the zip.
    """

    def __init__(self, write: Callable[[bytes], int]) -> None:
        self._zip = zipfile.ZipFile(cast(IO[bytes], _Sink(write)), "w", zipfile.ZIP_STORED)

    def add(self, name: str, file: IO[bytes], size: int) -> None:
        """Add a file of `size` bytes, under a name by which it is met as what its content is."""
        start = file.read(START_BYTES)
        member = zipfile.ZipInfo(name_in_zip(name, start)[-MAX_NAME:])
        member.file_size = size
        with self._zip.open(member, "w") as packed:
            packed.write(start)
            shutil.copyfileobj(file, packed, COPY_BYTES)

    def close(self) -> None:
        """Write the zip's directory."""
        self._zip.close()


class _Sink:
    """A file that can only be written: `zipfile` then never goes back."""

    def __init__(self, write: Callable[[bytes], int]) -> None:
        self.write = write

    def flush(self) -> None: ...
