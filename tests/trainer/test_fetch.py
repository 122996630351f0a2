"""Getting MNIST: which source is asked, and what a person is told when none has it."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from trainer.dataset_files import FILES, TRAIN_LABELS
from trainer.datasets import load_dataset
from trainer.errors import DatasetMissing
from trainer.fetch import Source, ensure_dataset


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
    assert said == ["getting mnist from first", "not from first: no route to host", "getting mnist from second"]
    assert list(tmp_path.iterdir()) == [directory], "no temporary folder is left"


def test_when_none_has_it_every_reason_and_the_remedy_are_told(tmp_path: Path) -> None:
    sources = {"the moon": unreachable, "a forger": forged}

    with pytest.raises(DatasetMissing) as missing:
        ensure_dataset("mnist", tmp_path, sources=sources)

    message = str(missing.value)
    assert "the moon: no route to host" in message
    assert "a forger: train-images-idx3-ubyte has MD5" in message
    assert f"into {tmp_path / 'mnist'} by hand" in message
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
    both_are_fetching = Barrier(2, timeout=60)

    def slow(directory: Path) -> None:
        both_are_fetching.wait()
        real(directory)

    with ThreadPoolExecutor(2) as pool:
        fetches = [pool.submit(ensure_dataset, "mnist", tmp_path, sources={"slow": slow}) for _ in range(2)]

    assert [fetch.result() for fetch in fetches] == [tmp_path / "mnist"] * 2
    assert len(load_dataset("mnist", tmp_path).test_images) == 10_000
    assert list(tmp_path.iterdir()) == [tmp_path / "mnist"]
