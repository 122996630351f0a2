"""Zips as people have them: what counts as an image, in which order, and what a bad one says."""

import contextlib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.archives import Archive, UnreadableMember, label_of
from worker.errors import ArchiveError


def write_zip(path: Path, members: Sequence[tuple[str, bytes]], *, compress: bool = False) -> Path:
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def test_images_keep_the_archives_order_and_the_rest_is_counted(tmp_path: Path) -> None:
    names = ["b/2.png", "a/1.JPG", "notes.txt", "a/1.png", "__MACOSX/a/._1.png", ".DS_Store", "Thumbs.db"]
    path = write_zip(tmp_path / "z.zip", [(name, b"x") for name in names])

    with Archive(path) as archive:
        assert [member.filename for member in archive.listing.images] == ["b/2.png", "a/1.JPG", "a/1.png"]
        assert archive.listing.skipped == 4


def test_duplicate_names_are_both_images_with_their_own_bytes(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = write_zip(tmp_path / "z.zip", [("1.png", b"first"), ("1.png", b"second")])

    with Archive(path) as archive:
        assert [archive.read(member, 100) for member in archive.listing.images] == [b"first", b"second"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a zip"),
        (b"this is text", "not a zip"),
        (b"PK\x03\x04 the start of a zip and no more", "not a zip"),
        (b"PK\x05\x06" + bytes(18), "zip is empty"),
    ],
    ids=["nothing", "text", "truncated", "empty zip"],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "z.zip"
    path.write_bytes(content)

    with pytest.raises(ArchiveError, match=message):
        Archive(path)


def test_a_zip_without_images_says_what_it_looked_for(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("notes.txt", b"x"), ("folder/", b"")])

    with pytest.raises(ArchiveError, match=r"1 files, but no image.*\.png"):
        Archive(path)


def test_a_member_damaged_in_the_archive_is_an_error_of_its_own(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("1.png", b"A" * 500), ("2.png", b"whole")])
    path.write_bytes(path.read_bytes().replace(b"AAAA", b"BBBB", 1))

    with Archive(path) as archive:
        damaged, whole = archive.listing.images
        with pytest.raises(UnreadableMember, match="damaged"):
            archive.read(damaged, 1000)
        assert archive.read(whole, 1000) == b"whole"


def test_a_member_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("bomb.png", bytes(10_000_000))], compress=True)

    with Archive(path) as archive, pytest.raises(UnreadableMember, match="larger than 1000 bytes"):
        archive.read(archive.listing.images[0], 1000)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("1.png", b"secret")])
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)

    with Archive(path) as archive, pytest.raises(UnreadableMember, match="encrypted"):
        archive.read(archive.listing.images[0], 1000)


@pytest.mark.parametrize(
    ("name", "label"),
    [("7/a.png", "7"), ("set/7/a.png", "7"), ("7/b/a.png", None), ("a.png", None), ("07/a.png", None)],
)
def test_the_folder_tells_the_label_when_it_is_a_class(name: str, label: str | None) -> None:
    assert label_of(name, tuple("0123456789")) == label


@given(data=st.binary(max_size=400))
def test_no_bytes_raise_anything_but_the_archives_own_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "z.zip"
    path.write_bytes(b"PK\x03\x04" + data + b"PK\x05\x06" + data)

    with contextlib.suppress(ArchiveError), Archive(path) as archive:
        assert archive.listing.images
