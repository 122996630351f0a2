"""Reads an HDF5 file of arrays, as h5py and scikit-learn's users store them; none that leads to other files."""

import math
from pathlib import Path
from typing import Any

from trainer.errors import DatasetInvalid
from trainer.importing import limits
from trainer.importing.arrays import find_pairs, read_pairs
from trainer.importing.found import Array, Check, Found
from trainer.importing.refusals import refuse_damage

MAX_DATASETS = 1000


def read_hdf5(path: Path, check: Check) -> Found:
    """The data set in the arrays, which are told by their names and those of their groups: `train/data`, `x_test`.

    Raises:
        DatasetInvalid: the names don't tell, the file is damaged, or an array is too large or not what it should be.
    """
    import h5py

    what = "The HDF5 file"
    datasets: dict[str, Any] = {}

    def meet(name: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset) and len(datasets) < MAX_DATASETS:
            datasets[name] = found

    with refuse_damage(what):
        file = h5py.File(path, "r")
    with file:
        with refuse_damage(what):
            file.visititems(meet)  # follows no link to another file
        return read_pairs(
            find_pairs(datasets, what), lambda name, is_labels: _read(datasets[name], name, is_labels), check
        )


def _read(dataset: Any, what: str, is_labels: bool) -> Array:
    import h5py

    with refuse_damage(what):
        if dataset.external or dataset.is_virtual:
            raise DatasetInvalid(f"{what} lies in another file, which is not read. Store it in this one.")
        if not dataset.shape:
            raise DatasetInvalid(f"{what} has shape {dataset.shape}; expected a row for each image.")
        most_bytes = limits.MAX_LABEL_BYTES if is_labels else limits.MAX_ARRAY_BYTES
        limits.refuse_too_large(dataset.shape, math.prod(dataset.shape) * dataset.dtype.itemsize, most_bytes, what)
        if h5py.check_string_dtype(dataset.dtype) is not None:
            return dataset.asstr()[()].astype("U")  # type: ignore[no-any-return]
        if dataset.dtype.hasobject:
            raise DatasetInvalid(f"{what} holds {dataset.dtype}; expected plain numbers or text.")
        return dataset[()]  # type: ignore[no-any-return]
