"""The same files as people hand them in: as a zip, as a tar, or in a directory."""

import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from worker.sources import Limits, Source, open_source, prepare

KINDS = ("zip", "tar", "tar.gz", "tar.bz2", "directory")


def hand_in(kind: str, parent: Path, files: Mapping[str, bytes]) -> Path:
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
