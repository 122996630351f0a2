"""Reads a person's own data set from one uploaded file, whose kind its content tells, and checks it."""

import codecs
import csv
import gzip
import io
import json
import math
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, cast

import numpy as np
from numpy.lib import format as npy

from trainer.dataset_checks import (
    CHECK_EVERY,
    Array,
    Check,
    Report,
    check_classes,
    check_name,
    index_classes,
    mixed,
    parse_labels,
    report_on,
    split_classes,
    to_images,
    to_labels,
)
from trainer.dataset_files import ABOUT, FILES
from trainer.datasets import Dataset
from trainer.errors import DatasetInvalid, ImageUnreadable
from trainer.idx import UNSIGNED_BYTE, Bytes, write_idx
from trainer.images import SIDE, normalise, read_image

MAX_IMAGES = 1_000_000
MAX_IMAGE_BYTES = 64 * 2**20
MAX_ARRAY_BYTES = 2 * 2**30
MAX_LABEL_BYTES = 256 * 2**20
MAX_LINE_CHARACTERS = 2**18
MOST_MESSAGES = 20
MOST_PATH_CHARACTERS = 200

# Image files may be photographs, a tenth of a second each.
CHECK_EVERY_FILES = 64

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})

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


class LabelsMissing(DatasetInvalid):
    """A CSV has no label column."""


@dataclass(frozen=True)
class Imported:
    """A data set and what there is to say about it."""

    dataset: Dataset
    report: Report


@dataclass(frozen=True)
class Part:
    """Images (n, 28, 28) uint8 and their labels (n,), int64 or text."""

    images: Bytes
    labels: Array


@dataclass(frozen=True)
class Found:
    """What a file held. Without `test` the split is to be made."""

    train: Part
    test: Part | None = None
    from_arrays: bool = True
    unreadable: Sequence[str] = ()
    notes: Sequence[str] = ()


def import_dataset(
    path: Path, name: str, *, test_share: float = 1 / 6, seed: int = 1, check: Check = lambda: None
) -> Imported:
    """Read and check the data set in one file. The same file and seed give the same data set.

    Args:
        path: a zip of class folders, a zip of MNIST's four IDX files, an npz, a CSV, a gzipped CSV, or a zip of CSVs.
        name: what the data set is to be called.
        test_share: of each class, how much goes to test where the file gives no split.
        seed: of that split.
        check: called every few hundred images; may raise to stop.

    Raises:
        DatasetInvalid: it is none of these, is damaged, or nothing can be trained on it; says what to do.
    """
    found = _read(path, check)
    pooled = [part for part in (found.train, found.test) if part is not None and len(part.labels)]
    if not pooled:
        raise DatasetInvalid("The file holds no images that can be read." + _first_unreadable(found))
    if sum(len(part.labels) for part in pooled) > MAX_IMAGES:
        raise DatasetInvalid(f"There are more than {MAX_IMAGES:,} images, which is the most.")
    class_names, labels = index_classes([part.labels for part in pooled])
    check_classes(class_names, labels[0], labels[1] if len(labels) == 2 else None, _first_unreadable(found))
    random = np.random.default_rng(seed)
    if len(pooled) == 2:
        parts = [(part.images, indices) for part, indices in zip(pooled, labels, strict=True)]
    else:
        chosen = split_classes(labels[0], test_share, random)
        parts = [(pooled[0].images[where], labels[0][where]) for where in (~chosen, chosen)]
    train, test = (mixed(images, indices, random) for images, indices in parts)
    dataset = Dataset(name, *train, *test, class_names)
    report = report_on(
        dataset,
        unreadable=found.unreadable[:MOST_MESSAGES],
        unreadable_count=len(found.unreadable),
        from_arrays=found.from_arrays,
        notes=found.notes,
    )
    return Imported(dataset, report)


