"""Zips as people have them: what counts as an image, in which order, and what a bad one says."""

import contextlib
import io
import shutil
import stat
import struct
import subprocess
import tracemalloc
import zipfile
import zlib
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.files.names import Kind, kind_of
from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources import Limits, Source, UnreadableMember, open_source, read_index, suffix_of, write_index
from tenfold.worker.sources.zip_directory import find_overlap


def write_zip(path: Path, members: Sequence[tuple[str, bytes]], *, compress: bool = False) -> Path:
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def opened(path: Path, limits: Limits | None = None) -> Source:
    return open_source(path, path.parent, limits)


def test_images_keep_the_archives_order_and_the_rest_is_counted(tmp_path: Path) -> None:
    names = ["b/2.png", "a/1.JPG", "notes.txt", "a/1.png", "__MACOSX/a/._1.png", ".DS_Store", "Thumbs.db"]
    path = write_zip(tmp_path / "z.zip", [(name, b"x") for name in names])

    with opened(path) as archive:
        assert [member.name for member in archive.listing.images] == ["b/2.png", "a/1.JPG", "a/1.png"]
        assert archive.listing.skipped == {"other_files": 1, "system_files": 3}


def test_duplicate_names_are_both_images_with_their_own_bytes(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = write_zip(tmp_path / "z.zip", [("1.png", b"first"), ("1.png", b"second")])

    with opened(path) as archive:
        assert [archive.read(member, 100) for member in archive.listing.images] == [b"first", b"second"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a zip"),
        (b"this is text", "not a zip"),
        (b"PK\x03\x04 the start of a zip and no more", "truncated"),
        (b"PK\x05\x06" + bytes(18), "zip is empty"),
    ],
    ids=["nothing", "text", "truncated", "empty zip"],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "z.zip"
    path.write_bytes(content)

    with pytest.raises(ArchiveError, match=message), opened(path) as archive:
        _ = archive.listing


def test_folders_count_as_files_do_since_going_past_them_takes_as_long(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("1.png", b"x"), *((f"{n}/", b"") for n in range(5))])

    with pytest.raises(ArchiveError, match="more than 5 files"), opened(path, Limits(files=5)) as archive:
        _ = archive.listing


def test_a_zip_without_images_says_what_it_looked_for(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("notes.txt", b"x"), ("folder/", b"")])

    with pytest.raises(ArchiveError, match="contains no images: none of its 1 files"), opened(path) as archive:
        _ = archive.listing


def test_a_member_damaged_in_the_archive_is_an_error_of_its_own(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("1.png", b"A" * 500), ("2.png", b"whole")])
    path.write_bytes(path.read_bytes().replace(b"AAAA", b"BBBB", 1))

    with opened(path) as archive:
        damaged, whole = archive.listing.images
        with pytest.raises(UnreadableMember, match="damaged"):
            archive.read(damaged, 1000)
        assert archive.read(whole, 1000) == b"whole"


def test_a_member_that_should_lie_behind_the_end_is_not_read_from_elsewhere(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("1.png", b"first"), ("2.png", b"second")])
    content = bytearray(path.read_bytes())
    record = content.rindex(b"PK\1\2")
    content[record + 20 : record + 24] = (0xF600_0005).to_bytes(4, "little")
    content[record + 42 : record + 46] = (0x24_0000).to_bytes(4, "little")
    path.write_bytes(content)

    with opened(path) as source:
        first, lost = source.listing.images
        assert source.read(first, 1000) == b"first"
        with pytest.raises(UnreadableMember, match="beyond the end"):
            source.read(lost, 1000)


def test_a_member_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("bomb.png", bytes(10_000_000))], compress=True)

    with opened(path) as archive, pytest.raises(UnreadableMember, match="larger than 1000 bytes"):
        archive.read(archive.listing.images[0], 1000)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("1.png", b"secret")])
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)

    with opened(path) as archive, pytest.raises(UnreadableMember, match="encrypted"):
        archive.read(archive.listing.images[0], 1000)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (stat.S_IFLNK, "is a link"),
        (stat.S_IFCHR, "or device"),
        (stat.S_IFIFO, "or device"),
    ],
    ids=["symbolic link", "device", "pipe"],
)
def test_what_is_no_file_where_it_was_packed_is_refused(tmp_path: Path, kind: int, says: str) -> None:
    info = zipfile.ZipInfo("1.png")
    info.create_system, info.external_attr = 3, (kind | 0o644) << 16
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")

    with opened(tmp_path / "z.zip") as source, pytest.raises(UnreadableMember, match=says):
        source.read(source.listing.images[0], 1000)


