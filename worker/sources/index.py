"""Stores on disk where a source has each image, so that a shard looks up its own only, and the listing, so that it is
made once."""

import json
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from tenfold.worker.sources.source import Listing, Members, Source


def write_index(images: Members, file: BinaryIO) -> None:
    """Write the position of each image, for `read_index`: 8 bytes per image."""
    file.write(images.positions.tobytes())


def read_index(path: Path, start: int, stop: int) -> "array[int]":
    """Some of the positions that `write_index` wrote, for `Source.members`."""
    positions = array("Q")
    with path.open("rb") as file:
        file.seek(start * positions.itemsize)
        positions.frombytes(file.read((stop - start) * positions.itemsize))
    return positions


def read_positions(path: Path, numbers: Sequence[int]) -> "array[int]":
    """The positions of the images with these numbers, from 0, of all that `write_index` wrote."""
    positions, size = array("Q"), array("Q").itemsize
    with path.open("rb") as file:
        for number in numbers:
            file.seek(number * size)
            positions.frombytes(file.read(size))
    return positions


def write_listing(listing: Listing, file: BinaryIO) -> None:
    """Write a listing for `read_listing`: a line of JSON, then what `write_index` writes."""
    about = {
        "images": len(listing.images),
        "skipped": dict(listing.skipped),
        "skipped_examples": dict(listing.skipped_examples),
        "folders": dict(listing.folders),
        "paged": listing.paged.tolist(),
        "manifest": listing.manifest.positions.tolist(),
        "unpacked_bytes": listing.unpacked_bytes,
    }
    file.write(json.dumps(about).encode() + b"\n")
    write_index(listing.images, file)


def read_listing(path: Path, source: Source) -> Listing:
    """The listing that `write_listing` wrote. One of version 0.1.0 lacks folders and contents, and is made again."""
    with path.open("rb") as file:
        about = json.loads(file.readline())
        if "paged" not in about:
            return source.listing
        positions = array("Q")
        positions.fromfile(file, about["images"])
    manifest = source.members(array("Q", about["manifest"]))
    return Listing(
        source.members(positions),
        about["skipped"],
        manifest,
        about["unpacked_bytes"],
        about["skipped_examples"],
        about["folders"],
        array("Q", about["paged"]),
    )
