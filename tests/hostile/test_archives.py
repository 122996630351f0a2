"""Hostile archives: a row's error or the archive's own, within bounds of memory, disk and open files."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources import Limits, UnreadableMember, count_images, open_source, prepare
from tests.hostile import archives
from tests.hostile.measured import measured

# As a shard reads; the settings' own bounds are larger.
LIMITS = Limits(images=1_000_000, files=2_000_000, image_bytes=2**20, unpacked_bytes=64 * 2**20)

MEBIBYTE = 2**20


def read_all(path: Path, limits: Limits = LIMITS) -> tuple[int, dict[str, int]]:
    """How many images could be read, and how often each kind of error was met."""
    read, errors = 0, dict[str, int]()
    count_images(path, limits)
    prepare(path, path.parent, limits, lambda: None)
    with open_source(path, path.parent, limits) as source:
        for member in source.listing.images:
            try:
                source.read(member, limits.image_bytes)
                read += 1
            except UnreadableMember as error:
                errors[error.kind] = errors.get(error.kind, 0) + 1
    return read, errors


def outcome(path: Path) -> Any:
    """What `read_all` says, or the archive's own error."""
    try:
        return read_all(path)
    except ArchiveError as error:
        return str(error)


def written(directory: Path, content: bytes) -> Path:
    path = directory / "upload"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("pack", [archives.zip_of, archives.tar_of], ids=["zip", "tar"])
def test_any_name_is_kept_for_people_and_keeps_no_image_from_being_read(
    tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    # PAX keeps names of any length, but a tar's headers are bounded.
    names = [name for name in archives.NAMES if pack is archives.zip_of or len(name) < 10_000]
    path = written(tmp_path, pack(dict.fromkeys(names, archives.GOOD)))

    with open_source(path, tmp_path, LIMITS) as source:
        found = {member.name: source.read(member, 100) for member in source.listing.images}

    assert list(found) == names
    assert set(found.values()) == {archives.GOOD}


def test_a_name_ends_at_nul_as_for_all_who_read_zips(tmp_path: Path) -> None:
    path = written(tmp_path, archives.zip_of({"1.png\0.html": archives.GOOD, "2.html\0.png": archives.GOOD}))

    with open_source(path, tmp_path, LIMITS) as source:
        assert [member.name for member in source.listing.images] == ["1.png"]
        assert source.listing.skipped == {"other_files": 1}


def test_a_tar_whose_headers_are_as_long_as_files_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, archives.tar_of({"x" * 60_000 + ".png": archives.GOOD}))

    assert "headers of more than 32,768 bytes" in outcome(path)


def test_a_zip_cut_off_anywhere_says_so_and_gives_nothing_false(tmp_path: Path) -> None:
    whole = archives.zip_of({f"{number}.png": archives.GOOD for number in range(3)})

    for cut in archives.cut_at_every_header(whole):
        if len(cut) < len(whole):
            with pytest.raises(ArchiveError):
                read_all(written(tmp_path, cut))


def test_wrong_fields_give_errors_of_the_archive_or_of_the_image_and_no_false_bytes(tmp_path: Path) -> None:
    whole = archives.zip_of({"0.png": b"A" * 300, "1.png": archives.GOOD})

    for said, wrong in archives.lies(whole):
        path = written(tmp_path, wrong)
        with contextlib.suppress(ArchiveError), open_source(path, tmp_path, LIMITS) as source:
            for member in source.listing.images:
                with contextlib.suppress(UnreadableMember):
                    assert source.read(member, 1000) in (b"A" * 300, archives.GOOD, b""), said


def test_everything_that_is_no_file_is_a_row_with_an_error(tmp_path: Path) -> None:
    read, errors = read_all(written(tmp_path, archives.tar_of_specials()))

    assert read + sum(errors.values()) == 11
    assert errors["unsafe_name"] == 3
    assert errors["not_a_file"] >= 5
    assert list(tmp_path.iterdir()) == [tmp_path / "upload"]


def test_bombs_take_neither_memory_nor_disk(tmp_path: Path) -> None:
    bombs = {
        "zip": archives.zip_bomb(1024 * MEBIBYTE),
        "tar": archives.tar_bomb(1024 * MEBIBYTE),
        "nested": archives.nested_bombs(),
    }
    for kind, content in bombs.items():
        directory = tmp_path / kind
        directory.mkdir()
        assert len(content) < 2 * MEBIBYTE

        found = measured(outcome, written(directory, content))

        expected = {"zip": (0, {"too_large": 1}), "nested": (1, {})}
        assert found.value == expected.get(kind, found.value)
        assert kind != "tar" or "unpacks to more than 67,108,864 bytes" in found.value
        assert found.grown_bytes < 100 * MEBIBYTE
        assert found.files_left_open == 0
        assert sum(path.stat().st_size for path in directory.iterdir()) < 2 * MEBIBYTE


def test_a_million_empty_members_take_a_few_bytes_each(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    archives.write_zip_of_empty_members(path, 1_000_000)

    found = measured(count_images, path, LIMITS)

    assert found.value == 1_000_000
    assert found.grown_bytes < 100 * MEBIBYTE


def test_one_more_than_the_most_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    archives.write_zip_of_empty_members(path, 1_001)

    with pytest.raises(ArchiveError, match="more than 1,000 images"):
        count_images(path, Limits(images=1_000))