@pytest.mark.parametrize(
    "name", ["/etc/1.png", "../1.png", "a/../../1.png", "..\\1.png", "C:\\1.png", "\\\\host\\1.png"]
)
def test_a_name_that_leads_outside_is_reported_and_its_image_is_refused(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "z.zip", [(name, b"x"), ("a..b/1..png", b"good"), ("a:b.png", b"good")])

    with opened(path) as source:
        bad, *good = source.listing.images
        assert bad.name == name
        with pytest.raises(UnreadableMember, match="a path out of the archive"):
            source.read(bad, 1000)
        assert [source.read(member, 1000) for member in good] == [b"good", b"good"]


def zip_of_overlapping(count: int, kernel: bytes) -> bytes:
    """Fifield's first construction: every record of the directory is of the one and only file."""
    packed = zlib.compress(kernel)[2:-4]
    fields = (0, 0, 8, 0, 0, zlib.crc32(kernel), len(packed), len(kernel), 5, 0)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, *fields[1:]) + b"0.png" + packed
    records = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, *fields[1:], 0, 0, 0, 0, 0) + b"%d.png" % number
        for number in range(count)
    )
    return local + records + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(records), len(local), 0)


def zip_of_quoting(count: int, kernel: bytes) -> bytes:
    """Fifield's second construction: each file's packed bytes quote the whole file after it, up to the kernel."""
    packed = zlib.compress(kernel)[2:-4]
    inner, content, sizes = packed, kernel, [(zlib.crc32(kernel), len(packed), len(kernel))]
    body = local_header(count - 1, *sizes[0]) + packed
    for number in reversed(range(count - 1)):
        quote = struct.pack("<BHH", 0, len(body) - len(inner), 0xFFFF ^ (len(body) - len(inner)))
        inner, content = quote + body, body[: len(body) - len(inner)] + content
        sizes.append((zlib.crc32(content), len(inner), len(content)))
        body = local_header(number, *sizes[-1]) + inner
    records, at = b"", 0
    for number, size in enumerate(reversed(sizes)):
        record = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0, *size, 5, 0, 0, 0, 0, 0, at)
        records += record + b"%d.png" % number
        at += 30 + 5 + 5
    return body + records + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(records), len(body), 0)


def local_header(number: int, crc: int, packed: int, unpacked: int) -> bytes:
    return struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, packed, unpacked, 5, 0) + b"%d.png" % number


@pytest.mark.parametrize("build", [zip_of_overlapping, zip_of_quoting], ids=["one file many times", "files in files"])
def test_images_that_share_bytes_are_refused_by_the_listing_alone(
    tmp_path: Path, build: Callable[[int, bytes], bytes]
) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(build(8, bytes(100_000)))
    assert len(zipfile.ZipFile(path).infolist()) == 8

    with pytest.raises(ArchiveError, match=r"'\d\.png' overlaps.*Pack the images again"), opened(path) as archive:
        _ = archive.listing


def test_records_in_another_order_than_their_files_are_no_overlap(tmp_path: Path) -> None:
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(5):
            archive.writestr(f"{number}.png", b"%d" % number)
        archive.filelist.reverse()

    with opened(path) as source:
        assert [source.read(member, 9) for member in source.listing.images] == [b"4", b"3", b"2", b"1", b"0"]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 6)), max_size=8))
def test_an_overlap_is_found_exactly_where_two_ranges_share_a_byte(ranges: list[tuple[int, int]]) -> None:
    taken = [byte for start, length in ranges for byte in range(start, start + length)]

    found = find_overlap(array("Q", [a for a, _ in ranges]), array("Q", [a + length for a, length in ranges]))

    assert (found is not None) == (len(taken) > len(set(taken)))
    if found is not None:
        start, _ = ranges[found]
        assert any(a < start < a + length or a == start for n, (a, length) in enumerate(ranges) if n != found)


def test_images_that_unpack_to_too_much_together_are_refused_by_the_listing_alone(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [(f"{n}.png", bytes(1000)) for n in range(10)], compress=True)

    with pytest.raises(ArchiveError, match="more than 9,999 bytes of images when unpacked"):
        _ = opened(path, Limits(unpacked_bytes=9999)).listing
    with opened(path, Limits(unpacked_bytes=10_000)) as source:
        assert len(source.listing.images) == 10


def test_an_image_that_is_too_large_is_not_unpacked_and_does_not_count(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("1.png", bytes(1000)), ("2.png", b"x")], compress=True)

    with opened(path, Limits(image_bytes=100, unpacked_bytes=100)) as source:
        assert len(source.listing.images) == 2


