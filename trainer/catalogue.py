"""Which data sets there are, and what each one is like, told from `about.json` and the headers of the IDX files.

Cheap, and without NumPy. `datasets.py` reads the images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.dataset_files import (
    FILES,
    NAME,
    PREVIEW,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    count_labels,
    count_values,
    read_about,
)
from trainer.errors import DatasetInvalid, DatasetMissing, InputUnsupported
from trainer.input_spec import InputSpec
from trainer.known import KNOWN, KnownDataset


@dataclass(frozen=True)
class DatasetEntry:
    """One data set as the catalogue tells it.

    `known` ones come with Tenfold. `ready` is whether all files are on the volume; a known one that is not is fetched
    when it is first trained on. `input` is how a picture becomes one of its images, None where the data set doesn't
    say. `report` is that of the import, empty where there was none.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    train: int
    test: int
    known: bool
    ready: bool
    has_preview: bool
    warnings: tuple[str, ...]
    report: dict[str, Any]
    input: InputSpec | None

    @property
    def usable(self) -> bool:
        """Whether it can be trained on."""
        return self.known or self.ready


def list_entries(root: Path) -> Sequence[DatasetEntry]:
    """All data sets in the folder `root`: the known ones first, whether they are there or not."""
    found = [path.name for path in root.iterdir() if NAME.fullmatch(path.name) and path.is_dir()]
    return [read_entry(name, root) for name in [*KNOWN, *sorted(set(found) - KNOWN.keys())]]


def read_entry(name: str, root: Path) -> DatasetEntry:
    """The data set `root/name`. A damaged one is not ready, and its warning says why.

    Raises:
        DatasetMissing: there is none of this name.
    """
    directory = root / name
    known = KNOWN.get(name)
    if known is None and not (NAME.fullmatch(name) and directory.is_dir()):
        there_are = ", ".join(entry.name for entry in list_entries(root))
        raise DatasetMissing(f"There is no data set {name[:64]!r}; there are: {there_are}. Others can be uploaded.")
    try:
        about = read_about(directory)
        if missing := [file for file in FILES if not (directory / file).is_file()]:
            raise DatasetInvalid(f"{directory} lacks {', '.join(missing)}. Remove the data set, and make it again.")
        train, test = (count_values(directory / file) for file in (TRAIN_IMAGES, TEST_IMAGES))
        recorded = InputSpec.read(about["input"]) if "input" in about else None
    except (DatasetInvalid, InputUnsupported) as error:
        return _not_ready(name, known, str(error))
    report = about.get("report") or {}
    return DatasetEntry(
        name=name,
        title=known.title if known else name,
        class_names=known.class_names if known else tuple(about["class_names"]),
        train=train,
        test=test,
        known=known is not None,
        ready=True,
        has_preview=(directory / PREVIEW).is_file(),
        warnings=tuple(report.get("warnings", ())),
        report=report,
        input=known.input if known else recorded,
    )


@dataclass(frozen=True)
class ClassCount:
    """How many images of a class there are in each part."""

    name: str
    train: int
    test: int


def count_classes(entry: DatasetEntry, root: Path) -> Sequence[ClassCount]:
    """The balance of a data set: its classes in their order. Empty while it is not ready.

    Told by the import's report where there was one, else by the labels, which takes a millisecond for MNIST.
    """
    if not entry.ready:
        return []
    if per_class := entry.report.get("per_class"):
        return [ClassCount(name, **per_class[name]) for name in entry.class_names]
    directory, classes = root / entry.name, len(entry.class_names)
    parts = (count_labels(directory / file, classes) for file in (TRAIN_LABELS, TEST_LABELS))
    return [ClassCount(*counts) for counts in zip(entry.class_names, *parts, strict=True)]


def _not_ready(name: str, known: KnownDataset | None, reason: str) -> DatasetEntry:
    """What is known of a data set whose files are damaged, or of a known one whose files are still to be fetched."""
    return DatasetEntry(
        name=name,
        title=known.title if known else name,
        class_names=known.class_names if known else (),
        train=known.train if known else 0,
        test=known.test if known else 0,
        known=known is not None,
        ready=False,
        has_preview=False,
        warnings=() if known else (reason,),
        report={},
        input=known.input if known else None,
    )
