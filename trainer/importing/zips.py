"""What lies in an uploaded zip, and in a gzip."""

import gzip
import io
import zipfile
from pathlib import PurePosixPath
from typing import IO, cast

Members = dict[PurePosixPath, zipfile.ZipInfo]


def members_of(archive: zipfile.ZipFile) -> Members:
    """The files in a zip, without those that a file manager added."""
    members = {_path(member): member for member in archive.infolist() if not member.is_dir()}
    return {path: member for path, member in members.items() if not _is_hidden(path)}


def unzipped(file: IO[bytes]) -> "io.BufferedReader[io.RawIOBase] | gzip.GzipFile":
    """The file's content, gzipped or not."""
    stream = io.BufferedReader(cast(io.RawIOBase, file))
    return gzip.GzipFile(fileobj=stream) if stream.peek(2)[:2] == b"\x1f\x8b" else stream


def _path(member: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(member.filename.replace("\\", "/"))


def _is_hidden(path: PurePosixPath) -> bool:
    return path.name.startswith(".") or "__MACOSX" in path.parts