def test_a_member_that_claims_to_unpack_to_little_gives_no_more(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("1.png", bytes(1_000_000))], compress=True)
    path.write_bytes(path.read_bytes().replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))

    with opened(path) as source, pytest.raises(UnreadableMember, match="damaged"):
        source.read(source.listing.images[0], 1000)


@given(data=st.binary(max_size=400))
def test_no_bytes_raise_anything_but_the_archives_own_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "z.zip"
    path.write_bytes(b"PK\x03\x04" + data + b"PK\x05\x06" + data)

    with contextlib.suppress(ArchiveError), opened(path) as archive:
        assert archive.listing.images


def packed_with(method: int) -> Callable[[Path], None]:
    def pack(path: Path) -> None:
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in FILES.items():
                archive.writestr(name, data)

    return pack


class Unseekable(io.RawIOBase):
    """A pipe: `zipfile` then writes sizes and checksums behind the data."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return self._file.write(data)  # type: ignore[arg-type]

    def close(self) -> None:
        self._file.close()


def packed_into_a_pipe(path: Path) -> None:
    with contextlib.closing(Unseekable(path)) as pipe, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)


def packed_as_zip64(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in FILES.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)


def packed_behind_a_program(path: Path) -> None:
    path.write_bytes(b"#!/bin/sh\nexit\n")
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"PK and a comment"
        for name, data in FILES.items():
            archive.writestr(name, data)


def packed_by(*command: str) -> Callable[[Path], None]:
    def pack(path: Path) -> None:
        if shutil.which(command[0]) is None:
            pytest.skip(f"{command[0]} is not installed")
        folder = path.with_name("files")
        for name, data in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        subprocess.run([*command, path, "."], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    return pack


FILES = {
    "7/a.png": b"seven" * 200,
    "7/\u00fcber \u6570.png": bytes(range(256)) * 9,
    "b.jpg": b"",
    "notes.txt": b"no image",
}


@pytest.mark.parametrize(
    "pack",
    [
        packed_with(zipfile.ZIP_STORED),
        packed_with(zipfile.ZIP_DEFLATED),
        packed_with(zipfile.ZIP_BZIP2),
        packed_with(zipfile.ZIP_LZMA),
        packed_into_a_pipe,
        packed_as_zip64,
        packed_behind_a_program,
        packed_by("zip", "-qr"),
        packed_by("zip", "-qr0"),
        packed_by("zip", "-qr", "-fz"),
        packed_by("7z", "a", "-tzip"),
    ],
    ids=["stored", "deflated", "bzip2", "lzma", "pipe", "zip64", "prefixed", "zip", "zip -0", "zip -fz", "7z"],
)
def test_a_zip_is_read_whoever_packed_it(tmp_path: Path, pack: Callable[[Path], None]) -> None:
    path = tmp_path / "z.zip"
    pack(path)

    with opened(path) as archive:
        read = {member.name: archive.read(member, 10_000) for member in archive.listing.images}
        assert read == {name: data for name, data in FILES.items() if name != "notes.txt"}
        assert archive.listing.skipped == {"other_files": 1}


def test_more_members_than_a_zip_without_64_bits_can_count(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [(f"{n}.png", b"%d" % n) for n in range(70_000)])

    with opened(path) as archive:
        assert len(archive.listing.images) == 70_000
        assert archive.read(archive.listing.images[-1], 100) == b"69999"


def test_names_of_the_time_before_utf8_are_in_the_code_page_of_dos(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("ab.png", b"x")])
    path.write_bytes(path.read_bytes().replace(b"ab.png", b"\x81b.png"))

    with opened(path) as archive:
        assert [member.name for member in archive.listing.images] == ["\u00fcb.png"]
        assert archive.read(archive.listing.images[0], 100) == b"x"


def test_a_name_that_info_zip_keeps_beside_the_dos_name_counts(tmp_path: Path) -> None:
    path, stored, name = tmp_path / "z.zip", b"\x81b.png", "\u6570.png"
    field = b"\1" + zlib.crc32(stored).to_bytes(4, "little") + name.encode()
    info = zipfile.ZipInfo("ab.png")
    info.extra = (0x7075).to_bytes(2, "little") + len(field).to_bytes(2, "little") + field
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, b"x")
    path.write_bytes(path.read_bytes().replace(b"ab.png", stored))

    with opened(path) as archive:
        assert [(member.name, archive.read(member, 9)) for member in archive.listing.images] == [(name, b"x")]


def test_a_shard_reads_its_images_by_the_index(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [(f"{n}.{('png', 'txt')[n % 2]}", b"%d" % n) for n in range(20)])
    index = tmp_path / "index"
    with opened(path) as archive, index.open("wb") as file:
        write_index(archive.listing.images, file)

    with opened(path) as archive:
        members = archive.members(read_index(index, 3, 6))
        assert [(member.name, archive.read(member, 9)) for member in members] == [
            ("6.png", b"6"),
            ("8.png", b"8"),
            ("10.png", b"10"),
        ]


def test_planning_holds_a_few_bytes_an_image(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [(f"{n:06d}.png", b"") for n in range(20_000)])

    tracemalloc.start()
    with opened(path) as archive:
        assert len(archive.listing.images) == 20_000
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # zipfile's own listing takes 12 MB. Of this, 3 MB are buffers, however many images there are.
    assert most < 5_000_000


def outcomes_with_zipfile(path: Path) -> list[object]:
    outcomes: list[object] = []
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            try:
                outcomes.append(archive.read(info))
            except Exception:
                outcomes.append("damaged")
    return outcomes


@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=3))
def test_a_damaged_zip_gives_no_bytes_that_zipfile_would_refuse(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, int]]
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "z.zip"
    members = [("1.png", b"A" * 40), ("2.png", bytes(30)), ("3.png", b"other")]
    data = bytearray(write_zip(path, members, compress=True).read_bytes())
    for place, change in changes:
        data[int(place * len(data))] ^= change
    path.write_bytes(data)

    read = []
    with contextlib.suppress(ArchiveError), opened(path) as archive:
        for member in archive.listing.images:
            with contextlib.suppress(UnreadableMember):
                read.append(archive.read(member, 1000))

    with contextlib.suppress(zipfile.BadZipFile, NotImplementedError, ValueError):
        allowed = outcomes_with_zipfile(path)
        assert all(data in allowed for data in read)


@given(st.text("a./_MACOSX p", max_size=12).map(lambda text: text.replace(" ", ".png")))
def test_images_and_folders_are_told_by_names_as_paths_tell_them(name: str) -> None:
    path = PurePosixPath(name)
    folders = [part for part in path.parts[:-1] if part != ".."]
    hidden = path.name.startswith(".") or any(part.startswith(".") or part == "__MACOSX" for part in folders)
    if not name.endswith(("/", "/.")):
        assert (kind_of(name) is Kind.IMAGE) == (not hidden and path.suffix.lower() == ".png")


@pytest.mark.parametrize(("method", "name"), [(9, "Deflate64"), (95, "XZ"), (98, "PPMd"), (93, "Zstandard")])
def test_a_way_of_packing_that_is_not_read_is_named(tmp_path: Path, method: int, name: str) -> None:
    path = write_zip(tmp_path / "z.zip", [("1.png", b"x" * 100)])
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        data[data.index(signature) + at] = method
    path.write_bytes(data)

    with (
        opened(path) as archive,
        pytest.raises(UnreadableMember, match=f"is compressed with {name}.*Deflate") as raised,
    ):
        archive.read(archive.listing.images[0], 1000)
    assert raised.value.kind == "unsupported_compression"


def test_a_zip_without_its_end_is_said_to_be_cut_short(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "z.zip", [("1.png", b"x" * 100)])
    path.write_bytes(path.read_bytes()[:-80])

    with pytest.raises(ArchiveError, match="truncated"):
        opened(path)


@pytest.mark.parametrize("part", ["first", "last"])
def test_a_part_of_a_split_zip_is_named(tmp_path: Path, part: str) -> None:
    path = write_zip(tmp_path / "z.zip", [("1.png", b"x" * 100)])
    data = bytearray(path.read_bytes())
    data[-18] = 2  # the number of this part, from 0
    path.write_bytes(b"PK\7\x08" + data[:-22] if part == "first" else data)

    with pytest.raises(ArchiveError, match=r"one part of a split zip.*Join them"):
        suffix_of(path)
        opened(path)


@pytest.mark.parametrize(
    ("start", "name"),
    [(b"MSCF", "a Windows cabinet"), (b"\x1f\x9d\x90", "a compress"), (b"\x04\x22\x4d\x18", "an LZ4")],
)
def test_an_archive_that_is_not_read_is_named_with_a_remedy(tmp_path: Path, start: bytes, name: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(start + bytes(600))

    with pytest.raises(ArchiveError, match=f"This file is {name}.*Pack the images into a .zip"):
        suffix_of(path)
