"""Reads image files of an archive, each perhaps of several pages, and prepares them for a data set."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from trainer.errors import ImageUnreadable
from trainer.file_kinds import START_BYTES, FileKind, may_have_pages
from trainer.idx import Bytes
from trainer.images import SIDE, normalise, page_count, read_image, read_pages
from trainer.importing import limits
from trainer.importing.archives import Archive
from trainer.importing.classes import check_name
from trainer.importing.found import Check, Found, Part
from trainer.importing.preprocessing import SAMPLE, SAMPLE_SEED, Sample, Wanted, decide_for_folders
from trainer.input_spec import InputSpec

# Files with these are taken for images without looking; what others are, their first bytes tell.
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})

# Image files may be photographs, a tenth of a second each.
CHECK_EVERY_FILES = 64

MOST_PATH_CHARACTERS = 200


@dataclass(frozen=True)
class Labeled:
    """An image file with its class, and whether it is for the test."""

    path: PurePosixPath
    label: str
    is_test: bool


def find_images(archive: Archive, check: Check) -> tuple[list[PurePosixPath], dict[PurePosixPath, FileKind | None]]:
    """The image files of an archive, and the kind of every other file. Unreadable kinds of images are among the first.

    Nothing is counted as skipped yet.
    """
    images, others = [], {}
    for index, path in enumerate(archive.members):
        if index % CHECK_EVERY_FILES == 0:
            check()
        if path.suffix.lower() in IMAGE_SUFFIXES:
            images.append(path)
            continue
        kind = archive.kind(path)
        if kind is not None and kind.group == "image":
            images.append(path)
        else:
            others[path] = kind
    return images, others


def skip_others(archive: Archive, others: dict[PurePosixPath, FileKind | None]) -> None:
    """Count what is no image, by its kind."""
    for path, kind in others.items():
        if not archive.members[path].size:
            archive.skipped.add("empty files", path)
        elif kind is None:
            archive.skipped.add("files of no known kind", path)
        else:
            archive.skipped.add(f"files that are no images: {kind.name}", path)


def read_labeled(archive: Archive, labeled: Sequence[Labeled], check: Check, preprocessing: Wanted) -> Found:
    """These images, prepared, a page each; those that cannot be read are left out.

    Raises:
        DatasetInvalid: there are too many, or a class cannot have that name.
    """
    limits.refuse_too_many(len(labeled))
    for index, label in enumerate({image.label for image in labeled}):
        if index % CHECK_EVERY_FILES == 0:
            check()
        check_name(label, "A class of images")
    labeled = sorted(labeled, key=lambda image: (image.label, str(image.path)))
    spec = _decide(archive, labeled, check, preprocessing)
    parts: dict[bool, tuple[list[Bytes], list[str]]] = {False: ([], []), True: ([], [])}
    unreadable, with_pages, pages = [], 0, 0
    for index, image in enumerate(labeled):
        if index % CHECK_EVERY_FILES == 0:
            check()
        pixels, labels = parts[image.is_test]
        before = len(pixels)

        def keep(gray: Bytes, pixels: list[Bytes] = pixels) -> None:
            pixels.append(normalise(gray, mode=spec.mode).pixels)

        try:
            _read(archive, image.path, keep, check)
        except ImageUnreadable as error:
            unreadable.append(f"{str(image.path)[-MOST_PATH_CHARACTERS:]}: {error}")
        labels += [image.label] * (len(pixels) - before)
        if len(pixels) > before + 1:
            with_pages, pages = with_pages + 1, pages + len(pixels) - before
        limits.refuse_too_many(len(parts[False][0]) + len(parts[True][0]))
    train, test = (
        Part(np.array(pixels, np.uint8).reshape(-1, SIDE, SIDE), np.array(labels, np.str_))
        for pixels, labels in parts.values()
    )
    told = (
        [f"Files of several pages or frames: {with_pages:,}; each of their {pages:,} pages became an image."]
        if with_pages
        else []
    )
    return Found(train, test, input=spec, unreadable=unreadable, told=told)


def _decide(archive: Archive, labeled: Sequence[Labeled], check: Check, preprocessing: Wanted) -> InputSpec:
    """How the pictures are to be prepared, by a sample of them that is drawn at random."""
    sample = Sample()
    size = SAMPLE if preprocessing == "auto" else 0
    chosen = np.random.default_rng(SAMPLE_SEED).permutation(len(labeled))[:size]
    for index, position in enumerate(sorted(chosen)):
        if index % CHECK_EVERY_FILES == 0:
            check()
        image = labeled[position]
        with suppress(ImageUnreadable):
            _read(archive, image.path, partial(sample.add, label=image.label), check)
    return decide_for_folders(sample, preprocessing)


def _read(archive: Archive, path: PurePosixPath, keep: Callable[[Bytes], None], check: Check) -> None:
    """Hand on the pages of a file, of which there is mostly one; those before an unreadable one are handed on too.

    Raises:
        ImageUnreadable: the file, or a page of it.
    """
    data = _unpack(archive, path)
    if not may_have_pages(data[:START_BYTES]):
        keep(read_image(data))
        return
    failed = None
    for page, gray in enumerate(read_pages(data, range(page_count(data))), 1):
        if page % CHECK_EVERY_FILES == 0:
            check()
        if isinstance(gray, ImageUnreadable):
            failed = failed or ImageUnreadable(f"page {page} {gray}")
        else:
            keep(gray)
    if failed is not None:
        raise failed


def _unpack(archive: Archive, path: PurePosixPath) -> bytes:
    try:
        with archive.open(path) as file:
            data = file.read(limits.MAX_IMAGE_BYTES + 1)
    except Exception as error:  # zipfile, zlib, bz2 and lzma each raise error types of their own
        raise ImageUnreadable(f"cannot be unpacked: {error}") from error
    if len(data) > limits.MAX_IMAGE_BYTES:
        raise ImageUnreadable(f"is larger than {limits.MAX_IMAGE_BYTES // 2**20} MiB when unpacked")
    return data
