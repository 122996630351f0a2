"""What customers order: small trainings, a sweep and zips, each the same whenever it is ordered."""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.classifying.zips import write_digits, write_scans
from tenfold.trainer.data.datasets import Dataset, write_idx
from tenfold.trainer.data.files import FILES

DATASET = "chaos"
TRAIN_IMAGES, TEST_IMAGES = 2000, 500

# Members of the zips, and how many of them are no images, which is a row with an error each.
DIGITS, SCANS, DAMAGED = 2000, 800, 7


@dataclass(frozen=True)
class Work:
    """Something that can be ordered: the path of the API's call, and its JSON body or its file and query."""

    path: str
    body: dict[str, Any] = field(default_factory=dict)
    file: Path | None = None
    images: int = 0


def write_dataset(dataset: Dataset, datasets: Path) -> None:
    """Put a small part of MNIST onto the volume as a data set of its own."""
    directory = datasets / DATASET
    directory.mkdir(parents=True)
    arrays = (
        dataset.train_images[:TRAIN_IMAGES],
        dataset.train_labels[:TRAIN_IMAGES],
        dataset.test_images[:TEST_IMAGES],
        dataset.test_labels[:TEST_IMAGES],
    )
    for name, values in zip(FILES, arrays, strict=True):
        write_idx(directory / name, values)


def make_trainings() -> dict[str, Work]:
    """A training with dropout, one that is validated and may stop early, and a sweep."""
    net = {"recipe": "dropout-128", "dataset": DATASET, "filters": "4", "units": "16"}
    plain = net | {"epochs": 10, "seed": 1}
    validated = net | {"epochs": 8, "validation": "split", "early_stopping": 3, "seed": 2}
    # Neither what is tried nor how long depends on which trial ends first.
    sweep = plain | {
        "epochs": 3,
        "space": {"learning_rate": "log:0.0005..0.01"},
        "method": "random",
        "pruning": False,
        "trials": 2,
        "parallel": 2,
    }
    return {
        "training": Work("trainings", plain),
        "validated training": Work("trainings", validated),
        "sweep": Work("sweeps", sweep),
    }


def make_classifications(dataset: Dataset, model: str, directory: Path) -> dict[str, Work]:
    """A zip of digits in which some files are no images, and one of scans."""
    digits, scans = directory / "digits.zip", directory / "scans.zip"
    write_digits(dataset, DIGITS - DAMAGED, digits)
    _add_damaged(digits)
    write_scans(dataset, SCANS, scans)
    return {
        "digits": Work("classifications", {"model": model, "name": "digits.zip"}, digits, DIGITS),
        "scans": Work("classifications", {"model": model, "name": "scans.zip"}, scans, SCANS),
    }


def _add_damaged(archive: Path) -> None:
    with zipfile.ZipFile(archive, "a") as file:
        first = file.read(file.namelist()[0])
        for number in range(DAMAGED):
            file.writestr(zipfile.ZipInfo(f"damaged/{number}.png"), first[: 20 + 5 * number])
