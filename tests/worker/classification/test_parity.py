"""What a model is right on when it is tested, it is right on when the same images come as files: for each kind of data.

Every model here is trained for a moment, and classifies PNGs (or JPEGs) of its own test images by default settings.
"""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import Image

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.datasets.parameters import ImportParameters
from tenfold.worker.datasets.submission import submit_import
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobState
from tenfold.worker.process.runner import Runner
from tenfold.worker.services import Services
from tenfold.worker.training.submission import submit_training
from tests.uploads import idx_zip, npz, received, zipped

TRAIN, TEST = 1000, 400

# Points of accuracy between the test and the classification.
MAX_APART = 0.005

HEADER = ",".join(["label", *(f"pixel{index}" for index in range(784))])


def work_off(services: Services, job: Job) -> Job:
    runner = Runner(services, shutting_down=lambda: False)
    while in_line := services.jobs.queued_steps(job.id):
        runner.run(in_line[0])
    ended = services.jobs.get(job.id)
    assert ended.state is JobState.SUCCEEDED, ended.error
    return ended


def imported(services: Services, content: bytes, **options: Any) -> Job:
    parameters = ImportParameters(name="own", **options)
    return work_off(services, submit_import(services, parameters, received(services, content)))


def trained(services: Services, dataset: str, **changes: Any) -> Job:
    parameters = TrainingParameters(recipe="custom", units="32", dataset=dataset, **changes)
    return work_off(services, submit_training(services, parameters))


def classified(services: Services, files: Sequence[bytes], **options: Any) -> Job:
    content = zipped({f"{number:05d}.png": file for number, file in enumerate(files)})
    upload = received(services, content, "images.zip")
    return work_off(services, submit_classification(services, ClassificationParameters(**options), upload))


def rows_of(services: Services, job: Job) -> list[dict[str, Any]]:
    lines = (services.volume.job(job.id) / "results.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def accuracy(services: Services, job: Job, truths: Sequence[str]) -> float:
    rows = rows_of(services, job)
    return float(np.mean([row["prediction"] == truth for row, truth in zip(rows, truths, strict=True)]))


def csv_rows(images: Bytes, labels: Bytes) -> bytes:
    lines = [
        f"{label},{','.join(map(str, image.ravel().tolist()))}" for image, label in zip(images, labels, strict=True)
    ]
    return "\n".join([HEADER, *lines]).encode()


def arrays(kind: str, dataset: Dataset) -> bytes:
    if kind == "idx":
        return idx_zip(dataset)
    if kind == "npz":
        return npz(
            x_train=dataset.train_images,
            y_train=dataset.train_labels,
            x_test=dataset.test_images,
            y_test=dataset.test_labels,
        )
    return zipped(
        {
            "train.csv": csv_rows(dataset.train_images, dataset.train_labels),
            "test.csv": csv_rows(dataset.test_images, dataset.test_labels),
        }
    )


@pytest.mark.parametrize("kind", ["idx", "npz", "csv"])
@pytest.mark.parametrize(("of", "preprocessing"), [("mnist", "digit"), ("fashion", "resize")])
def test_a_model_of_arrays_reads_files_of_its_test_images_as_well_as_the_test_says(
    services: Services, request: pytest.FixtureRequest, kind: str, of: str, preprocessing: str
) -> None:
    dataset: Dataset = request.getfixturevalue(of).head(TRAIN, TEST)
    imported(services, arrays(kind, dataset))
    training = trained(services, "own", epochs=3)
    job = classified(services, [png(image) for image in dataset.test_images])

    assert training.summary is not None
    assert job.summary is not None
    assert training.summary["input"]["preprocessing"] == job.summary["input"]["preprocessing"] == preprocessing
    truths = [str(label) for label in dataset.test_labels]
    assert accuracy(services, job, truths) == pytest.approx(training.summary["test_accuracy"], abs=MAX_APART)
    assert {row["normalization"] for row in rows_of(services, job)} == (
        {"as-is"} if preprocessing == "digit" else {"resized"}
    )


def on_paper(digit: Bytes, random: np.random.Generator) -> bytes:
    """A scan: dark ink of some size, somewhere on light paper."""
    side = int(random.integers(40, 90))
    sheet = np.full((128, 128), random.integers(190, 240), np.uint8)
    top, left = random.integers(0, 128 - side, 2)
    ink = cv2.resize(digit, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32) / 255
    part = sheet[top : top + side, left : left + side]
    part[:] = part * (1 - 0.8 * ink)
    return png(sheet)


def photographed(article: Bytes, random: np.random.Generator) -> bytes:
    """A color photo of a piece of clothing before a bright wall, wider than high."""
    alpha = cv2.resize(article, (96, 96), interpolation=cv2.INTER_CUBIC).astype(np.float32)[:, :, np.newaxis] / 255
    wall = np.broadcast_to(random.integers(150, 250, 3).astype(np.float32), (96, 128, 3)).copy()
    wall[:, 16:112] = wall[:, 16:112] * (1 - alpha) + random.integers(0, 160, 3) * alpha
    buffer = io.BytesIO()
    Image.fromarray(wall.astype(np.uint8)).save(buffer, "jpeg", quality=90)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("of", "picture", "names", "preprocessing"),
    [("mnist", on_paper, "0123456789", "digit"), ("fashion", photographed, "abcdefghij", "resize")],
    ids=["digits", "photos"],
)
def test_a_model_of_class_folders_reads_its_test_pictures_as_well_as_the_test_says(
    services: Services, request: pytest.FixtureRequest, of: str, picture: Any, names: str, preprocessing: str
) -> None:
    dataset: Dataset = request.getfixturevalue(of).head(TRAIN, TEST)
    random = np.random.default_rng(3)
    pictures = {
        part: [picture(image, random) for image in images]
        for part, images in (("train", dataset.train_images), ("test", dataset.test_images))
    }
    labels = {"train": dataset.train_labels, "test": dataset.test_labels}
    files = {
        f"{part}/{names[labels[part][number]]}/{number:05d}.png": file
        for part in pictures
        for number, file in enumerate(pictures[part])
    }
    small = {"size": "28", "color": "gray"} if of == "fashion" else {}
    report = imported(services, zipped(files), **small)
    training = trained(services, "own", epochs=5)
    job = classified(services, pictures["test"])

    assert report.summary is not None
    assert training.summary is not None
    assert report.summary["input"]["preprocessing"] == training.summary["input"]["preprocessing"] == preprocessing
    found = accuracy(services, job, [names[label] for label in dataset.test_labels])
    assert found == pytest.approx(training.summary["test_accuracy"], abs=MAX_APART)
    assert found > 0.25  # chance is 0.1


