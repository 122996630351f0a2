"""Reads single images and labels from the files of a data set. Uses no NumPy, so that the web can use it too."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import BinaryIO, Literal

from tenfold.trainer.data.files import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, count_values, read_labels

Part = Literal["train", "test"]
PARTS: tuple[Part, ...] = ("train", "test")

_FILES = {"train": (TRAIN_IMAGES, TRAIN_LABELS), "test": (TEST_IMAGES, TEST_LABELS)}

# Images read at a time.
_READ = 4096

# Images that tell whether all are light on dark.
_JUDGED = 100

_WHITE = 255
_INVERTED = bytes(range(255, -1, -1))


def image_file(part: Part) -> str:
    return _FILES[part][0]


def label_file(part: Part) -> str:
    return _FILES[part][1]


@dataclass(frozen=True)
class StoredPart:
    """The training or test images of the data set in `directory`."""

    directory: Path
    part: Part

    @cached_property
    def count(self) -> int:
        """The number of images.

        Raises:
            DatasetInvalid: the file is damaged.
        """
        return count_values(self.directory / image_file(self.part))

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape of an image: (h, w), or (h, w, 3) for color."""
        with (self.directory / image_file(self.part)).open("rb") as file:
            dimensions = file.read(4)[3]
            return struct.unpack(f">{dimensions}I", file.read(4 * dimensions))[1:]

    @cached_property
    def _light_on_dark(self) -> bool:
        """Whether the first images are gray, and dark on average."""
        if len(self.shape) > 2:
            return False
        with self._opened(0) as file:
            pixels = file.read(prod(self.shape) * _JUDGED)
        return sum(pixels) < _WHITE / 2 * len(pixels)

    @cached_property
    def labels(self) -> Sequence[int]:
        """The class index of each image."""
        return read_labels(self.directory / label_file(self.part))

    def images(self) -> Iterator[bytes]:
        """The pixels of each image, row by row."""
        size = prod(self.shape)
        with self._opened(0) as file:
            while data := file.read(size * _READ):
                yield from (data[start : start + size] for start in range(0, len(data), size))

    def image(self, index: int) -> bytes:
        """The pixels of one image, row by row."""
        with self._opened(index) as file:
            return file.read(prod(self.shape))

    def png(self, index: int) -> bytes:
        """One image as a PNG file; gray ones that are light on dark are inverted."""
        height, width, *channels = self.shape
        pixels = self.image(index)
        row = width * (channels[0] if channels else 1)
        if self._light_on_dark:
            pixels = pixels.translate(_INVERTED)
        lines = b"".join(b"\0" + pixels[start : start + row] for start in range(0, len(pixels), row))
        header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels else 0, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)

    def _opened(self, index: int) -> BinaryIO:
        file = (self.directory / image_file(self.part)).open("rb")
        file.seek(4 + 4 * (1 + len(self.shape)) + index * prod(self.shape))
        return file


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
