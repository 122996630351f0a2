"""What all kinds of sources do alike: list, look up, read, count, find the manifest, and refuse with a reason."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tenfold.trainer.data.samples import png
from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources import (
    Limits,
    UnreadableMember,
    count_images,
    read_index,
    read_listing,
    suffix_of,
    write_index,
    write_listing,
)
from tests.sources import KINDS, commit_outputs, opened

FILES = {
    "7/a.png": b"a seven",
    "7/über 数.jpg": bytes(range(256)) * 9,
    "7/._a.png": b"of a file manager",
    "__MACOSX/7/a.png": b"of another",
    ".DS_Store": b"of the same",
    "8/Thumbs.db": b"of a third",
    "8/b.TIFF": b"an eight",
    "more.zip": b"an archive inside",
    "notes.txt": b"no image",
}
IMAGES = ("7/a.png", "7/über 数.jpg", "8/b.TIFF")
SKIPPED = {"archives": 1, "hidden_files": 1, "other_files": 1, "system_files": 3}


# It is not listed by the web, which a hostile one would take much memory of.
COUNTED_BY_THE_PLAN = "7z"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_images_are_listed_and_read_and_the_rest_is_counted_by_kind(tmp_path: Path, kind: str) -> None:
    path = commit_outputs(kind, tmp_path, FILES)

    with opened(path) as source:
        read = {member.name: source.read(member, 10_000) for member in source.listing.images}
        assert read == {name: FILES[name] for name in IMAGES}
        assert source.listing.skipped == SKIPPED
        assert not source.listing.manifest
    assert count_images(path, Limits()) == (1 if kind == COUNTED_BY_THE_PLAN else len(IMAGES))


def test_a_shard_looks_up_its_own_images_by_the_index(tmp_path: Path, kind: str) -> None:
    files = {f"{number:02d}.{('png', 'txt')[number % 2]}": b"%d" % number for number in range(20)}
    path, index = commit_outputs(kind, tmp_path, files), tmp_path / "index"
    with opened(path) as source, index.open("wb") as file:
        write_index(source.listing.images, file)

    with opened(path) as source:
        members = source.members(read_index(index, 3, 6))
        assert [(member.name, source.read(member, 9)) for member in members] == [
            ("06.png", b"6"),
            ("08.png", b"8"),
            ("10.png", b"10"),
        ]
    assert index.stat().st_size == 10 * 8


def test_a_listing_that_was_written_down_says_the_same(tmp_path: Path, kind: str) -> None:
    path, written = commit_outputs(kind, tmp_path, FILES | {"manifest.csv": b"name,label"}), tmp_path / "listing"
    with opened(path) as source, written.open("wb") as file:
        made = source.listing
        write_listing(made, file)

    with opened(path) as source:
        read = read_listing(written, source)
        assert list(read.images.positions) == list(made.images.positions)
        assert [source.read(member, 10_000) for member in read.manifest] == [b"name,label"]
    assert (read.skipped, read.unpacked_bytes) == (made.skipped, made.unpacked_bytes)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["manifest.csv", "7/a.png", "8/b.png"], "manifest.csv"),
        (["scans/manifest.csv", "scans/7/a.png"], "scans/manifest.csv"),
        (["scans/a.png", "scans/manifest.csv", ".DS_Store"], "scans/manifest.csv"),
        (["7/manifest.csv", "7/a.png", "8/b.png"], None),
        (["Manifest.csv", "a.png"], "Manifest.csv"),
        (["metadata.csv", "labels.tsv", "a.png"], "metadata.csv"),
        (["a/b/manifest.csv", "a/b/a.png"], None),
        (["a.png", "other.csv"], None),
    ],
    ids=[
        "top",
        "single folder",
        "before others",
        "one of two folders",
        "capital",
        "other names",
        "deeper",
        "another table",
    ],
)
def test_a_manifest_is_found_at_the_top_or_in_the_single_top_folder(
    tmp_path: Path, kind: str, names: list[str], found: str | None
) -> None:
    path = commit_outputs(kind, tmp_path, dict.fromkeys(names, b"name,label"))

    with opened(path) as source:
        listing = source.listing
        tables = [member.name for member in listing.manifest]
        assert tables[:1] == ([found] if found else [])
        assert sum(listing.skipped.values()) == len(names) - len(listing.images) - len(tables)
        assert [source.read(member, 100) for member in listing.manifest] == [b"name,label"] * len(tables)


def test_content_tells_what_a_name_does_not(tmp_path: Path, kind: str) -> None:
    picture = png(np.zeros((28, 28), np.uint8))
    files = {
        "7/a": picture,
        "7/b.jfif": b"by its suffix",
        "7/c.dat": picture,
        "7/d.png": b"by its suffix",
        "7/e": b"a text without a suffix",
        "7/f.dat": b"PK\3\4 an archive",
        "7/g": b"",
        "7/h.txt": picture,
    }
    path = commit_outputs(kind, tmp_path, files)

    with opened(path) as source:
        read = {member.name: source.read(member, 10_000) for member in source.listing.images}
        assert read == {name: files[name] for name in ("7/a", "7/b.jfif", "7/c.dat", "7/d.png")}
        assert list(read) == sorted(read)
        assert source.listing.skipped == {"archives": 1, "other_files": 3}
        assert source.listing.folders == {"7": 4}
    assert count_images(path, Limits()) == (1 if kind == COUNTED_BY_THE_PLAN else 4)


@pytest.mark.parametrize("folder", [".ipynb_checkpoints", "@eaDir", ".thumbnails", "__MACOSX", "$RECYCLE.BIN"])
def test_hidden_and_system_folders_are_skipped_and_counted(tmp_path: Path, kind: str, folder: str) -> None:
    path = commit_outputs(kind, tmp_path, {"7/a.png": b"x", f"7/{folder}/a.png": b"x", f"{folder}/b/c.png": b"x"})

    with opened(path) as source:
        assert [member.name for member in source.listing.images] == ["7/a.png"]
        assert source.listing.skipped == {"hidden_files": 2}


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "is empty"),
        (["notes.txt"], r"contains no images: none of its 1 files has an image suffix or content \(1 other files\)"),
        (["january.zip", "february.tar.gz"], "contains 2 archives but no images.*submit each separately"),
    ],
    ids=["nothing", "no image", "only archives"],
)
def test_a_source_without_images_says_what_it_holds(tmp_path: Path, kind: str, names: list[str], says: str) -> None:
    path = commit_outputs(kind, tmp_path, dict.fromkeys(names, b"x"))

    with pytest.raises(ArchiveError, match=says), opened(path) as source:
        _ = source.listing
    if kind != COUNTED_BY_THE_PLAN:
        with pytest.raises(ArchiveError, match=says):
            count_images(path, Limits())


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(images=2), "contains more than 2 images"),
        (Limits(files=8), "contains more than 8 files"),
    ],
    ids=["images", "files"],
)
def test_too_many_are_refused_when_they_are_counted_and_when_they_are_planned(
    tmp_path: Path, kind: str, limits: Limits, says: str
) -> None:
    path = commit_outputs(kind, tmp_path, FILES)

    with pytest.raises(ArchiveError, match=says), opened(path, limits) as source:
        _ = source.listing
    if kind != COUNTED_BY_THE_PLAN:
        with pytest.raises(ArchiveError, match=says):
            count_images(path, limits)


def test_a_large_image_is_an_error_of_its_own(tmp_path: Path, kind: str) -> None:
    path = commit_outputs(kind, tmp_path, {"1.png": bytes(11), "2.png": bytes(10)})

    with opened(path) as source:
        large, small = source.listing.images
        with pytest.raises(UnreadableMember, match="larger than 10 bytes"):
            source.read(large, 10)
        assert source.read(small, 10) == bytes(10)


@pytest.mark.parametrize(("kind", "suffix"), [(kind, f".{kind}") for kind in KINDS if kind != "directory"])
def test_the_content_tells_the_kind_whatever_the_name_is(tmp_path: Path, kind: str, suffix: str) -> None:
    path = commit_outputs(kind, tmp_path, FILES).rename(tmp_path / "digits.rar")

    assert suffix_of(path) == suffix


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"MSCF\0\0\0\0 rest", r"Windows cabinet.*\.zip or \.tar\.gz"),
        (b"Rar!\x1a\x07 rest", "RAR archive"),
        (b"\xfd7zXZ\0 rest", "xz compressed file is damaged or truncated"),
        (b"\x1f\x8b\x08 and no more", "gzip compressed file is damaged or truncated"),
        (gzip.compress(b"text"), "does not contain a tar"),
    ],
    ids=["cabinet", "rar", "cut xz", "cut gzip", "gzip of text"],
)
def test_an_archive_of_another_kind_is_told_by_its_name(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "handed-in"
    path.write_bytes(content)

    with pytest.raises(ArchiveError, match=says):
        suffix_of(path)
