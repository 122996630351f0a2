"""The catalog lists data sets without reading their images."""

import json
from pathlib import Path

import pytest

from tenfold.trainer.data.catalog import count_classes, list_entries, read_entry
from tenfold.trainer.data.datasets import Dataset, write_idx
from tenfold.trainer.data.files import ABOUT, FILES, TEST_LABELS, TRAIN_IMAGES
from tenfold.trainer.errors import DatasetMissing


@pytest.fixture
def root(tmp_path: Path, digits: Dataset) -> Path:
    """A volume with a small data set, `few`."""
    directory = tmp_path / "few"
    directory.mkdir()
    arrays = (digits.train_images, digits.train_labels, digits.test_images, digits.test_labels)
    for name, values in zip(FILES, arrays, strict=True):
        write_idx(directory / name, values)
    return tmp_path


def test_a_data_set_is_told_from_its_headers(root: Path) -> None:
    few = read_entry("few", root)

    assert (few.train, few.test) == (2000, 500)
    assert few.class_names == tuple("0123456789")
    assert few.ready
    assert few.usable
    assert not few.has_preview


def test_the_known_ones_come_first_whether_they_are_there_or_not(root: Path) -> None:
    for name in (".few.half-made", "Not-A-Name"):
        (root / name).mkdir()
    (root / "a-file").touch()

    assert [(entry.name, entry.ready) for entry in list_entries(root)] == [
        ("mnist", False),
        ("fashion-mnist", False),
        ("few", True),
    ]


def test_a_known_one_on_the_volume_is_ready_with_its_own_names(root: Path) -> None:
    (root / "few").rename(root / "fashion-mnist")

    fashion = read_entry("fashion-mnist", root)

    assert fashion.ready
    assert fashion.class_names[0] == "T-shirt/top"


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        (TRAIN_IMAGES, b"", "not an IDX file"),
        (TRAIN_IMAGES, b"\0\0\x08\x03\0\0", "not an IDX file"),
        (TRAIN_IMAGES, b"\0\0\x08\x01\0\0\0\x02a", "has another size than its header says"),
        (ABOUT, b"{", "is damaged"),
        (ABOUT, json.dumps({"class_names": [1, 2]}).encode(), "expected a list of strings"),
        (TEST_LABELS, None, f"lacks {TEST_LABELS}"),
    ],
)
def test_a_damaged_one_is_told_with_the_reason_and_cannot_be_used(
    root: Path, file: str, content: bytes | None, says: str
) -> None:
    if content is None:
        (root / "few" / file).unlink()
    else:
        (root / "few" / file).write_bytes(content)

    few = read_entry("few", root)

    assert not few.usable
    assert says in few.warnings[0]


def test_an_unknown_one_is_an_error_that_lists_those_there_are(root: Path) -> None:
    with pytest.raises(DatasetMissing, match=r"no data set 'many'\. Available: mnist, fashion-mnist, few"):
        read_entry("many", root)


def test_the_balance_of_a_data_set_is_counted_from_its_labels(datasets: Path) -> None:
    counts = count_classes(read_entry("mnist", datasets), datasets)

    assert [count.name for count in counts] == list("0123456789")
    assert sum(count.train for count in counts) == 60_000
    assert (counts[0].train, counts[0].test) == (5923, 980)
