"""Compressed files become what they hold, and 7-Zip archives tars, in bounded memory."""

import bz2
import gzip
import io
import lzma
import random
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import py7zr
import pytest
from backports import zstd

from tenfold.files.kinds import FileKind, kind_of_file
from tenfold.trainer.errors import UnpackingFailed
from tenfold.trainer.files import unpacking
from tenfold.trainer.files.unpacking import tar_of_7z, unpacked

CONTENT = random.Random(1).randbytes(3000) * 500
FILES = {"7/1.png": b"seven", "8/empty.png": b"", "検針/" + "long" * 40 + ".png": bytes(range(256)) * 5000}


def compressed(pack: Callable[[bytes], bytes]) -> bytes:
    """Two streams after each other, as parallel packers and `cat` make."""
    return pack(CONTENT[:1000]) + pack(CONTENT[1000:])


# As the program zstd does by default; without a checksum nothing tells that bytes were changed.
with_checksum = partial(zstd.compress, options={zstd.CompressionParameter.checksum_flag: 1})
PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "Zstandard": with_checksum}


def kind_of(path: Path) -> FileKind:
    kind = kind_of_file(path.read_bytes()[:1024])
    assert kind is not None
    return kind


def seven_zip(path: Path, **options: object) -> None:
    with py7zr.SevenZipFile(path, "w", **options) as archive:
        for name, data in FILES.items():
            archive.writestr(data, name)


@pytest.mark.parametrize("name", PACKERS)
def test_a_compressed_file_is_unpacked(tmp_path: Path, name: str) -> None:
    path = tmp_path / "packed"
    path.write_bytes(compressed(PACKERS[name]))

    pieces = list(unpacked(path, kind_of(path)))

    assert b"".join(pieces) == CONTENT
    assert len(pieces) > 1


@pytest.mark.parametrize("name", PACKERS)
def test_one_that_is_cut_short_or_damaged_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "packed"
    whole = PACKERS[name](CONTENT)
    middle = len(whole) // 2
    flipped = bytes(byte ^ 0xFF for byte in whole[middle : middle + 30])
    for broken in (whole[:-5], whole[:middle] + flipped + whole[middle + 30 :]):
        path.write_bytes(broken)
        with pytest.raises(UnpackingFailed, match="damaged or truncated"):
            list(unpacked(path, kind_of(path)))


def test_xz_that_asks_for_too_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_MEMORY_BYTES", 2**20)
    path = tmp_path / "packed"
    path.write_bytes(lzma.compress(CONTENT))

    with pytest.raises(UnpackingFailed, match=r"[Mm]emory"):
        list(unpacked(path, kind_of(path)))


@pytest.mark.parametrize(
    "filters",
    [
        None,
        [{"id": py7zr.FILTER_LZMA}],
        [{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 24}],
        [{"id": py7zr.FILTER_ZSTD, "level": 3}],
        [{"id": py7zr.FILTER_BZIP2}],
        [{"id": py7zr.FILTER_DEFLATE}],
        [{"id": py7zr.FILTER_COPY}],
    ],
    ids=["default", "lzma", "ppmd", "zstd", "bzip2", "deflate", "copy"],
)
def test_a_7z_becomes_a_tar_of_the_same_files(tmp_path: Path, filters: list[dict[str, int]] | None) -> None:
    seven_zip(tmp_path / "a.7z", filters=filters)
    target, seen = io.BytesIO(), []

    tar_of_7z(tmp_path / "a.7z", target, seen.append)

    target.seek(0)
    with tarfile.open(fileobj=target) as tar:
        found = {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]
    assert found == FILES
    assert seen


def test_an_encrypted_a_damaged_and_a_greedy_7z_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_MEMORY_BYTES", 2**26)
    path = tmp_path / "a.7z"
    for options, change, complaint in (
        ({"password": "secret"}, lambda data: data, "encrypted"),
        ({"password": "secret", "header_encryption": True}, lambda data: data, "encrypted"),
        ({}, lambda data: data[:-20], "truncated"),
        ({}, lambda data: data[:40] + b"\xff" * 9 + data[49:], "damaged"),
        ({"filters": [{"id": py7zr.FILTER_LZMA2, "dict_size": 2**27}]}, lambda data: data, "more than 64 MiB"),
    ):
        seven_zip(path, **options)
        path.write_bytes(change(path.read_bytes()))
        with pytest.raises(UnpackingFailed, match=rf"{complaint}"):
            tar_of_7z(path, io.BytesIO(), lambda _: None)


def test_a_7z_is_stopped_while_it_is_unpacked(tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(_: int) -> None:
        raise Stopped

    seven_zip(tmp_path / "a.7z")

    with pytest.raises(Stopped):
        tar_of_7z(tmp_path / "a.7z", io.BytesIO(), stop)