def save_dataset(imported: Imported, directory: Path) -> None:
    """Write the four IDX files and `about.json` into an existing, empty directory."""
    dataset = imported.dataset
    arrays = (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels)
    for file, values in zip(FILES, arrays, strict=True):
        write_idx(directory / file, values)
    about = {"name": dataset.name, "class_names": dataset.class_names, "report": imported.report.as_dict()}
    (directory / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _read(path: Path, check: Check) -> Found:
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if not start:
            raise DatasetInvalid(f"The file is empty (0 bytes). {KINDS}")
        if not start.startswith(b"PK"):
            return Found(_read_csv(file, "The file", check))
        with _reading("The zip"):
            archive = zipfile.ZipFile(file)
        with archive:
            return _read_zip(archive, check)


def _read_zip(archive: zipfile.ZipFile, check: Check) -> Found:
    with _reading("The zip"):
        members = {_member_path(member): member for member in archive.infolist() if not member.is_dir()}
    members = {path: member for path, member in members.items() if not _is_hidden(path)}
    if any(path.suffix == ".npy" for path in members):
        return _read_npz(archive, members, check)
    if any(_idx_name(path) for path in members):
        return _read_idx_files(archive, members, check)
    images = {path: member for path, member in members.items() if path.suffix.lower() in IMAGE_SUFFIXES}
    if any(_class_of(path) for path in images):
        return _read_folders(archive, images, check)
    if any(path.suffix.lower() == ".csv" for path in members):
        return _read_csvs(archive, members, check)
    if images:
        raise DatasetInvalid(
            f"The zip holds {len(images):,} images, but none in a class folder. Put each image into a folder named "
            "after its class: cats/1.png, or train/cats/1.png and test/cats/2.png."
        )
    shown = ", ".join(str(path) for path in list(members)[:3]) or "nothing"
    raise DatasetInvalid(f"The zip holds no data set that is known; found {shown}. {KINDS}")


def _read_folders(archive: zipfile.ZipFile, members: dict[PurePosixPath, zipfile.ZipInfo], check: Check) -> Found:
    _refuse_too_many(len(members))
    parts: dict[bool, tuple[list[Bytes], list[str]]] = {False: ([], []), True: ([], [])}
    unreadable, loose = [], 0
    for index, path in enumerate(sorted(members, key=lambda path: (_class_of(path), str(path)))):
        if index % CHECK_EVERY_FILES == 0:
            check()
        label = _class_of(path)
        if not label:
            loose += 1
            continue
        check_name(label, "A folder of images")
        images, labels = parts[path.parent.parent.name.lower() == "test"]
        try:
            grey = read_image(_unpack(archive, members[path]))
        except ImageUnreadable as error:
            unreadable.append(f"{str(path)[-MOST_PATH_CHARACTERS:]}: {error}")
            continue
        images.append(normalise(grey, mode="auto").pixels)
        labels.append(label)
    train, test = (
        Part(np.array(images, np.uint8).reshape(-1, SIDE, SIDE), np.array(labels, np.str_))
        for images, labels in parts.values()
    )
    notes = [f"Left out {loose:,} images that lie in no class folder."] if loose else []
    return Found(train, test, from_arrays=False, unreadable=unreadable, notes=notes)


def _read_idx_files(archive: zipfile.ZipFile, members: dict[PurePosixPath, zipfile.ZipInfo], check: Check) -> Found:
    folders: dict[PurePosixPath, dict[str, zipfile.ZipInfo]] = defaultdict(dict)
    for path, member in members.items():
        if file := _idx_name(path):
            folders[path.parent].setdefault(file, member)
    files = max(folders.values(), key=len)
    if missing := [file for file in FILES if file not in files]:
        raise DatasetInvalid(f"The zip lacks {', '.join(missing)}. Expected the four files {', '.join(FILES)}.")
    arrays = [_read_idx(archive, files[file]) for file in FILES]
    names = [files[file].filename for file in FILES]
    return Found(_part(arrays[:2], names[:2], check), _part(arrays[2:], names[2:], check))


def _read_idx(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Bytes:
    what = member.filename
    with _reading(what), archive.open(member) as packed:
        file = _unzipped(packed)
        start = file.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] != UNSIGNED_BYTE:
            raise DatasetInvalid(f"{what} is no IDX file of unsigned bytes; expected MNIST's layout.")
        if start[3] not in (1, 3):
            raise DatasetInvalid(f"{what} has {start[3]} dimensions; expected 3 for images and 1 for labels.")
        shape = tuple(np.frombuffer(file.read(4 * start[3]), ">u4").tolist())
        if len(shape) != start[3]:
            raise DatasetInvalid(f"{what} ends within its header; pack it again from a whole file.")
        size = math.prod(shape)
        _refuse_too_large(shape, size, MAX_ARRAY_BYTES, what)
        data = file.read(size + 1)
    if len(data) != size:
        found = "more" if len(data) > size else f"{len(data):,}"
        raise DatasetInvalid(f"{what} should hold {size:,} values of shape {shape}, but holds {found}.")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _read_npz(archive: zipfile.ZipFile, members: dict[PurePosixPath, zipfile.ZipInfo], check: Check) -> Found:
    arrays = {path.stem: member for path, member in members.items() if path.suffix == ".npy"}
    layouts = [[("x_train", "y_train"), ("x_test", "y_test")], [("images", "labels")]]
    pairs = next((layout for layout in layouts if set().union(*layout) <= arrays.keys()), None)
    if pairs is None:
        raise DatasetInvalid(
            f"The npz holds the arrays {', '.join(sorted(arrays)[:20])}; "
            "expected x_train, y_train, x_test and y_test, or images and labels."
        )
    parts = []
    for images, labels in pairs:
        check()
        pixels = _read_npy(archive, arrays[images], images, MAX_ARRAY_BYTES)
        parts.append(
            _part((pixels, _read_npy(archive, arrays[labels], labels, MAX_LABEL_BYTES)), (images, labels), check)
        )
    return Found(parts[0], parts[1] if len(parts) == 2 else None)


def _read_npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, what: str, most_bytes: int) -> Array:
    """The array in a member; its header is checked before any memory is taken."""
    with _reading(what), archive.open(member) as file:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise DatasetInvalid(f"{what} is stored in the .npy format {version}; expected plain numbers or text.")
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(file)
        if dtype.hasobject:
            raise DatasetInvalid(
                f"{what} holds pickled Python objects, which are not read, since they can run code. "
                "Store plain numbers or text: numpy.array(values.tolist())."
            )
        if not shape or min(shape) < 0:
            raise DatasetInvalid(f"{what} has shape {shape}; expected a row for each image.")
        size = math.prod(shape) * dtype.itemsize
        _refuse_too_large(shape, size, most_bytes, what)
        if member.file_size < size:
            raise DatasetInvalid(f"{what} should hold {size:,} bytes of shape {shape}, but the file is shorter.")
    with _reading(what), archive.open(member) as file:
        array: Array = npy.read_array(file, allow_pickle=False)
        return array


