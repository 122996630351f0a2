"""What a classification leaves for people to review: the least certain answers first, with pictures."""

import io
import sqlite3
import tarfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.trainer.images import normalize, read_image
from tenfold.worker.classification.review_queue.queue import FILE, ReviewQueue
from tenfold.worker.db.records import Job
from tenfold.worker.review.reviews import list_items
from tenfold.worker.services import Services
from tests.reviews import classified, classified_archive, digits, untrained_model, with_settings


@pytest.fixture(autouse=True)
def model(services: Services) -> str:
    return untrained_model(services)


def queue_of(services: Services, job: Job) -> ReviewQueue:
    assert job.error is None
    return ReviewQueue(services.volume.review(job.id))


def results(services: Services, job: Job) -> pl.DataFrame:
    return pl.read_parquet(services.volume.job(job.id) / "results.parquet")


def test_answers_that_are_not_accepted_are_queued_the_least_certain_first(services: Services, mnist: Dataset) -> None:
    files = digits(mnist, 40) | {"broken.png": b"no image", "blank.png": png(np.full((28, 28), 255, np.uint8))}
    middle = results(services, classified(services, files))["confidence"].median()

    job = classified(services, files, review_below=middle)

    rows = results(services, job)
    doubtful = rows.filter(pl.col("prediction").is_not_null() & ~pl.col("accepted")).sort("confidence", "row")
    assert 0 < len(doubtful) < 42
    with queue_of(services, job) as queue:
        items = queue.page(0, 1000)
        assert len(queue) == len(items) == job.summary["to_review"]
    assert [item.rank for item in items] == list(range(len(items)))
    for column in ("row", "name", "prediction", "confidence", "runner_up", "quality", "novelty", "true_label"):
        assert [getattr(item, column) for item in items] == doubtful[column].to_list()
    assert "blank.png" in [item.name for item in items]
    assert "broken.png" not in [item.name for item in items]


def test_items_are_found_by_their_rows(services: Services, mnist: Dataset) -> None:
    job = classified(services, digits(mnist, 20))

    with queue_of(services, job) as queue:
        assert [item.name for item in queue.find_all([8, 5, 99, 6])] == ["005.png", "006.png", "008.png"]
        assert queue.find(99) is None


def test_pictures_are_the_original_made_small_and_what_the_model_saw(services: Services, mnist: Dataset) -> None:
    scan = Image.fromarray(255 - mnist.test_images[0]).convert("RGB").resize((1400, 700))
    jpeg = io.BytesIO()
    scan.save(jpeg, "JPEG")
    tiff = io.BytesIO()
    Image.fromarray(mnist.test_images[1].astype(np.uint16) * 257).save(tiff, "TIFF")
    files = {"scan.jpg": jpeg.getvalue(), "sixteen bits.tif": tiff.getvalue()}

    job = classified(services, files)

    with queue_of(services, job) as queue:
        for row, size in ((0, (320, 160)), (1, (28, 28))):
            original = queue.picture(row, model_input=False)
            seen = queue.picture(row, model_input=True)
            assert original is not None
            assert seen is not None
            with Image.open(io.BytesIO(original)) as image:
                assert image.format in ("JPEG", "PNG")
                assert image.size == size
            with Image.open(io.BytesIO(seen)) as image:
                assert image.size == (28, 28)
                assert np.asarray(image).max() > 200


def test_images_of_a_compressed_tar_have_pictures_though_it_was_unpacked_for_the_merge_only(
    services: Services, mnist: Dataset
) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, data in digits(mnist, 3).items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))

    job = classified_archive(services, packed.getvalue())

    with queue_of(services, job) as queue:
        for number in range(3):
            seen = queue.picture(number, model_input=True)
            assert seen is not None
            assert np.array_equal(read_image(seen), normalize(mnist.test_images[number]).pixels)


@pytest.mark.parametrize("overdrawn", [2, 0.1], ids=["drawn by the shards", "most of them by the merge"])
@pytest.mark.parametrize("shard_images", [2, 100])
def test_only_the_least_certain_have_pictures(
    services: Services, mnist: Dataset, shard_images: int, overdrawn: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenfold.worker.classification.review_queue.drawing.OVERDRAWN", overdrawn)
    job = classified(with_settings(services, max_review_images=3, shard_images=shard_images), digits(mnist, 10))

    with queue_of(services, job) as queue:
        items = queue.page(0, 100)
        assert [item.has_picture for item in items] == [True] * 3 + [False] * 7
        assert queue.picture(items[3].row, model_input=False) is None


def test_pages_leave_out_what_was_corrected_and_go_on_where_they_ended(services: Services, mnist: Dataset) -> None:
    job = classified(services, digits(mnist, 30))

    with queue_of(services, job) as queue:
        everything = [item.row for item in queue.page(0, 100)]
        corrected = frozenset(everything[2:20])
        first, rank = list_items(queue, 0, 5, besides=corrected)
        assert rank is not None
        second, end = list_items(queue, rank, 100, besides=corrected)

    assert [item.row for item in first] == [everything[0], everything[1], *everything[20:23]]
    assert [item.row for item in second] == everything[23:]
    assert end is None


def test_a_classification_without_doubts_has_an_empty_queue(services: Services, mnist: Dataset) -> None:
    job = classified(services, digits(mnist, 5), review_below=0)

    with queue_of(services, job) as queue:
        assert len(queue) == 0
        assert queue.page(0, 10) == []


def test_the_file_is_whole_and_cannot_be_written_by_its_readers(services: Services, mnist: Dataset) -> None:
    job = classified(services, digits(mnist, 5))

    directory: Path = services.volume.review(job.id)
    assert [path.name for path in directory.iterdir()] == [FILE]
    with sqlite3.connect(directory / FILE) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with queue_of(services, job) as queue, pytest.raises(sqlite3.OperationalError, match="readonly"):
        queue._connection.execute("DELETE FROM items")
