"""Lists the data sets, built-in and imported, from `about.json` and the headers of the IDX files.

Fast, and without NumPy. `datasets.py` reads the images.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenfold.trainer.data.files import (
    DIGITS,
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
from tenfold.trainer.errors import DatasetInvalid, DatasetMissing, InputUnsupported
from tenfold.trainer.input_spec import InputSpec


@dataclass(frozen=True)
class BuiltinDataset:
    """A published data set of 60,000 training and 10,000 test images.

    `md5` has the checksums of the four uncompressed files. `input` says how an image is converted to its format.
    `content_sha256` is that of `Dataset`.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    md5: Mapping[str, str]
    content_sha256: str
    input: InputSpec
    train: int = 60_000
    test: int = 10_000


BUILTIN_DATASETS: Mapping[str, BuiltinDataset] = {
    builtin.name: builtin
    for builtin in (
        BuiltinDataset(
            name="mnist",
            title="MNIST, handwritten digits",
            class_names=DIGITS,
            md5={
                TRAIN_IMAGES: "6bbc9ace898e44ae57da46a324031adb",
                TRAIN_LABELS: "a25bea736e30d166cdddb491f175f624",
                TEST_IMAGES: "2646ac647ad5339dbf082846283269ea",
                TEST_LABELS: "27ae3e4e09519cfbb04c329615203637",
            },
            content_sha256="f2baaad01184f25d011bbdcc319c82d8a58c636bbd510c8cdb16107420a4a9b0",
            input=InputSpec("digit", reason="MNIST's images are in the format that the digit normalizer produces."),
        ),
        # Published with the MD5 of the compressed files, which depends on the compression: train-images
        # 8d4fb7e6c68d591d4c3dfef9ec88bf0d, train-labels 25c81989df183df01b3e8a0aad5dffbe, t10k-images
        # bef4ecab320f06d8554ea6380940ec79, t10k-labels bb300cfdad3c16e7a12a480ee83cd310. These are of their content.
        BuiltinDataset(
            name="fashion-mnist",
            title="Fashion-MNIST, Zalando's articles",
            class_names=(
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
            md5={
                TRAIN_IMAGES: "f4a8712d7a061bf5bd6d2ca38dc4d50a",
                TRAIN_LABELS: "9018921c3c673c538a1fc5bad174d6f9",
                TEST_IMAGES: "8181f5470baa50b63fa0f6fddb340f0a",
                TEST_LABELS: "15d484375f8d13e6eb1aabb0c3f46965",
            },
            content_sha256="899c694fa716ad2fa012679c4c723672c5d7fd3a65fcb2dc0fe48478e0771edf",
            input=InputSpec(
                "resize", reason="Fashion-MNIST's images are clothes, which the digit normalizer would change."
            ),
        ),
    )
}


@dataclass(frozen=True)
class DatasetEntry:
    """A data set in the catalog.

    `builtin` data sets come with Tenfold. `ready` is whether all files are on the volume; a built-in data set that is
    not ready is downloaded when it is first trained on. `input` says how an image is converted to its format, None if
    the data set doesn't record it. `content_sha256` is that of `Dataset`; None where an earlier version imported the
    data set and no job has read it since. `report` is that of the import, empty without one.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    train: int
    test: int
    builtin: bool
    ready: bool
    has_preview: bool
    warnings: tuple[str, ...]
    report: dict[str, Any]
    input: InputSpec | None
    content_sha256: str | None

    @property
    def usable(self) -> bool:
        """Whether it can be used for training."""
        return self.builtin or self.ready


def list_entries(root: Path) -> Sequence[DatasetEntry]:
    """All data sets in the folder `root`; the built-in ones come first, even if they are not downloaded."""
    found = [path.name for path in root.iterdir() if NAME.fullmatch(path.name) and path.is_dir()]
    return [read_entry(name, root) for name in [*BUILTIN_DATASETS, *sorted(set(found) - BUILTIN_DATASETS.keys())]]


def read_entry(name: str, root: Path) -> DatasetEntry:
    """The data set `root/name`. A damaged one is not ready, and its warning says why.

    Raises:
        DatasetMissing: there is no data set of this name.
    """
    directory = root / name
    builtin = BUILTIN_DATASETS.get(name)
    if builtin is None and not (NAME.fullmatch(name) and directory.is_dir()):
        available = ", ".join(entry.name for entry in list_entries(root))
        raise DatasetMissing(f"There is no data set {name[:64]!r}. Available: {available}. You can upload others.")
    try:
        about = read_about(directory)
        if missing := [file for file in FILES if not (directory / file).is_file()]:
            raise DatasetInvalid(f"{directory} lacks {', '.join(missing)}. Delete the data set, and import it again.")
        train, test = (count_values(directory / file) for file in (TRAIN_IMAGES, TEST_IMAGES))
        recorded = InputSpec.read(about["input"]) if "input" in about else None
    except (DatasetInvalid, InputUnsupported) as error:
        return _not_ready(name, builtin, str(error))
    report = about.get("report") or {}
    return DatasetEntry(
        name=name,
        title=builtin.title if builtin else name,
        class_names=builtin.class_names if builtin else tuple(about["class_names"]),
        train=train,
        test=test,
        builtin=builtin is not None,
        ready=True,
        has_preview=(directory / PREVIEW).is_file(),
        warnings=tuple(report.get("warnings", ())),
        report=report,
        input=builtin.input if builtin else recorded,
        content_sha256=builtin.content_sha256 if builtin else about.get("content_sha256"),
    )


@dataclass(frozen=True)
class ClassCount:
    """The number of training and test images of a class."""

    name: str
    train: int
    test: int


def count_classes(entry: DatasetEntry, root: Path) -> Sequence[ClassCount]:
    """The images of each class, in the classes' order; empty if the data set isn't ready.

    From the import's report if there is one, else from the labels, which takes a millisecond for MNIST.
    """
    if not entry.ready:
        return []
    if per_class := entry.report.get("per_class"):
        return [ClassCount(name, **per_class[name]) for name in entry.class_names]
    directory, classes = root / entry.name, len(entry.class_names)
    parts = (count_labels(directory / file, classes) for file in (TRAIN_LABELS, TEST_LABELS))
    return [ClassCount(*counts) for counts in zip(entry.class_names, *parts, strict=True)]


def _not_ready(name: str, builtin: BuiltinDataset | None, reason: str) -> DatasetEntry:
    """The entry of a damaged data set, or of a built-in one that is not downloaded."""
    return DatasetEntry(
        name=name,
        title=builtin.title if builtin else name,
        class_names=builtin.class_names if builtin else (),
        train=builtin.train if builtin else 0,
        test=builtin.test if builtin else 0,
        builtin=builtin is not None,
        ready=False,
        has_preview=False,
        warnings=() if builtin else (reason,),
        report={},
        input=builtin.input if builtin else None,
        content_sha256=builtin.content_sha256 if builtin else None,
    )