def _read_csvs(archive: zipfile.ZipFile, members: dict[PurePosixPath, zipfile.ZipInfo], check: Check) -> Found:
    paths = [path for path in members if path.suffix.lower() == ".csv"]
    train = [path for path in paths if path.stem.lower().endswith("train")]
    test = [path for path in paths if path.stem.lower().endswith("test")]
    if len(paths) == 1:
        train, test = paths, []
    if len(train) != 1 or len(test) > 1:
        raise DatasetInvalid(
            f"The zip holds {', '.join(map(str, paths[:5]))}; expected one train.csv, and one test.csv or none."
        )
    with _opened(archive, members[train[0]]) as file:
        found = Found(_read_csv(file, str(train[0]), check))
    for path in test:
        with _opened(archive, members[path]) as file:
            try:
                return replace(found, test=_read_csv(file, str(path), check))
            except LabelsMissing:
                note = f"Left out {path}, which has no label column; a part of the training images is the test instead."
                return replace(found, notes=[note])
    return found


def _read_csv(file: IO[bytes], what: str, check: Check) -> Part:
    rows = _csv_rows(file, what)
    _, header = next(rows, (0, []))
    columns = [column.strip().lower() for column in header]
    if columns.count("label") != 1:
        raise LabelsMissing(
            f"{what} was read as CSV, but {_shown(columns)} in its first line, which should name one column `label` "
            f"and {SIDE * SIDE} pixels. {KINDS}"
        )
    if len(columns) != SIDE * SIDE + 1:
        raise DatasetInvalid(
            f"{what} has {len(columns) - 1} columns beside `label`; expected {SIDE * SIDE}, the pixels of 28×28 images."
        )
    position = columns.index("label")
    labels: list[str] = []
    pixels: list[Array] = []
    for line, row in rows:
        if len(row) != len(columns):
            raise DatasetInvalid(f"{what}, line {line}: {len(row)} columns; the header has {len(columns)}.")
        label = row.pop(position).strip()
        check_name(label, f"The label in {what}, line {line},")
        labels.append(label)
        pixels.append(_csv_pixels(row, f"{what}, line {line}"))
        if len(labels) % CHECK_EVERY == 0:
            check()
            _refuse_too_many(len(labels))
    values = np.stack(pixels) if pixels else np.empty((0, SIDE * SIDE), np.uint8)
    return Part(to_images(values, what, check), parse_labels(labels, f"{what}, column label,"))


def _csv_pixels(cells: Sequence[str], where: str) -> Array:
    """Whole numbers 0–255 as uint8, the usual and fast case; any others as float32."""
    with suppress(ValueError, OverflowError):
        return np.frombuffer(bytes(map(int, cells)), np.uint8)
    for column, cell in enumerate(cells):
        try:
            usable = abs(float(cell)) < 1e30
        except ValueError:
            usable = False
        if not usable:
            raise DatasetInvalid(f"{where}: pixel {column} is {cell[:40]!r}; expected 0–255, or fractions 0–1.")
    return np.array(cells, np.float32)


