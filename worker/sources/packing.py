"""Packs loose images into a stored zip as they arrive, so that from there on they are like any other zip."""

import shutil
import zipfile
from collections.abc import Callable
from typing import IO, cast

from worker.sources.names import Kind, kind_of

COPY_BYTES = 2**20

# How image files begin, and the suffix for one whose name has none.
SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}
SIGNATURE_BYTES = 12

# Characters; a zip cannot keep a name of more than 65,535 bytes.
LONGEST_NAME = 1000


def image_suffix(start: bytes) -> str | None:
    """The suffix of the kind of image that a file is which starts so, or None."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return ".webp"
    return next((suffix for signature, suffix in SIGNATURES.items() if start.startswith(signature)), None)


class Pack:
    """A stored zip that is written from its beginning to its end. The same files in the same order give the same bytes.

    Args:
        write: takes each piece of the zip.
    """

    def __init__(self, write: Callable[[bytes], int]) -> None:
        self._zip = zipfile.ZipFile(cast(IO[bytes], _Sink(write)), "w", zipfile.ZIP_STORED)

    def add(self, name: str, file: IO[bytes], size: int) -> None:
        """Add a file of `size` bytes. An image whose name has no image's suffix gets the one that its content tells."""
        start = file.read(SIGNATURE_BYTES)
        suffix = image_suffix(start)
        if suffix is not None and kind_of(name) in (Kind.OTHER, Kind.ARCHIVE):
            name += suffix
        member = zipfile.ZipInfo(name[-LONGEST_NAME:])
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
