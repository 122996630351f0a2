"""Files appear whole or not at all, and only the volume says where they are."""

import ast
from pathlib import Path

import pytest

from tenfold.worker.storage.volume import Volume
from tenfold.worker.storage.whole import atomic_write, atomic_write_directory, list_files
from tests.paths import ROOT

# They work on directories of the volume as such.
MAY_BUILD_PATHS = {"worker/storage/volume.py", "worker/upkeep/restore.py"}


class Interrupted(Exception):
    pass


def test_a_file_appears_with_all_that_was_written(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "f") as file:
        file.write(b"half")
        assert not (tmp_path / "f").exists()
        file.write(b" and half")

    assert (tmp_path / "f").read_bytes() == b"half and half"


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")

    with pytest.raises(Interrupted), atomic_write(tmp_path / "f") as file:
        file.write(b"new")
        raise Interrupted

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_directory_replaces_what_a_dead_worker_left(tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "stale").touch()

    with atomic_write_directory(target) as directory:
        (directory / "fresh").touch()

    assert [path.name for path in target.iterdir()] == ["fresh"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_interrupted_directory_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Interrupted), atomic_write_directory(tmp_path / "model") as directory:
        (directory / "half").touch()
        raise Interrupted

    assert list(tmp_path.iterdir()) == []


def test_what_can_be_fetched_is_the_jobs_files_and_its_models_but_nothing_temporary(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.create()
    for directory in (volume.job("j"), volume.model("j"), volume.work("j")):
        directory.mkdir()
    for path in (volume.log("j"), volume.model("j") / "model.keras", volume.work("j") / "shard"):
        path.touch()
    (volume.job("j") / ".results.csv.123").touch()

    assert list(volume.artifacts("j")) == ["log.txt", "model.keras"]
    assert list_files(tmp_path / "nowhere") == {}


def test_a_directory_that_is_not_to_replace_another_leaves_that_as_it_is(tmp_path: Path) -> None:
    for taken in ("directory", "file"):
        target = tmp_path / taken
        (target / "first").mkdir(parents=True) if taken == "directory" else target.touch()

        with pytest.raises(FileExistsError), atomic_write_directory(target, replace=False) as directory:
            (directory / "second").touch()

    assert [path.name for path in (tmp_path / "directory").iterdir()] == ["first"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["directory", "file"]


def test_a_deleted_data_set_is_gone_with_its_files(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.create()
    volume.dataset("own").mkdir()
    (volume.dataset("own") / "about.json").touch()

    volume.delete_dataset("own")

    assert list(volume.datasets.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        volume.delete_dataset("own")


def test_only_the_volume_says_where_something_lies() -> None:
    """Everything else goes through it, so that a bucket is fetched from and published to."""
    found = []
    for path in (path for room in ("worker", "web") for path in (ROOT / room).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if name.startswith("worker/storage/") or name in MAY_BUILD_PATHS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                left = ast.unparse(node.left)
                if left.endswith(("volume.root", "settings.root", "settings.data", "storage.root")):
                    found.append(f"{name}:{node.lineno}: {ast.unparse(node)}")

    assert not found
