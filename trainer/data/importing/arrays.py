"""Reads arrays of images and labels by their names, from .npz and HDF5 files."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from numpy.lib import format as npy

from tenfold.trainer.data.importing import refusals
from tenfold.trainer.data.importing.archives import Archive
from tenfold.trainer.data.importing.found import Array, Check, Found, Part
from tenfold.trainer.data.importing.labels import to_labels
from tenfold.trainer.data.importing.parts import put_together
from tenfold.trainer.data.importing.pixels import factor_of, to_images
from tenfold.trainer.data.importing.refusals import refuse_damage
from tenfold.trainer.errors import DatasetInvalid
from tenfold.trainer.files import splits

IMAGE_WORDS = frozenset(
    ("x", "image", "images", "img", "imgs", "data", "pixels", "features", "input", "inputs", "samples")
)
LABEL_WORDS = frozenset(("y", "label", "labels", "target", "targets", "class", "classes"))

EXPECTED = "expected x_train, y_train, x_test and y_test, or images and labels"


class Pair(NamedTuple):
    """The names of an array of images and its array of labels, and the part of the split that they belong to."""

    images: str
    labels: str
    part: splits.Part | None


def find_pairs(names: Collection[str], what: str) -> Sequence[Pair]:
    """Find pairs of images and labels by the arrays' names.

    `x_train` and `y_train`, `train_images` and `train_labels`, `train/data` and `train/target`, `X` and `y`.

    Raises:
        DatasetInvalid: there is no pair, one of a pair is missing, or the names are ambiguous.
    """
    found: dict[tuple[splits.Part | None, str], str] = {}
    for name in sorted(names):
        words = {word.lower() for word in splits.WORD.findall(name)}
        role = "labels" if words & LABEL_WORDS else "images" if words & IMAGE_WORDS else None
        if role is None or "names" in words:
            continue
        named = splits.part_named(name)
        key = (named.part if named else None, role)
        if key in found:
            raise DatasetInvalid(
                f"{what} contains both {found[key]} and {name}, so it isn't clear which are the {role}; {EXPECTED}."
            )
        found[key] = name
    parts = {part for part, _ in found}
    if not parts or any((part, role) not in found for part in parts for role in ("images", "labels")):
        raise DatasetInvalid(f"{what} contains the arrays {', '.join(sorted(names)[:20])}; {EXPECTED}.")
    order = (None, *splits.Part)
    return [Pair(found[part, "images"], found[part, "labels"], part) for part in order if part in parts]


def read_pairs(pairs: Sequence[Pair], read: Callable[[str, bool], Array], check: Check) -> Found:
    """Read the data set in these arrays.

    Args:
        read: returns an array by its name; its second argument is whether it has labels.

    Raises:
        DatasetInvalid: as by `to_part`, or the parts' images have different sizes.
    """
    parts, factors = [], {}
    for pair in pairs:
        check()
        images, labels = read(pair.images, False), read(pair.labels, True)
        parts.append((pair.images, pair.part, to_part(images, labels, names=pair[:2], check=check)))
        if len(images):
            factors[pair.images] = factor_of(images, pair.images)
    found = put_together(parts)
    return replace(found, warnings=[*found.warnings, *_ranges_note(factors)])


def _ranges_note(factors: Mapping[str, int]) -> Sequence[str]:
    if len(set(factors.values())) < 2:
        return ()
    named = [f"{name} has {'fractions 0–1' if factor > 1 else 'values 0–255'}" for name, factor in factors.items()]
    return [
        f"The parts have different value ranges: {', '.join(named)}. Each was scaled to 0–255 separately; if one was "
        "misjudged, the accuracy on the test images is meaningless."
    ]


def to_part(images: Array, labels: Array, *, names: Sequence[str], check: Check) -> Part:
    """Combine images and labels to a part; `names` are the two arrays' names.

    Raises:
        DatasetInvalid: their numbers differ, or either can't be converted.
    """
    if len(images) != len(labels):
        raise DatasetInvalid(
            f"{names[0]} has {len(images):,} images, but {names[1]} has {len(labels):,} labels; "
            "expected one label for each image."
        )
    return Part(to_images(images, names[0], check), to_labels(labels, names[1]))


def read_npz(archive: Archive, check: Check) -> Found:
    """Read an .npz, which is a zip of .npy files; never pickled objects, which can run code.

    Raises:
        DatasetInvalid: the names are ambiguous, or an array is damaged, too large or invalid.
    """
    arrays = {path.stem: path for path in archive.members if path.suffix == ".npy"}

    def read(name: str, is_labels: bool) -> Array:
        max_bytes = refusals.MAX_LABEL_BYTES if is_labels else refusals.MAX_ARRAY_BYTES
        return _read_npy(archive, arrays[name], name, max_bytes)

    return read_pairs(find_pairs(arrays, "The npz"), read, check)


def _read_npy(archive: Archive, path: PurePosixPath, what: str, max_bytes: int) -> Array:
    """Read an array; its header is validated before memory is allocated."""
    with refuse_damage(what), archive.open(path) as file:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise DatasetInvalid(
                f"{what} is stored in the .npy format {version}, which isn't supported; expected plain numbers or text."
            )
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(file)
        if dtype.hasobject:
            raise DatasetInvalid(
                f"{what} contains pickled Python objects, which are not read, since they can run code. "
                "Store plain numbers or text: numpy.array(values.tolist())."
            )
        if not shape or min(shape) < 0:
            raise DatasetInvalid(f"{what} has shape {shape}; expected a row for each image.")
        size = math.prod(shape) * dtype.itemsize
        refusals.refuse_too_large(shape, size, max_bytes, what)
        if archive.members[path].size < size:
            raise DatasetInvalid(f"{what} should have {size:,} bytes for shape {shape}, but the file is shorter.")
    with refuse_damage(what), archive.open(path) as file:
        array: Array = npy.read_array(file, allow_pickle=False)
        return array


MAX_DATASETS = 1000


def read_hdf5(path: Path, check: Check) -> Found:
    """Read an HDF5 file, by the names of its arrays and groups: `train/data`, `x_test`. Follows no external links.

    Raises:
        DatasetInvalid: the names are ambiguous, the file is damaged, or an array is too large or invalid.
    """
    import h5py

    what = "The HDF5 file"
    datasets: dict[str, Any] = {}

    def add(name: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset) and len(datasets) < MAX_DATASETS:
            datasets[name] = found

    with refuse_damage(what):
        file = h5py.File(path, "r")
    with file:
        with refuse_damage(what):
            file.visititems(add)  # follows no external links
        return read_pairs(
            find_pairs(datasets, what), lambda name, is_labels: _read(datasets[name], name, is_labels), check
        )


def _read(dataset: Any, what: str, is_labels: bool) -> Array:
    import h5py

    with refuse_damage(what):
        if dataset.external or dataset.is_virtual:
            raise DatasetInvalid(f"{what} is stored in another file, which is not read. Store it in this one.")
        if not dataset.shape:
            raise DatasetInvalid(f"{what} has shape {dataset.shape}; expected a row for each image.")
        max_bytes = refusals.MAX_LABEL_BYTES if is_labels else refusals.MAX_ARRAY_BYTES
        refusals.refuse_too_large(dataset.shape, math.prod(dataset.shape) * dataset.dtype.itemsize, max_bytes, what)
        if h5py.check_string_dtype(dataset.dtype) is not None:
            return dataset.asstr()[()].astype("U")  # type: ignore[no-any-return]
        if dataset.dtype.hasobject:
            raise DatasetInvalid(f"{what} is of type {dataset.dtype}; expected plain numbers or text.")
        return dataset[()]  # type: ignore[no-any-return]
