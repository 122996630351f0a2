"""Reads a zip of image files, each in a folder named after its class, perhaps within `train` and `test`."""

import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePosixPath

import numpy as np

from trainer.errors import ImageUnreadable
from trainer.idx import Bytes
from trainer.images import SIDE, normalise, read_image
from trainer.importing import limits
from trainer.importing.classes import check_name
from trainer.importing.found import Check, Found, Part
from trainer.importing.preprocessing import SAMPLE, SAMPLE_SEED, Sample, Wanted, decide_for_folders
from trainer.importing.zips import Members
from trainer.input_spec import InputSpec

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})

# Image files may be photographs, a tenth of a second each.
CHECK_EVERY_FILES = 64

MOST_PATH_CHARACTERS = 200


def read_folders(archive: zipfile.ZipFile, images: Members, check: Check, preprocessing: Wanted) -> Found:
    """The images of all class folders, prepared; those that cannot be read are left out.

    Raises:
        DatasetInvalid: there are too many, or a folder's name cannot be the name of a class.
    """
    limits.refuse_too_many(len(images))
    parts: dict[bool, tuple[list[Bytes], list[str]]] = {False: ([], []), True: ([], [])}
    unreadable, loose = [], 0
    paths = sorted(images, key=lambda path: (class_of(path), str(path)))
    spec = _decide(archive, images, [path for path in paths if class_of(path)], check, preprocessing)
    for index, path in enumerate(paths):
        if index % CHECK_EVERY_FILES == 0:
            check()
        label = class_of(path)
        if not label:
            loose += 1
            continue
        check_name(label, "A folder of images")
        try:
            grey = read_image(_unpack(archive, images[path]))
        except ImageUnreadable as error:
            unreadable.append(f"{str(path)[-MOST_PATH_CHARACTERS:]}: {error}")
            continue
        pixels, labels = parts[path.parent.parent.name.lower() == "test"]
        pixels.append(normalise(grey, mode=spec.mode).pixels)
        labels.append(label)
    train, test = (
        Part(np.array(pixels, np.uint8).reshape(-1, SIDE, SIDE), np.array(labels, np.str_))
        for pixels, labels in parts.values()
    )
    notes = [f"Left out {loose:,} images that lie in no class folder."] if loose else []
    return Found(train, test, input=spec, unreadable=unreadable, notes=notes)


def _decide(
    archive: zipfile.ZipFile, images: Members, paths: Sequence[PurePosixPath], check: Check, preprocessing: Wanted
) -> InputSpec:
    """How the pictures are to be prepared, by a sample of them that is drawn at random."""
    sample = Sample()
    size = SAMPLE if preprocessing == "auto" else 0
    chosen = np.random.default_rng(SAMPLE_SEED).permutation(len(paths))[:size]
    for index, position in enumerate(sorted(chosen)):
        if index % CHECK_EVERY_FILES == 0:
            check()
        with suppress(ImageUnreadable):
            sample.add(read_image(_unpack(archive, images[paths[position]])), class_of(paths[position]))
    return decide_for_folders(sample, preprocessing)


def class_of(path: PurePosixPath) -> str:
    """The name of the folder that the image lies in; empty where that is no class folder."""
    folder = path.parent.name
    return "" if folder.lower() in ("train", "test") else folder


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(member) as file:
            data = file.read(limits.MAX_IMAGE_BYTES + 1)
    except Exception as error:  # zipfile, zlib, bz2 and lzma each raise error types of their own
        raise ImageUnreadable(f"cannot be unpacked: {error}") from error
    if len(data) > limits.MAX_IMAGE_BYTES:
        raise ImageUnreadable(f"is larger than {limits.MAX_IMAGE_BYTES // 2**20} MiB when unpacked")
    return data
