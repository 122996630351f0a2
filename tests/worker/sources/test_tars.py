"""Tars as people have them, and tars made to do harm."""

import contextlib
import gzip
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.worker.errors import ArchiveError, LeaseLost
from tenfold.worker.sources import Limits, UnreadableMember, count_images, prepare
from tenfold.worker.sources.opening import UNPACKED
from tests.sources import commit_outputs, member, opened, renamed_in_7z, seven_zip_bytes, tar_bytes

FORMATS = {"v7 and ustar": tarfile.USTAR_FORMAT, "GNU": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
LONG = "a folder of a long name/" * 9 + "1.png"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "digits.tar"


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["GNU", "pax"])
def test_long_names_and_names_in_any_script_are_found_again_by_the_index(path: Path, format: int) -> None:
    names = ["first.png", LONG, "数/ü.png"]
    path.write_bytes(tar_bytes([member(name, name.encode()) for name in names], format=format))

    with opened(path) as source:
        found = list(source.members(source.listing.images.positions))
        assert [entry.name for entry in found] == names
        assert [source.read(entry, 1000) for entry in found] == [name.encode() for name in names]


def test_the_dot_that_tar_puts_before_names_is_no_folder(path: Path) -> None:
    path.write_bytes(tar_bytes([member("./", type=tarfile.DIRTYPE), member("./7/a.png", b"x")]))

    with opened(path) as source:
        assert [entry.name for entry in source.listing.images] == ["7/a.png"]
        assert source.listing.skipped == {}


def test_a_name_in_bytes_that_are_no_text_is_shown_and_read(path: Path) -> None:
    path.write_bytes(tar_bytes([member("ab.png", b"x")], format=tarfile.GNU_FORMAT))
    content = path.read_bytes().replace(b"ab.png", b"\xffb.png")
    path.write_bytes(content[:148] + b"%06o\0 " % checksum(content) + content[156:])

    with opened(path) as source:
        [entry] = source.listing.images
        assert entry.name == "\ufffdb.png"
        assert source.read(entry, 10) == b"x"


def checksum(header: bytes) -> int:
    return 256 + sum(header[:148]) + sum(header[156:512])


def test_duplicate_names_are_both_images_with_their_own_bytes(path: Path) -> None:
    path.write_bytes(tar_bytes([member("1.png", b"first"), member("1.png", b"second")]))

    with opened(path) as source:
        assert [source.read(entry, 100) for entry in source.listing.images] == [b"first", b"second"]


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "is a link"),
        ({"type": tarfile.LNKTYPE, "linkname": "2.png"}, "is a link"),
        ({"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5}, "is a device"),
        ({"type": tarfile.FIFOTYPE}, "is a device or pipe"),
        ({"name": "/etc/1.png"}, "a path out of the archive"),
        ({"name": "a/../../1.png"}, "a path out of the archive"),
        ({"name": "..\\..\\1.png"}, "a path out of the archive"),
        ({"name": "C:\\1.png"}, "a path out of the archive"),
    ],
    ids=["symbolic link", "hard link", "device", "pipe", "absolute", "dots", "backslashes", "drive"],
)
def test_what_could_do_harm_is_an_error_of_its_own_beside_the_others(
    path: Path, attributes: dict[str, Any], says: str
) -> None:
    path.write_bytes(tar_bytes([member(**{"name": "1.png"} | attributes), member("2.png", b"good")]))

    with opened(path) as source:
        bad, good = source.listing.images
        with pytest.raises(UnreadableMember, match=says):
            source.read(bad, 100)
        assert source.read(good, 100) == b"good"


def test_a_tar_that_is_cut_short_is_refused_with_the_place(path: Path) -> None:
    whole = tar_bytes([member("1.png", b"x"), member("2.png", bytes(5000))])
    path.write_bytes(whole[:3000])

    with (
        pytest.raises(ArchiveError, match=r"truncated: '2\.png' should end at byte 6,656"),
        opened(path) as source,
    ):
        _ = source.listing


def test_a_compressed_tar_that_is_cut_short_is_refused(path: Path) -> None:
    path.write_bytes(tar_bytes([member("1.png", random.Random(1).randbytes(10_000))], "gz")[:5000])

    with pytest.raises(ArchiveError, match="truncated"):
        count_images(path, Limits())
    with pytest.raises(ArchiveError, match="truncated"):
        opened(path)


def test_what_is_no_header_is_refused_with_its_place_and_no_image_is_lost_in_silence(path: Path) -> None:
    content = bytearray(tar_bytes([member("1.png", b"x"), member("2.png", b"y"), member("3.png", b"z")]))
    content[1024:1030] = b"broken"
    path.write_bytes(content)

    with pytest.raises(ArchiveError, match="damaged at byte 1,024"), opened(path) as source:
        _ = source.listing


def test_headers_that_claim_gigabytes_are_refused_before_they_are_read(path: Path) -> None:
    path.write_bytes(tar_bytes([member("1.png", b"x"), member("x", bytes(40_000), type=tarfile.XHDTYPE)]))

    with pytest.raises(ArchiveError, match="headers of more than 32,768 bytes"), opened(path) as source:
        _ = source.listing


def test_a_chain_of_headers_is_refused_before_it_runs_deep(path: Path) -> None:
    links = [member("x", b"long name", type=tarfile.GNUTYPE_LONGNAME) for _ in range(5000)]
    path.write_bytes(tar_bytes([member("1.png", b"x"), *links, member("2.png", b"y")]))

    with pytest.raises(ArchiveError, match="headers of more than"), opened(path) as source:
        _ = source.listing


