"""What the client sends of loose images and folders: every file once, under a name that says where it lay."""

import tomllib
import zipfile
from pathlib import Path

import pytest

from tenfold.client.sending import named_files, packed_where_loose
from tests.paths import ROOT


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory `/…/here/now`, with files in it, above it and beside it."""
    now = tmp_path / "here" / "now"
    for name in ("a.png", "x/a.png", "7/1.png", "8/1.png", "../a.png", "../7/1.png", "../../7/1.png", "x/deep/b.txt"):
        (now / name).parent.mkdir(parents=True, exist_ok=True)
        (now / name).write_bytes(name.encode())
    monkeypatch.chdir(now)
    return now


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["a.png"], ["a.png"]),
        (["./a.png", "x/../x/a.png"], ["a.png", "x/a.png"]),
        (["../a.png", "x/a.png"], ["a.png", "x/a.png"]),
        (["../a.png", "a.png"], ["a.png", "a (2).png"]),
        (["../7/1.png", "7/1.png", "../../7/1.png"], ["7/1.png", "7/1 (2).png", "7/1 (3).png"]),
        (["../7/1.png"], ["7/1.png"]),
        (["a.png", "a.png"], ["a.png", "a (2).png"]),
        (["x"], ["a.png", "deep/b.txt"]),
        (["."], ["7/1.png", "8/1.png", "a.png", "x/a.png", "x/deep/b.txt"]),
        (["7", "8"], ["7/1.png", "8/1.png"]),
        (["7", "../7"], ["7/1.png", "7/1 (2).png"]),
        (["x", "a.png"], ["x/a.png", "x/deep/b.txt", "a.png"]),
    ],
)
def test_files_keep_their_folders_and_stay_apart(given: list[str], names: list[str]) -> None:
    paths = [Path(name) for name in given]

    with packed_where_loose(paths) as packed, zipfile.ZipFile(packed) as archive:
        assert archive.namelist() == names
        for (_, path), name in zip(named_files(paths), names, strict=True):
            assert archive.read(name) == path.read_bytes()


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["7/1.png"], ["7/1.png"]),
        (["7/1.png", "8/1.png"], ["7/1.png", "8/1.png"]),
        (["x/a.png", "x/deep/b.txt"], ["a.png", "deep/b.txt"]),
        (["7", "8"], ["7/1.png", "8/1.png"]),
        (["x"], ["a.png", "deep/b.txt"]),
    ],
)
def test_absolute_paths_keep_their_folders_too(given: list[str], names: list[str], somewhere: Path) -> None:
    assert [name for name, _ in named_files([somewhere / name for name in given])] == names


def test_a_folder_without_files_is_told() -> None:
    Path("empty").mkdir()

    with pytest.raises(FileNotFoundError, match="no file in empty"):
        named_files([Path("empty")])


def test_an_archive_is_sent_as_it_is() -> None:
    Path("digits.zip").write_bytes(b"zip")

    with packed_where_loose([Path("digits.zip")]) as sent:
        assert sent == Path("digits.zip")


def test_the_package_tells_type_checkers_that_it_is_typed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert (ROOT / "tenfold" / "py.typed").is_file()
    assert "py.typed" in project["tool"]["setuptools"]["package-data"]["tenfold"]