def test_a_model_of_fashion_mnist_reads_files_of_its_test_images_as_well_as_the_test_says(
    services: Services, datasets: Path, fashion: Dataset
) -> None:
    (services.volume.datasets / "fashion-mnist").symlink_to(datasets / "fashion-mnist")
    training = trained(services, "fashion-mnist", epochs=1, batch_size=256)
    files = [png(image) for image in fashion.test_images]
    truths = [fashion.class_names[label] for label in fashion.test_labels]

    by_default = classified(services, files)
    overridden = classified(services, files[:500], normalize="auto")

    assert training.summary is not None
    assert by_default.summary is not None
    assert overridden.summary is not None
    assert accuracy(services, by_default, truths) == pytest.approx(training.summary["test_accuracy"], abs=MAX_APART)
    assert any("resized to 28×28" in note for note in by_default.summary["notes"])
    assert accuracy(services, overridden, truths[:500]) < training.summary["test_accuracy"] - 0.2
    assert any("may be worse" in note for note in overridden.summary["notes"])


def test_a_model_of_digits_in_arrays_reads_scans_too(services: Services, mnist: Dataset) -> None:
    """The digit normalizer leaves its test images as they are, and brings scans to their form."""
    imported(services, arrays("npz", mnist.head(TRAIN, TEST)))
    training = trained(services, "own", epochs=5)
    random = np.random.default_rng(3)
    scans = [on_paper(image, random) for image in mnist.test_images[:TEST]]
    job = classified(services, scans)

    assert training.summary is not None
    truths = [str(label) for label in mnist.test_labels[:TEST]]
    assert accuracy(services, job, truths) > training.summary["test_accuracy"] - 0.08


def photo_patches(count: int, seed: int) -> tuple[Bytes, Bytes]:
    """Patches of 32×40 pixels of a photo in color (Grace Hopper's, which comes with Matplotlib), labeled by quarter."""
    with Image.open(Path(get_data_path()) / "sample_data" / "grace_hopper.jpg") as photo:
        pixels = np.asarray(photo.convert("RGB"))
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, count).astype(np.uint8)
    corners = random.integers(0, (height - 32, width - 40), (count, 2)) + np.stack([labels // 2, labels % 2], 1) * (
        height,
        width,
    )
    return np.stack([pixels[row : row + 32, column : column + 40] for row, column in corners]), labels


def test_a_model_of_photos_in_color_reads_files_of_its_test_images_as_well_as_the_test_says(services: Services) -> None:
    images, labels = photo_patches(TRAIN, 1)
    test_images, test_labels = photo_patches(TEST, 2)
    report = imported(services, npz(x_train=images, y_train=labels, x_test=test_images, y_test=test_labels))
    training = trained(services, "own", filters="8", epochs=6, augmentation="affine")
    job = classified(services, [png(image) for image in test_images])

    assert report.summary is not None
    assert training.summary is not None
    assert job.summary is not None
    assert report.summary["input"]["channels"] == job.summary["input"]["channels"] == 3
    found = accuracy(services, job, [str(label) for label in test_labels])
    assert found == pytest.approx(training.summary["test_accuracy"], abs=MAX_APART)
    assert found > 0.5  # chance is 0.25


def test_a_model_of_digits_of_42_pixels_reads_files_of_its_test_images_as_well_as_the_test_says(
    services: Services, mnist: Dataset
) -> None:
    random = np.random.default_rng(3)
    dataset = mnist.head(TRAIN, TEST)
    pictures = [on_paper(image, random) for image in (*dataset.train_images, *dataset.test_images)]
    labels = [*dataset.train_labels, *dataset.test_labels]
    parts = ["train"] * TRAIN + ["test"] * TEST
    named = zip(parts, labels, pictures, strict=True)
    files = {f"{part}/{label}/{number}.png": file for number, (part, label, file) in enumerate(named)}
    imported(services, zipped(files), preprocessing="digit", size="42")
    training = trained(services, "own", epochs=3)
    job = classified(services, pictures[TRAIN:])

    assert training.summary is not None
    assert training.summary["input"]["height"] == 42
    truths = [str(label) for label in dataset.test_labels]
    assert accuracy(services, job, truths) == pytest.approx(training.summary["test_accuracy"], abs=MAX_APART)
