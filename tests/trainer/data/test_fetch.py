"""Getting the known data sets: which source is asked, and what a person is told when none has it."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.trainer.data.fetch import Source, ensure_dataset
from tenfold.trainer.data.files import ABOUT, FILES, PREVIEW, TRAIN_LABELS
from tenfold.trainer.errors import DatasetMissing
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture
def real(datasets: Path) -> Source:
    """A source that has the canonical files."""

    def copy(directory: Path) -> None:
        for name in FILES:
            shutil.copy(datasets / "mnist" / name, directory)

    return copy


def unreachable(directory: Path) -> None:
    raise OSError("no route to host")


def forged(directory: Path) -> None:
    for name in FILES:
        (directory / name).write_bytes(b"forged")


def test_what_is_on_the_volume_is_not_fetched(datasets: Path) -> None:
    assert ensure_dataset("mnist", datasets, sources={"nowhere": unreachable}) == datasets / "mnist"


def test_sources_are_asked_in_order_until_one_has_it(tmp_path: Path, real: Source) -> None:
    said: list[str] = []
    sources = {"first": unreachable, "second": real, "third": unreachable}

    directory = ensure_dataset("mnist", tmp_path, report=said.append, sources=sources)

    assert len(load_dataset("mnist", tmp_path).train_images) == 60_000
    assert said == [
        "downloading mnist from first",
        "first failed: no route to host",
        "downloading mnist from second",
    ]
    assert list(tmp_path.iterdir()) == [directory], "no temporary folder is left"


def test_when_none_has_it_every_reason_and_the_remedy_are_told(tmp_path: Path) -> None:
    sources = {"the moon": unreachable, "a forger": forged}

    with pytest.raises(DatasetMissing) as missing:
        ensure_dataset("mnist", tmp_path, sources=sources)

    message = str(missing.value)
    assert "the moon: no route to host" in message
    assert "a forger: train-images-idx3-ubyte has MD5" in message
    assert f"to {tmp_path / 'mnist'} yourself" in message
    assert list(tmp_path.iterdir()) == [], "a forged file never reaches the volume"


def test_a_lost_file_is_fetched_again(tmp_path: Path, real: Source) -> None:
    ensure_dataset("mnist", tmp_path, sources={"real": real})
    (tmp_path / "mnist" / TRAIN_LABELS).unlink()

    ensure_dataset("mnist", tmp_path, sources={"real": real})

    assert len(load_dataset("mnist", tmp_path).train_labels) == 60_000


def test_a_damaged_file_is_fetched_again(tmp_path: Path, real: Source) -> None:
    ensure_dataset("mnist", tmp_path, sources={"real": real})
    whole = (tmp_path / "mnist" / TRAIN_LABELS).read_bytes()
    (tmp_path / "mnist" / TRAIN_LABELS).write_bytes(whole[:-1] + b"\x09")

    ensure_dataset("mnist", tmp_path, sources={"real": real})

    assert (tmp_path / "mnist" / TRAIN_LABELS).read_bytes() == whole


def test_two_that_fetch_at_once_both_end_well(tmp_path: Path, real: Source) -> None:
    both_are_fetching = Barrier(2, timeout=PATIENCE_SECONDS)

    def slow(directory: Path) -> None:
        both_are_fetching.wait()
        real(directory)

    with ThreadPoolExecutor(2) as pool:
        fetches = [pool.submit(ensure_dataset, "mnist", tmp_path, sources={"slow": slow}) for _ in range(2)]

    assert [fetch.result() for fetch in fetches] == [tmp_path / "mnist"] * 2
    assert len(load_dataset("mnist", tmp_path).test_images) == 10_000
    assert list(tmp_path.iterdir()) == [tmp_path / "mnist"]


def test_a_fetched_data_set_has_a_picture_of_it(tmp_path: Path, real: Source) -> None:
    directory = ensure_dataset("mnist", tmp_path, sources={"real": real})

    assert (directory / PREVIEW).read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in directory.iterdir()) == sorted([*FILES, PREVIEW])


def test_fashion_mnist_is_the_whole_real_one_with_its_names(fashion: Dataset) -> None:
    assert fashion.train_images.shape == (60_000, 28, 28)
    assert fashion.test_images.shape == (10_000, 28, 28)
    names = [fashion.class_names[label] for label in fashion.train_labels[:5]]
    assert names == ["Ankle boot", "T-shirt/top", "T-shirt/top", "Dress", "T-shirt/top"]


def test_files_put_there_by_hand_get_their_class_names(tmp_path: Path, fashion: Dataset, datasets: Path) -> None:
    (tmp_path / "fashion-mnist").mkdir()
    for name in FILES:
        shutil.copy(datasets / "fashion-mnist" / name, tmp_path / "fashion-mnist")

    ensure_dataset("fashion-mnist", tmp_path, sources={"nowhere": unreachable})

    assert (tmp_path / "fashion-mnist" / ABOUT).exists()
    assert load_dataset("fashion-mnist", tmp_path).class_names == fashion.class_names


def test_a_data_set_of_ones_own_cannot_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing, match=r"only mnist and fashion-mnist can\. Upload it"):
        ensure_dataset("letters", tmp_path)