def _csv_rows(file: IO[bytes], what: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with its line number.

    Raises:
        DatasetInvalid: the bytes are no text, or no CSV.
    """
    with _reading(what):
        stream = _unzipped(file)
        start = stream.peek(1024)[:1024]
    for known, kind in KNOWN_STARTS.items():
        if start.startswith(known):
            raise DatasetInvalid(f"{what} is {kind}. {KINDS}")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
        text = b"\0" not in start
    except UnicodeDecodeError:
        text = False
    if not text:
        raise DatasetInvalid(f"{what} is of no kind that is known: no zip, no npz, and no text in UTF-8. {KINDS}")
    reader = csv.reader(_lines(stream, what))
    while True:
        with _reading(what):
            row = next(reader, None)
        if row is None:
            return
        if row:
            yield reader.line_num, row


def _lines(stream: io.BufferedIOBase, what: str) -> Iterator[str]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")  # type: ignore[type-var]
    number = 0
    while line := text.readline(MAX_LINE_CHARACTERS):
        number += 1
        if len(line) == MAX_LINE_CHARACTERS:
            raise DatasetInvalid(f"{what}, line {number}: longer than {MAX_LINE_CHARACTERS:,} characters. {KINDS}")
        yield line


def _part(arrays: Sequence[Array], names: Sequence[str], check: Check) -> Part:
    if len(arrays[0]) != len(arrays[1]):
        raise DatasetInvalid(
            f"{names[0]} has {len(arrays[0]):,} images, but {names[1]} has {len(arrays[1]):,} labels; "
            "expected one label for each image."
        )
    return Part(to_images(arrays[0], names[0], check), to_labels(arrays[1], names[1]))


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(member) as file:
            data = file.read(MAX_IMAGE_BYTES + 1)
    except Exception as error:  # zipfile, zlib, bz2 and lzma each raise error types of their own
        raise ImageUnreadable(f"cannot be unpacked: {error}") from error
    if len(data) > MAX_IMAGE_BYTES:
        raise ImageUnreadable(f"is larger than {MAX_IMAGE_BYTES // 2**20} MiB when unpacked")
    return data


@contextmanager
def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    with _reading(member.filename):
        file = archive.open(member)
    with file:
        yield file


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except DatasetInvalid:
        raise
    except Exception as error:  # zipfile, zlib, csv and NumPy raise many kinds of errors on damaged files
        reason = str(error) or type(error).__name__
        raise DatasetInvalid(
            f"{what} is damaged and cannot be read ({reason}). Make it again, and upload that."
        ) from error


def _unzipped(file: IO[bytes]) -> "io.BufferedReader[io.RawIOBase] | gzip.GzipFile":
    stream = io.BufferedReader(cast(io.RawIOBase, file))
    return gzip.GzipFile(fileobj=stream) if stream.peek(2)[:2] == b"\x1f\x8b" else stream


def _member_path(member: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(member.filename.replace("\\", "/"))


def _is_hidden(path: PurePosixPath) -> bool:
    return path.name.startswith(".") or "__MACOSX" in path.parts


def _idx_name(path: PurePosixPath) -> str | None:
    """Which of the four files this is: `train-images.idx3-ubyte.gz` is `train-images-idx3-ubyte`."""
    name = path.name.lower().removesuffix(".gz").replace(".idx", "-idx")
    return name if name in FILES else None


def _class_of(path: PurePosixPath) -> str:
    """The name of the folder that the image lies in; empty where that is no class folder."""
    folder = path.parent.name
    return "" if folder.lower() in ("train", "test") else folder


def _refuse_too_many(images: int) -> None:
    if images > MAX_IMAGES:
        raise DatasetInvalid(f"There are more than {MAX_IMAGES:,} images, which is the most. Upload fewer.")


def _refuse_too_large(shape: Sequence[int], size: int, most_bytes: int, what: str) -> None:
    _refuse_too_many(shape[0])
    if size > most_bytes:
        raise DatasetInvalid(
            f"{what} of shape {tuple(shape)} takes {size / 2**20:,.0f} MiB; the most is {most_bytes // 2**20:,} MiB. "
            "Store fewer or smaller images, pixels as unsigned bytes."
        )


def _first_unreadable(found: Found) -> str:
    if not found.unreadable:
        return ""
    return f" {len(found.unreadable):,} images could not be read; the first: {found.unreadable[0]}"


def _shown(columns: Sequence[str]) -> str:
    return f"found {', '.join(column[:20] for column in columns[:4])[:80]!r}…" if columns else "found nothing"
