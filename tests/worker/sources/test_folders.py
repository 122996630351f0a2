"""Directories on the volume: in the order of their names, and never a file outside."""

import os
from pathlib import Path

import pytest

from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources import UnreadableMember
from tests.sources import commit_outputs, opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return commit_outputs("directory", tmp_path, {"b.png": b"b", "a/2.png": b"a2", "a/1.png": b"a1", "c.png": b"c"})


def test_images_come_in_the_order_of_their_names_directory_by_directory(folder: Path) -> None:
    with opened(folder) as source:
        assert [entry.name for entry in source.listing.images] == ["b.png", "c.png", "a/1.png", "a/2.png"]


def test_an_image_that_is_added_or_removed_meanwhile_moves_no_other(folder: Path) -> None:
    with opened(folder) as source:
        positions = source.listing.images.positions
    (folder / "a.png").write_bytes(b"new")
    (folder / "b.png").unlink()

    with opened(folder) as source:
        gone, *others = source.members(positions)
        with pytest.raises(UnreadableMember, match="No such file"):
            source.read(gone, 100)
        assert [source.read(entry, 100) for entry in others] == [b"c", b"a1", b"a2"]


def test_a_link_is_followed_inside_and_refused_outside(folder: Path) -> None:
    secret = folder.parent / "secret.png"
    secret.write_bytes(b"secret")
    (folder / "inside.png").symlink_to("a/1.png")
    (folder / "outside.png").symlink_to("../secret.png")
    (folder / "whole").symlink_to(folder.parent, target_is_directory=True)

    with opened(folder) as source:
        found = {entry.name: entry for entry in source.listing.images}
        assert source.read(found["inside.png"], 100) == b"a1"
        with pytest.raises(UnreadableMember, match="a link to outside the directory"):
            source.read(found["outside.png"], 100)
        assert source.listing.skipped == {"directory_links": 1}
        assert len(found) == 6


def test_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")

    with opened(folder) as source:
        [pipe] = [entry for entry in source.listing.images if entry.name == "pipe.png"]
        with pytest.raises(UnreadableMember, match="device or pipe"):
            source.read(pipe, 100)


def test_a_name_in_bytes_that_are_no_text_is_shown_and_read(folder: Path) -> None:
    with open(os.path.join(os.fsencode(folder), b"\xff\n.png"), "wb") as file:
        file.write(b"read")

    with opened(folder) as source:
        [odd] = [entry for entry in source.listing.images if "\n" in entry.name]
        assert odd.name == "\ufffd\n.png"
        assert source.read(odd, 100) == b"read"


def test_a_directory_that_cannot_be_listed_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_path: bytes) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refused)

    with pytest.raises(ArchiveError, match=r"Permission denied.*Give Tenfold permission"), opened(folder) as source:
        _ = source.listing
