"""Reads and preprocesses the image files of an archive: labeled ones, and those in class folders."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from tenfold.files.kinds import START_BYTES, FileKind, may_have_pages
from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.importing import refusals
from tenfold.trainer.data.importing.archives import Archive
from tenfold.trainer.data.importing.found import Check, Found, Part
from tenfold.trainer.data.importing.labels import check_name
from tenfold.trainer.data.importing.preprocessing import SAMPLE, SAMPLE_SEED, Sample, Wanted, decide_for_folders
from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.files import splits
from tenfold.trainer.files.class_folders import Layout, find_layout
from tenfold.trainer.images import page_count, read_image, read_pages
from tenfold.trainer.images.preparing import prepare, reads_color
from tenfold.trainer.input_spec import InputSpec

# Files with these suffixes are treated as images; others are identified by their first bytes.
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})

# All images after preprocessing: they are held in memory.
PIXEL_BYTES = 2 * 2**30

# Photos take 0.1 s each.
CHECK_EVERY_FILES = 64

MAX_PATH_CHARACTERS = 200


@dataclass(frozen=True)
class Labeled:
    """An image file with its class, and whether it is a test image."""

    path: PurePosixPath
    label: str
    is_test: bool


def find_images(archive: Archive, check: Check) -> tuple[list[PurePosixPath], dict[PurePosixPath, FileKind | None]]:
    """The image files of an archive, of supported formats or not, and the types of all other files."""
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
    """Count files that are not images as skipped, by type."""
    for path, kind in others.items():
        if not archive.members[path].size:
            archive.skipped.add("empty files", path)
        elif kind is None:
            archive.skipped.add("files of unknown type", path)
        else:
            archive.skipped.add(f"files that are not images: {kind.name}", path)


def read_labeled(archive: Archive, labeled: Sequence[Labeled], check: Check, wanted: Wanted) -> Found:
    """Read and preprocess these images, with an image for each page; unreadable ones are skipped.

    Raises:
        DatasetInvalid: there are too many images, or a class name is invalid.
    """
    refusals.refuse_too_many(len(labeled))
    for index, label in enumerate({image.label for image in labeled}):
        if index % CHECK_EVERY_FILES == 0:
            check()
        check_name(label, "A class of images")
    labeled = sorted(labeled, key=lambda image: (image.label, str(image.path)))
    spec, notes = _decide(archive, labeled, check, wanted)
    refusals.refuse_too_large(
        (len(labeled), *spec.shape), len(labeled) * math.prod(spec.shape), PIXEL_BYTES, "The images"
    )
    parts: dict[bool, tuple[list[Bytes], list[str]]] = {False: ([], []), True: ([], [])}
    unreadable, with_pages, pages = [], 0, 0
    for index, image in enumerate(labeled):
        if index % CHECK_EVERY_FILES == 0:
            check()
        pixels, labels = parts[image.is_test]
        before = len(pixels)

        def keep(picture: Bytes, pixels: list[Bytes] = pixels) -> None:
            pixels.append(prepare(picture, spec).pixels)

        try:
            _read(archive, image.path, keep, check, color=reads_color(spec))
        except ImageUnreadable as error:
            unreadable.append(f"{str(image.path)[-MAX_PATH_CHARACTERS:]}: {error}")
        labels += [image.label] * (len(pixels) - before)
        if len(pixels) > before + 1:
            with_pages, pages = with_pages + 1, pages + len(pixels) - before
        refusals.refuse_too_many(len(parts[False][0]) + len(parts[True][0]))
    train, test = (
        Part(np.array(pixels, np.uint8).reshape(-1, *spec.shape), np.array(labels, np.str_))
        for pixels, labels in parts.values()
    )
    if with_pages:
        notes.append(
            f"Files with several pages or frames: {with_pages:,}; each of their {pages:,} pages became an image."
        )
    return Found(train, test, input=spec, unreadable=unreadable, notes=notes)


def _decide(archive: Archive, labeled: Sequence[Labeled], check: Check, wanted: Wanted) -> tuple[InputSpec, list[str]]:
    """Choose the input spec by a random sample of the images; returns notes on it too."""
    sample = Sample()
    chosen = np.random.default_rng(SAMPLE_SEED).permutation(len(labeled))[:SAMPLE]
    for index, position in enumerate(sorted(chosen)):
        if index % CHECK_EVERY_FILES == 0:
            check()
        image = labeled[position]
        with suppress(ImageUnreadable):
            _read(archive, image.path, partial(sample.add, label=image.label), check, color=wanted.channels != 1)
    return decide_for_folders(sample, wanted)


def _read(archive: Archive, path: PurePosixPath, keep: Callable[[Bytes], None], check: Check, *, color: bool) -> None:
    """Call `keep` with each readable page of a file, with its colors if `color`.

    Raises:
        ImageUnreadable: the file, or one of its pages, is unreadable.
    """
    data = _unpack(archive, path)
    if not may_have_pages(data[:START_BYTES]):
        keep(read_image(data, color=color))
        return
    failed = None
    for page, picture in enumerate(read_pages(data, range(page_count(data)), color=color), 1):
        if page % CHECK_EVERY_FILES == 0:
            check()
        if isinstance(picture, ImageUnreadable):
            failed = failed or ImageUnreadable(f"page {page} {picture}")
        else:
            keep(picture)
    if failed is not None:
        raise failed


def _unpack(archive: Archive, path: PurePosixPath) -> bytes:
    try:
        with archive.open(path) as file:
            data = file.read(refusals.MAX_IMAGE_BYTES + 1)
    except Exception as error:  # zipfile, zlib, bz2 and lzma each raise error types of their own
        raise ImageUnreadable(f"can't be unpacked: {error}") from error
    if len(data) > refusals.MAX_IMAGE_BYTES:
        raise ImageUnreadable(f"is larger than {refusals.MAX_IMAGE_BYTES // 2**20} MiB when unpacked")
    return data


def layout_of(images: Sequence[PurePosixPath]) -> Layout:
    """Which folders of these images are classes, and which are parts of a split."""
    return find_layout(Counter(str(path.parent) for path in images))


def read_folders(
    archive: Archive, images: Sequence[PurePosixPath], layout: Layout, check: Check, wanted: Wanted
) -> Found:
    """Read and preprocess the images of all class folders; others and unreadable ones are skipped.

    Raises:
        DatasetInvalid: there are too many images, or a folder's name is not a valid class name.
    """
    labeled = []
    for path in images:
        place = layout.places[str(path.parent)]
        if place.label:
            labeled.append(Labeled(path, place.label, place.part is splits.Part.TEST))
        else:
            archive.skipped.add(f"images {place.why}", path)
    found = read_labeled(archive, labeled, check, wanted)
    return replace(found, notes=[layout.split, layout.level, *found.notes], warnings=[*found.warnings, *layout.doubts])
