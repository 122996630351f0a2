"""Reads an .npz of NumPy arrays, which is a zip of .npy files; never one with pickled objects, which can run code."""

import math
from pathlib import PurePosixPath

from numpy.lib import format as npy

from trainer.errors import DatasetInvalid
from trainer.importing import limits
from trainer.importing.archives import Archive
from trainer.importing.arrays import find_pairs, read_pairs
from trainer.importing.found import Array, Check, Found
from trainer.importing.refusals import refuse_damage


def read_npz(archive: Archive, check: Check) -> Found:
    """The data set in the arrays, which are told by their names.

    Raises:
        DatasetInvalid: the names don't tell, or an array is damaged, too large, or not what it should be.
    """
    arrays = {path.stem: path for path in archive.members if path.suffix == ".npy"}

    def read(name: str, is_labels: bool) -> Array:
        most_bytes = limits.MAX_LABEL_BYTES if is_labels else limits.MAX_ARRAY_BYTES
        return _read_npy(archive, arrays[name], name, most_bytes)

    return read_pairs(find_pairs(arrays, "The npz"), read, check)


def _read_npy(archive: Archive, path: PurePosixPath, what: str, most_bytes: int) -> Array:
    """The array in a member; its header is checked before any memory is taken."""
    with refuse_damage(what), archive.open(path) as file:
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
        limits.refuse_too_large(shape, size, most_bytes, what)
        if archive.members[path].size < size:
            raise DatasetInvalid(f"{what} should hold {size:,} bytes of shape {shape}, but the file is shorter.")
    with refuse_damage(what), archive.open(path) as file:
        array: Array = npy.read_array(file, allow_pickle=False)
        return array
