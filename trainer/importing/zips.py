"""Reads uploaded zips: no links, no names that lead outside, and bounded in members and unpacked size."""

import shutil
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from tenfold.files.names import leads_outside
from tenfold.trainer.errors import ModelRefused

MAX_MEMBERS = 2000

# A weight file hardly compresses: one that unpacks to more than this many times its size is no model.
MAX_RATIO = 100


@contextmanager
def open_zip(path: Path, max_bytes: int) -> Iterator[zipfile.ZipFile]:
    """Open a zip, all of whose members may be unpacked.

    Args:
        max_bytes: of all members together, unpacked.

    Raises:
        ModelRefused: it is damaged, encrypted, too large, or has links or names that lead outside.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check(archive, path.stat().st_size, max_bytes)
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ModelRefused(
            "file", f"The zip is damaged or truncated ({error}). Save or pack the model again."
        ) from error


def files_of(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files by name, without directories."""
    return {info.filename: info for info in archive.infolist() if not info.is_dir()}


def unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    """Write a member to `target`; never more bytes than the directory of the zip says.

    Raises:
        ModelRefused: it has more.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file, 2**20)


def _check(archive: zipfile.ZipFile, packed: int, max_bytes: int) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise ModelRefused(
            "file", f"The zip has {len(members):,} members; a model has at most {MAX_MEMBERS:,}. Pack only the model."
        )
    names = set()
    for info in members:
        shown = info.filename[:100]
        if leads_outside(info.filename) or "\\" in info.filename:
            raise ModelRefused("file", f"The zip's member {shown!r} leads out of the zip. Pack the model again.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ModelRefused("file", f"The zip's member {shown!r} is a link. Pack the file itself.")
        if info.flag_bits & 0x1:
            raise ModelRefused("file", "The zip is encrypted. Pack the model without a password.")
        if PurePosixPath(info.filename) in names:
            raise ModelRefused("file", f"The zip has two members named {shown!r}. Pack the model again.")
        names.add(PurePosixPath(info.filename))
    total = sum(info.file_size for info in members)
    if total > max_bytes or total > max(MAX_RATIO * packed, 2**20):
        raise ModelRefused(
            "file",
            f"The zip of {packed:,} bytes unpacks to {total:,}; at most {max_bytes:,} bytes and {MAX_RATIO} times its "
            "size are unpacked. Pack only the model.",
        )
