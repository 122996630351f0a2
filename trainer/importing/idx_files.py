"""Reads a zip of the four IDX files of MNIST's layout, each perhaps gzipped."""

import math
import zipfile
from collections import defaultdict
from pathlib import PurePosixPath

import numpy as np

from trainer.dataset_files import FILES
from trainer.errors import DatasetInvalid
from trainer.idx import UNSIGNED_BYTE, Bytes
from trainer.importing.arrays import to_part
from trainer.importing.found import Check, Found
from trainer.importing.limits import MAX_ARRAY_BYTES, refuse_too_large
from trainer.importing.refusals import refuse_damage
from trainer.importing.zips import Members, unzipped


def read_idx_files(archive: zipfile.ZipFile, members: Members, check: Check) -> Found:
    """The data set in that folder of the zip which has most of the four files.

    Raises:
        DatasetInvalid: not all four are there, or one is damaged, too large, or not what it should be.
    """
    folders: dict[PurePosixPath, dict[str, zipfile.ZipInfo]] = defaultdict(dict)
    for path, member in members.items():
        if file := idx_name(path):
            folders[path.parent].setdefault(file, member)
    files = max(folders.values(), key=len)
    if missing := [file for file in FILES if file not in files]:
        raise DatasetInvalid(f"The zip lacks {', '.join(missing)}. Expected the four files {', '.join(FILES)}.")
    arrays = [_read_idx(archive, files[file]) for file in FILES]
    names = [files[file].filename for file in FILES]
    train, test = (to_part(*arrays[at : at + 2], names=names[at : at + 2], check=check) for at in (0, 2))
    return Found(train, test)


def idx_name(path: PurePosixPath) -> str | None:
    """Which of the four files this is: `train-images.idx3-ubyte.gz` is `train-images-idx3-ubyte`."""
    name = path.name.lower().removesuffix(".gz").replace(".idx", "-idx")
    return name if name in FILES else None


def _read_idx(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Bytes:
    """The array in a member; its header is checked before any memory is taken."""
    what = member.filename
    with refuse_damage(what), archive.open(member) as packed:
        file = unzipped(packed)
        start = file.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] != UNSIGNED_BYTE:
            raise DatasetInvalid(f"{what} is no IDX file of unsigned bytes; expected MNIST's layout.")
        if start[3] not in (1, 3):
            raise DatasetInvalid(f"{what} has {start[3]} dimensions; expected 3 for images and 1 for labels.")
        shape = tuple(np.frombuffer(file.read(4 * start[3]), ">u4").tolist())
        if len(shape) != start[3]:
            raise DatasetInvalid(f"{what} ends within its header; pack it again from a whole file.")
        size = math.prod(shape)
        refuse_too_large(shape, size, MAX_ARRAY_BYTES, what)
        data = file.read(size + 1)
    if len(data) != size:
        found = "more" if len(data) > size else f"{len(data):,}"
        raise DatasetInvalid(f"{what} should hold {size:,} values of shape {shape}, but holds {found}.")
    return np.frombuffer(data, np.uint8).reshape(shape)