def test_a_compressed_tar_unpacks_to_a_bounded_size_and_leaves_nothing(tmp_path: Path) -> None:
    path, work = commit_outputs("tar.gz", tmp_path, {"1.png": bytes(5_000_000)}), tmp_path / "work"
    work.mkdir()

    with pytest.raises(ArchiveError, match="more than 2,000,000 bytes"):
        prepare(path, work, Limits(unpacked_bytes=2_000_000), check=lambda: None)

    assert list(work.iterdir()) == []


@pytest.mark.parametrize("packed", ["tar.gz", "tar.xz", "tar.zst", "7z"])
def test_a_bomb_takes_no_more_disk_than_is_allowed(tmp_path: Path, packed: str) -> None:
    path, work = commit_outputs(packed, tmp_path, {"1.png": bytes(50_000_000)}), tmp_path / "work"
    work.mkdir()
    most = 0

    def watch() -> None:
        nonlocal most
        most = max(most, *(file.stat().st_size for file in work.iterdir()))

    with pytest.raises(ArchiveError, match=r"more than 5,000,000 bytes.*Split it up"):
        prepare(path, work, Limits(unpacked_bytes=5_000_000), watch)
    assert path.stat().st_size < 60_000
    assert most <= 5_000_000
    assert list(work.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda whole: whole[:-3], "truncated"),
        (lambda whole: whole[:20], "truncated"),
        (lambda whole: whole[:40] + b"\xff" * 9 + whole[49:], "damaged"),
        (lambda whole: renamed_in_7z(whole, "aaa/1.png", "../11.png"), "named '../11.png', which leads out"),
        (lambda _: seven_zip_bytes({"1.png": b"x"}, password="secret"), "encrypted"),
        (lambda _: seven_zip_bytes({"1.png": b"x"}, password="secret", header_encryption=True), "encrypted"),
    ],
    ids=["cut", "cut in its first bytes", "damaged", "leads out", "encrypted", "names encrypted"],
)
def test_a_hostile_7z_is_named_and_leaves_nothing(tmp_path: Path, change: Callable[[bytes], bytes], says: str) -> None:
    path, work = tmp_path / "upload", tmp_path / "work"
    path.write_bytes(change(seven_zip_bytes({"aaa/1.png": b"x" * 100})))
    work.mkdir()

    with pytest.raises(ArchiveError, match=says):
        prepare(path, work, Limits(), check=lambda: None)
    assert list(work.iterdir()) == []


def test_a_compressed_tar_is_counted_without_going_back(tmp_path: Path) -> None:
    # A large file first: where the next ones begin is then no multiple of a buffer's size.
    files = {"0.png": bytes(100_001)} | {f"{number}.png": b"x" * 77 for number in range(1, 200)} | {"text": b"y" * 2000}
    path = commit_outputs("tar.gz", tmp_path, files)

    assert count_images(path, Limits()) == 200


def test_a_bomb_is_not_unpacked_when_its_images_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenfold.worker.sources.opening.COUNTED_UNPACKED_BYTES", 1_000_000)
    path = tmp_path / "bomb.tar.gz"
    header = tarfile.TarInfo("1.png")
    header.size = 2**40
    path.write_bytes(gzip.compress(tar_bytes([member("0.png", b"x")])[:1024] + header.tobuf() + bytes(10_000_000)))

    assert count_images(path, Limits()) == 2


def test_what_a_killed_worker_left_is_removed_and_what_was_unpacked_is_kept(tmp_path: Path) -> None:
    path, work = commit_outputs("tar.gz", tmp_path, {"1.png": b"x"}), tmp_path / "work"
    work.mkdir()
    (work / f".{UNPACKED}.0123").write_bytes(b"half of it")

    prepare(path, work, Limits(), check=lambda: None)
    assert [found.name for found in work.iterdir()] == [UNPACKED]

    path.write_bytes(b"\x1f\x8b what is unpacked is not unpacked again")
    prepare(path, work, Limits(), check=lambda: None)


def test_unpacking_stops_when_the_job_is_cancelled_and_leaves_nothing(tmp_path: Path) -> None:
    path, work = commit_outputs("tar.gz", tmp_path, {"1.png": bytes(5_000_000)}), tmp_path / "work"
    work.mkdir()

    def cancelled() -> None:
        raise LeaseLost("cancelled")

    with pytest.raises(LeaseLost):
        prepare(path, work, Limits(), cancelled)
    assert list(work.iterdir()) == []


@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=6))
def test_a_damaged_tar_gives_errors_of_its_own_and_no_others(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, int]]
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "digits.tar"
    members = [member("1.png", b"A" * 40), member(LONG, bytes(30)), member("3.png", b"other")]
    data = bytearray(tar_bytes(members)[:8192])
    for place, change in changes:
        data[int(place * len(data))] ^= change
    path.write_bytes(data)

    with contextlib.suppress(ArchiveError), opened(path) as source:
        for entry in source.listing.images:
            with contextlib.suppress(UnreadableMember):
                assert len(source.read(entry, 1000)) <= 1000


@given(
    size=st.binary(min_size=12, max_size=12),
    type_=st.sampled_from([b"0", b"x", b"g", b"L", b"K", b"S", b"1", b"5"]),
    body=st.binary(max_size=1500),
)
def test_headers_of_any_content_give_errors_of_the_archive_and_no_others(
    tmp_path_factory: pytest.TempPathFactory, size: bytes, type_: bytes, body: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "digits.tar"
    header = bytearray(tarfile.TarInfo("1.png").tobuf())
    header[124:136], header[156:157] = size, type_
    header[148:156] = b"%06o\0 " % checksum(bytes(header))
    path.write_bytes(tar_bytes([member("0.png", b"x")])[:1024] + bytes(header) + body + bytes(1024))

    with contextlib.suppress(ArchiveError), opened(path) as source:
        assert source.read(source.listing.images[0], 10) == b"x"
