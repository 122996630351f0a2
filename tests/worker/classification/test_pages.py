"""A file with several pages is a row for each, wherever its pages are read, drawn or looked at."""

import io
from array import array
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.worker.classification.image_index.building import index_images
from tenfold.worker.classification.image_index.index import ImageIndex, ImageQuery
from tenfold.worker.classification.reading.images import read_members
from tenfold.worker.db.states import JobState
from tenfold.worker.services import Services
from tenfold.worker.sources.pages import expand, split_position, with_page
from tests.sources import commit_outputs, opened
from tests.worker.classification.test_classification import model, net, rows, settings, submit, work_off

# Fixtures.
__all__ = ["model", "net", "settings"]


def pages_of(pictures: list[np.ndarray], format: str = "TIFF", **options: object) -> bytes:
    first, *others = (Image.fromarray(np.kron(picture, np.ones((4, 4), np.uint8))) for picture in pictures)
    file = io.BytesIO()
    first.save(file, format, save_all=True, append_images=others, **options)
    return file.getvalue()


@pytest.fixture
def digits(mnist: Dataset) -> list[np.ndarray]:
    return [255 - mnist.test_images[n] for n in range(3)]


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "directory"])
def test_each_page_has_a_row_and_files_of_one_page_keep_their_name(
    services: Services, model: str, digits: list[np.ndarray], kind: str
) -> None:
    files = {
        "7/a.tif": pages_of(digits),
        "7/b.tif": pages_of(digits[:1]),
        "8/c.png": png(digits[0]),
        "8/d": pages_of(digits[:2]),
        "9/e.gif": pages_of(digits[:2], "GIF"),
        "9/f.pdf": pages_of(digits[:2], "PDF"),
        "9/g.tif": b"II*\0 cut short",
    }

    job = work_off(services, submit(services, kind, files))

    assert job.state is JobState.SUCCEEDED, job.error
    found = {row["name"]: row for row in rows(services, job)}
    assert list(found) == [
        *("7/a.tif#1", "7/a.tif#2", "7/a.tif#3", "7/b.tif", "8/c.png", "8/d#1", "8/d#2"),
        *("9/e.gif#1", "9/e.gif#2", "9/f.pdf#1", "9/f.pdf#2", "9/g.tif"),
    ]
    assert [name for name, row in found.items() if row["error"]] == ["9/g.tif"]
    assert found["7/a.tif#2"]["true_label"] == "7"
    assert found["7/a.tif#2"]["confidence"] != found["7/a.tif#1"]["confidence"]
    assert job.summary is not None
    assert job.total == 12
    assert job.summary["pages"] == {"files": 4, "pages": 9, "truncated": {}}
    assert any("Each of their 9 pages has a row" in note for note in job.summary["notes"])


def test_a_page_is_read_as_a_picture_of_its_own(tmp_path: Path, digits: list[np.ndarray]) -> None:
    path = commit_outputs("zip", tmp_path, {"a.png": png(digits[2]), "b.tif": pages_of(digits)})

    with opened(path) as source:
        [_, file] = source.listing.images.positions
        members = source.members(array("Q", [with_page(file, 3), with_page(file, 2)]))
        read = list(read_members(source, members, bytes, max_image_bytes=10**6, threads=1, report=lambda _: None))

    assert [member.name for member, _ in read] == ["b.tif#3", "b.tif#2"]
    for (_, data), digit in zip(read, digits[:0:-1], strict=True):
        assert isinstance(data, bytes)
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(data)))[::4, ::4], digit)


def test_positions_of_files_without_pages_stay_as_they_are() -> None:
    positions = array("Q", [5, 9, 12])

    assert expand(positions, {}) == positions
    assert [split_position(position) for position in expand(positions, {9: 2})] == [(5, 0), (9, 1), (9, 2), (12, 0)]


def test_a_long_animation_is_cut_and_that_is_told(
    services: Services, model: str, digits: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenfold.worker.classification.reading.page_counts.MAX_FRAMES", 2)

    job = work_off(services, submit(services, "zip", {"a.gif": pages_of(digits, "GIF")}))

    assert job.summary is not None
    assert job.summary["images"] == 2
    assert "a.gif has 3 pages or frames; only the first ones were read." in job.summary["notes"]


def test_the_index_of_images_finds_the_same_pages(
    services: Services, model: str, digits: list[np.ndarray], tmp_path: Path
) -> None:
    files = {"a.tif": pages_of(digits), "b#1.png": png(digits[0]), "c#1": png(digits[0]), "d.tif": pages_of(digits[:2])}
    job = work_off(services, submit(services, "zip", files))
    directory = services.volume.job(job.id)

    index_images(directory / "results.jsonl", directory / "input.zip", tmp_path / "images")

    with ImageIndex(tmp_path / "images") as images:
        found = [(image.name, split_position(image.position or 0)[1]) for image in images.page(ImageQuery(), None, 9)]
    assert found == [
        *(("a.tif#1", 1), ("a.tif#2", 2), ("a.tif#3", 3), ("b#1.png", 0), ("c#1", 0), ("d.tif#1", 1), ("d.tif#2", 2)),
    ]
