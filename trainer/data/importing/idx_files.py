"""Reads IDX files, gzipped or not, as MNIST, EMNIST, QMNIST and Fashion-MNIST are published."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from tenfold.trainer.data.files import FILES
from tenfold.trainer.data.importing.archives import Archive, unzipped
from tenfold.trainer.data.importing.arrays import to_part
from tenfold.trainer.data.importing.found import Array, Check, Found
from tenfold.trainer.data.importing.parts import put_together
from tenfold.trainer.data.importing.refusals import MAX_ARRAY_BYTES, refuse_damage, refuse_too_large
from tenfold.trainer.errors import DatasetInvalid
from tenfold.trainer.files.splits import WORD, Part, part_named

# The types of an IDX file, by their code (yann.lecun.com/exdb/mnist).
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
INTEGERS = 0x0C

ROLES = ("images", "labels")
WANTED = tuple((part, role) for part in (Part.TRAIN, Part.TEST) for role in ROLES)
CONTAINER_WORDS = frozenset(("idx", "ubyte", "int", "gz", *ROLES))

# EMNIST stores every image transposed (Cohen et al. 2017, and its README).
EMNIST = "emnist"
MAPPING_SUFFIX = "-mapping.txt"
MAX_MAPPING_BYTES = 2**16


class IdxFile(NamedTuple):
    """What an IDX file's name says: its data set, its part, and its role, `images` or `labels`."""

    dataset: str
    part: Part
    role: str


def read_idx_files(archive: Archive, check: Check) -> Found:
    """Read the data set of four IDX files; incomplete ones beside it are skipped.

    Raises:
        DatasetInvalid: there is none, or more than one, or a file is damaged, too large or invalid.
    """
    files = _choose(archive)
    is_emnist = EMNIST in archive.name(files[Part.TRAIN, "images"]).lower()
    arrays = {key: _read_idx(archive, files[key]) for key in WANTED}
    parts = []
    for part in (Part.TRAIN, Part.TEST):
        images, labels = (arrays[part, role] for role in ROLES)
        names = [archive.name(files[part, role]) for role in ROLES]
        parts.append((names[0], part, to_part(images, labels, names=names, check=check)))
    found = put_together(parts, is_transposed=is_emnist)
    return _named(found, _mapping(archive, files[Part.TRAIN, "images"], check))


def idx_file(path: PurePosixPath) -> IdxFile | None:
    """Parse a file's name: `emnist-digits-test-labels-idx1-ubyte.gz`, `train-images.idx3-ubyte`."""
    name = path.name.lower().removesuffix(".gz")
    words = [word.lower() for word in WORD.findall(name)]
    role = next((role for role in ROLES if role in words), None)
    part = part_named(name)
    if role is None or part is None or not {"idx", "ubyte"} & set(words):
        return None
    rest = [word for word in words if part_named(word) is None and word not in CONTAINER_WORDS]
    meant = Part.TRAIN if part.part is Part.TRAIN else Part.TEST
    # Kaggle puts each file into a folder of the same name.
    folder = path.parent.parent if part_named(path.parent.name) and idx_file(path.parent) else path.parent
    return IdxFile("-".join(filter(None, [str(folder).strip("."), *rest])), meant, role)


def _choose(archive: Archive) -> Mapping[tuple[Part, str], PurePosixPath]:
    datasets: dict[str, dict[tuple[Part, str], PurePosixPath]] = defaultdict(dict)
    for path in sorted(archive.members, key=lambda path: (path.suffix == ".gz", str(path))):
        if file := idx_file(path):
            datasets[file.dataset].setdefault((file.part, file.role), path)
    whole = {name: files for name, files in datasets.items() if len(files) == len(WANTED)}
    if len(whole) > 1:
        raise DatasetInvalid(
            f"The {archive.what} contains {len(whole)} data sets: {', '.join(sorted(whole)[:6])}. Pack the four "
            "files of one."
        )
    if not whole:
        files = max(datasets.values(), key=len)
        missing = [file for file, key in zip(FILES, WANTED, strict=True) if key not in files]
        raise DatasetInvalid(
            f"The {archive.what} lacks {', '.join(missing)}. Expected the four files {', '.join(FILES)}."
        )
    [(name, files)] = whole.items()
    for path in archive.members:
        file = idx_file(path)
        if file is not None and file.dataset != name:
            archive.skipped.add("IDX files of an incomplete data set", path)
    return files


def _read_idx(archive: Archive, path: PurePosixPath) -> Array:
    """Read an array; its header is validated before memory is allocated. Of labels in columns, the first is used."""
    what = archive.name(path)
    with refuse_damage(what), archive.open(path) as packed:
        file = unzipped(packed)
        start = file.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
            raise DatasetInvalid(f"{what} is not an IDX file; expected MNIST's format.")
        if start[3] not in (1, 3, 4) and start[2:4] != bytes([INTEGERS, 2]):
            raise DatasetInvalid(
                f"{what} has {start[3]} dimensions; expected 3 for images (4 for color) and 1 for labels."
            )
        shape = tuple(np.frombuffer(file.read(4 * start[3]), ">u4").tolist())
        if len(shape) != start[3]:
            raise DatasetInvalid(f"{what} is truncated within its header; pack it again from a complete file.")
        kind = np.dtype(TYPES[start[2]])
        size = math.prod(shape) * kind.itemsize
        refuse_too_large(shape, size, MAX_ARRAY_BYTES, what)
        data = file.read(size + 1)
    if len(data) != size:
        found = "more" if len(data) > size else f"{len(data) // kind.itemsize:,}"
        raise DatasetInvalid(f"{what} should have {math.prod(shape):,} values of shape {shape}, but has {found}.")
    values = np.frombuffer(data, kind).reshape(shape).astype(kind.newbyteorder("="), copy=False)
    if values.ndim == 2:  # QMNIST's labels: the class, then its writer and origin (Yadav and Bottou 2019)
        return values[:, 0] if shape[1] else values
    return values


def _mapping(archive: Archive, images: PurePosixPath, check: Check) -> Mapping[int, str]:
    """The names of EMNIST's labels, from the file that has a label and its ASCII code in each line."""
    stem = images.name.partition("-train-")[0]
    path = images.with_name(f"{stem}{MAPPING_SUFFIX}")
    if path not in archive.members:
        return {}
    check()
    with refuse_damage(archive.name(path)), archive.open(path) as file:
        rows = [line.split() for line in file.read(MAX_MAPPING_BYTES).decode("ascii").splitlines() if line.strip()]
        return {int(row[0]): chr(int(row[1])) for row in rows}


def _named(found: Found, names: Mapping[int, str]) -> Found:
    parts = [found.train, found.test]
    labels = {int(label) for part in parts if part is not None for label in np.unique(part.labels)}
    if not labels or not labels <= names.keys():
        return found
    train, test = (
        part and replace(part, labels=np.array([names[int(label)] for label in part.labels], np.str_)) for part in parts
    )
    assert train is not None
    return replace(
        found, train=train, test=test, notes=[*found.notes, "The class names are from EMNIST's mapping file."]
    )
