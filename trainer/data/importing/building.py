"""Builds a data set from an uploaded file or from labeled images, and writes it to the volume."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes, Labels
from tenfold.trainer.data.datasets import Dataset, write_idx
from tenfold.trainer.data.files import ABOUT, FILES, written_about
from tenfold.trainer.data.importing import refusals
from tenfold.trainer.data.importing.found import Check, Found, Part
from tenfold.trainer.data.importing.kinds import read_upload
from tenfold.trainer.data.importing.labels import MIN_IMAGES, check_classes, index_classes
from tenfold.trainer.data.importing.preprocessing import Wanted, note_on, prepare_arrays
from tenfold.trainer.data.importing.report import Report, report_on
from tenfold.trainer.errors import DatasetInvalid
from tenfold.trainer.input_spec import InputSpec

LEFT_TO_THE_IMAGES = Wanted()


@dataclass(frozen=True)
class Imported:
    """A data set and the report of its import."""

    dataset: Dataset
    report: Report


def import_dataset(
    path: Path,
    name: str,
    *,
    test_share: float = 1 / 6,
    wanted: Wanted = LEFT_TO_THE_IMAGES,
    seed: int = 1,
    check: Check = lambda: None,
) -> Imported:
    """Read and validate the data set in a file. The same file and seed give the same data set.

    Args:
        path: a zip, tar or 7z of class folders, of images with a table of their labels, of MNIST's four IDX files or of
            CSVs; an npz, HDF5, Parquet or CSV file.
        name: the new data set's name.
        test_share: the share (0–1) of each class that becomes test images if the file has no split.
        wanted: preprocessing, size and color; the rest is decided by the rule in `importing.preprocessing`.
        seed: of the split.
        check: called every few hundred images; raises an exception to stop.

    Raises:
        DatasetInvalid: the format is not supported, the file is damaged, or it can't be used for training.
    """
    found = read_upload(path, check, wanted)
    parts = [part for part in (found.train, found.test) if part is not None and len(part.labels)]
    if not parts:
        raise DatasetInvalid("The file contains no readable images." + found.skipped_images)
    if sum(len(part.labels) for part in parts) > refusals.MAX_IMAGES:
        raise DatasetInvalid(f"There are more than {refusals.MAX_IMAGES:,} images, the maximum.")
    class_names, labels = index_classes([part.labels for part in parts])
    check_classes(class_names, labels, found.skipped_images)
    if (spec := found.input) is None:
        parts, spec, notes = prepare_arrays(parts, wanted, check)
        found = replace(found, notes=[*found.notes, *notes])
    arrays = split_and_shuffle([part.images for part in parts], labels, test_share, seed)
    dataset = Dataset(name, *arrays, class_names, spec)
    if len(parts) == 1:
        note = f"The file has no split: a random {test_share:.0%} of each class became the test images."
        found = replace(found, notes=[note, *found.notes])
    report = report_on(dataset, found, check)
    if warning := note_on(spec):
        report = replace(report, warnings=(*report.warnings, warning))
    return Imported(dataset, report)


def save_dataset(imported: Imported, directory: Path) -> None:
    """Write the four IDX files and `about.json` into an existing, empty directory."""
    dataset = imported.dataset
    arrays = (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels)
    for file, values in zip(FILES, arrays, strict=True):
        write_idx(directory / file, values)
    about = {
        "name": dataset.name,
        "class_names": dataset.class_names,
        "input": dataset.input.as_dict(),
        "content_sha256": dataset.content_sha256,
        "report": imported.report.as_dict(),
    }
    (directory / ABOUT).write_bytes(written_about(about))


SEED = 1
TEST_SHARE = 1 / 6


def extend_dataset(
    name: str,
    class_names: Sequence[str],
    images: Bytes,
    labels: Labels,
    spec: InputSpec,
    base: Dataset | None = None,
    *,
    warnings: Sequence[str] = (),
) -> Imported:
    """Build a data set from labeled images, alone or appended to the training images of `base`.

    Args:
        name: the new data set's name.
        images: (n, *spec.shape) uint8, as a model sees them.
        labels: (n,) indices into `class_names`.
        spec: how images were converted to these, and to those of `base`.
        base: a data set with the same classes. Without one, a sixth of each class becomes test images.
        warnings: sentences for the report.

    Raises:
        DatasetInvalid: there are no images; or, without `base`, too few or of one class only.
    """
    if not len(labels):
        reason = "No image has one of the classes, so there is nothing to build a data set from."
        raise DatasetInvalid(" ".join([reason, *warnings]))
    if base is not None:
        arrays = (
            np.concatenate([base.train_images, images]),
            np.concatenate([base.train_labels, labels]),
            base.test_images,
            base.test_labels,
        )
        count = f"{len(base.train_labels):,}"
        note = f"The {len(labels):,} corrected images were added to the {count} training images of {base.name}."
    else:
        _check_enough(labels)
        arrays = split_and_shuffle([images], [labels], TEST_SHARE, SEED)
        note = (
            f"All {len(labels):,} images had uncertain answers: a model trained on these alone learns no ordinary "
            "images."
        )
    dataset = Dataset(name, *arrays, tuple(class_names), spec)
    return Imported(dataset, report_on(dataset, Found(Part(images, labels), input=spec, warnings=[*warnings, note])))


def _check_enough(labels: Labels) -> None:
    counts = np.bincount(labels)
    if len(labels) < MIN_IMAGES or np.count_nonzero(counts) < 2 or counts.max() < 2:
        raise DatasetInvalid(
            f"{len(labels)} corrected images of {np.count_nonzero(counts)} classes are too few for a data set of their "
            f"own, which needs at least {MIN_IMAGES} images of two classes. Review more, or add them to an existing "
            "data set."
        )


def split_and_shuffle(
    images: Sequence[Bytes], labels: Sequence[Labels], test_share: float, seed: int
) -> tuple[Bytes, Labels, Bytes, Labels]:
    """Training images, their labels (n,), test images and theirs; the same seed gives the same split.

    Args:
        images: of both parts, or of one part to be split.
        labels: class indices, likewise.
        test_share: the share (0–1) of each class that becomes test images.
        seed: of the split and the shuffling.
    """
    random = np.random.default_rng(seed)
    if len(labels) == 1:
        chosen = _choose_test(labels[0], test_share, random)
        images = [images[0][where] for where in (~chosen, chosen)]
        labels = [labels[0][where] for where in (~chosen, chosen)]
    train, test = (_shuffled(*part, random) for part in zip(images, labels, strict=True))
    return *train, *test


def _choose_test(labels: Labels, test_share: float, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which images (n,) become test images: `test_share` of each class, but at least one image in each part."""
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = min(max(1, round(test_share * len(members))), len(members) - 1)
        chosen[random.permutation(members)[:count]] = True
    return chosen


def _shuffled(images: Bytes, labels: Labels, random: np.random.Generator) -> tuple[Bytes, Labels]:
    """Shuffle images and labels (n,) if they are sorted by class; else return them unchanged.

    Else a validation split taken by position would lack whole classes.
    """
    if np.count_nonzero(labels[1:] != labels[:-1]) >= len(np.unique(labels)):
        return images, labels
    order = random.permutation(len(labels))
    return images[order], labels[order]
