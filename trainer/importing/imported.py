"""Makes a data set of one uploaded file, and writes it to the volume."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from trainer.dataset_files import ABOUT, FILES
from trainer.datasets import Dataset
from trainer.errors import DatasetInvalid
from trainer.idx import write_idx
from trainer.importing import limits
from trainer.importing.classes import check_classes, index_classes
from trainer.importing.found import Check
from trainer.importing.kinds import read_upload
from trainer.importing.preprocessing import Wanted, note_on, prepare_arrays
from trainer.importing.report import Report, report_on
from trainer.importing.split import split_and_mix


@dataclass(frozen=True)
class Imported:
    """A data set and what there is to say about it."""

    dataset: Dataset
    report: Report


def import_dataset(
    path: Path,
    name: str,
    *,
    test_share: float = 1 / 6,
    preprocessing: Wanted = "auto",
    seed: int = 1,
    check: Check = lambda: None,
) -> Imported:
    """Read and check the data set in one file. The same file and seed give the same data set.

    Args:
        path: a zip, tar or 7z of class folders, of images and a table of their labels, of MNIST's four IDX files or of
            CSVs; an npz, an HDF5 file, a Parquet file or a CSV.
        name: what the data set is to be called.
        test_share: of each class, how much goes to test where the file gives no split.
        preprocessing: how pictures become 28×28 pixels; `auto` decides by the rule of `importing.preprocessing`.
        seed: of that split.
        check: called every few hundred images; may raise to stop.

    Raises:
        DatasetInvalid: it is none of these, is damaged, or nothing can be trained on it; says what to do.
    """
    found = read_upload(path, check, preprocessing)
    parts = [part for part in (found.train, found.test) if part is not None and len(part.labels)]
    if not parts:
        raise DatasetInvalid("The file holds no images that can be read." + found.left_out)
    if sum(len(part.labels) for part in parts) > limits.MAX_IMAGES:
        raise DatasetInvalid(f"There are more than {limits.MAX_IMAGES:,} images, which is the most.")
    class_names, labels = index_classes([part.labels for part in parts])
    check_classes(class_names, labels, found.left_out)
    if (spec := found.input) is None:
        parts, spec = prepare_arrays(parts, preprocessing, check)
    arrays = split_and_mix([part.images for part in parts], labels, test_share, seed)
    dataset = Dataset(name, *arrays, class_names, spec)
    if len(parts) == 1:
        told = f"The file has no split: {test_share:.0%} of each class, drawn at random, became the test images."
        found = replace(found, told=[told, *found.told])
    report = report_on(dataset, found)
    if note := note_on(spec):
        report = replace(report, warnings=(*report.warnings, note))
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
        "report": imported.report.as_dict(),
    }
    (directory / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
