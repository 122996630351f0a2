"""Reads an .npz of NumPy arrays, which is a zip of .npy files; never one with pickled objects, which can run code."""

import math
import zipfile

from numpy.lib import format as npy

from trainer.errors import DatasetInvalid
from trainer.importing.arrays import to_part
from trainer.importing.found import Array, Check, Found, Part
from trainer.importing.limits import MAX_ARRAY_BYTES, MAX_LABEL_BYTES, refuse_too_large
from trainer.importing.refusals import refuse_damage
from trainer.importing.zips import Members

LAYOUTS = ([("x_train", "y_train"), ("x_test", "y_test")], [("images", "labels")])


def read_npz(archive: zipfile.ZipFile, members: Members, check: Check) -> Found:
    """The data set in the arrays of the first of the layouts that is there in whole.

    Raises:
        DatasetInvalid: no layout is, or an array is damaged, too large, or not what it should be.
    """
    arrays = {path.stem: member for path, member in members.items() if path.suffix == ".npy"}
    pairs = next((layout for layout in LAYOUTS if set().union(*layout) <= arrays.keys()), None)
    if pairs is None:
        raise DatasetInvalid(
            f"The npz holds the arrays {', '.join(sorted(arrays)[:20])}; "
            "expected x_train, y_train, x_test and y_test, or images and labels."
        )

    def read_pair(names: tuple[str, str]) -> Part:
        check()
        images, labels = (
            _read_npy(archive, arrays[name], name, most_bytes)
            for name, most_bytes in zip(names, (MAX_ARRAY_BYTES, MAX_LABEL_BYTES), strict=True)
        )
        return to_part(images, labels, names=names, check=check)

    return Found(*map(read_pair, pairs))


def _read_npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, what: str, most_bytes: int) -> Array:
    """The array in a member; its header is checked before any memory is taken."""
    with refuse_damage(what), archive.open(member) as file:
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
        refuse_too_large(shape, size, most_bytes, what)
        if member.file_size < size:
            raise DatasetInvalid(f"{what} should hold {size:,} bytes of shape {shape}, but the file is shorter.")
    with refuse_damage(what), archive.open(member) as file:
        array: Array = npy.read_array(file, allow_pickle=False)
        return array
