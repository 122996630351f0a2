"""The same files as people hand them in: as a zip, a tar, a 7-Zip archive, or in a directory."""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import py7zr
from backports import zstd

from tenfold.worker.sources import Limits, Source, open_source, prepare

KINDS = ("zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "7z", "directory")


def commit_outputs(kind: str, parent: Path, files: Mapping[str, bytes]) -> Path:
    """Files of these names as one source of this kind, in `parent`."""
    path = parent / f"handed-in-{kind}"
    if kind == "directory":
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        path.mkdir(exist_ok=True)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    elif kind == "7z":
        path.write_bytes(seven_zip_bytes(files))
    elif kind == "tar.zst":
        path.write_bytes(zstd.compress(tar_bytes(member(name, data) for name, data in files.items())))
    else:
        path.write_bytes(tar_bytes([member(name, data) for name, data in files.items()], kind.partition(".")[2]))
    return path


def member(name: str, data: bytes = b"", **attributes: Any) -> tuple[tarfile.TarInfo, bytes]:
    """A member of a tar, with attributes of its `TarInfo`."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, data


def seven_zip_bytes(files: Mapping[str, bytes], **options: Any) -> bytes:
    """A 7-Zip archive whose names are not packed, with options of py7zr's `SevenZipFile`."""
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w", **options) as archive:
        archive.set_encoded_header_mode(False)
        for name, data in files.items():
            archive.writestr(data, name)
    return buffer.getvalue()


def renamed_in_7z(archive: bytes, name: str, other: str) -> bytes:
    """A 7-Zip archive whose names are not packed, in which a file has another name of the same length."""
    changed = bytearray(archive.replace(name.encode("utf-16-le"), other.encode("utf-16-le")))
    offset, size = struct.unpack_from("<2Q", changed, 12)
    struct.pack_into("<I", changed, 28, zlib.crc32(changed[32 + offset : 32 + offset + size]))
    struct.pack_into("<I", changed, 8, zlib.crc32(changed[12:32]))
    return bytes(changed)


def tar_bytes(
    members: Iterable[tuple[tarfile.TarInfo, bytes]], compression: str = "", format: int = tarfile.PAX_FORMAT
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}", format=format) as archive:  # type: ignore[call-overload]
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def opened(path: Path, limits: Limits | None = None) -> Source:
    """The source as a worker opens it, with what it needs beside it."""
    work = path.with_name(f"work-of-{path.name}")
    work.mkdir(exist_ok=True)
    prepare(path, work, limits or Limits(), check=lambda: None)
    return open_source(path, work, limits)
