"""The index of a source on disk: where each image is found, so that a shard looks up its own images only."""

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from worker.sources.source import Members


def write_index(images: Members, file: BinaryIO) -> None:
    """Write where each image is found, for `read_index`: 8 bytes an image."""
    file.write(images.positions.tobytes())


def read_index(path: Path, start: int, stop: int) -> "array[int]":
    """Some of the positions that `write_index` wrote, for `Source.members`."""
    positions = array("Q")
    with path.open("rb") as file:
        file.seek(start * positions.itemsize)
        positions.frombytes(file.read((stop - start) * positions.itemsize))
    return positions


def read_places(path: Path, numbers: Sequence[int]) -> "array[int]":
    """The positions of the images with these numbers, from 0, of all that `write_index` wrote."""
    positions, size = array("Q"), array("Q").itemsize
    with path.open("rb") as file:
        for number in numbers:
            file.seek(number * size)
            positions.frombytes(file.read(size))
    return positions
