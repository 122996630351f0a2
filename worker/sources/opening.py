"""Detects the format of a source by its content, and opens it."""

import tarfile
from collections.abc import Callable
from pathlib import Path

from tenfold.files.kinds import SPLIT_ZIP, TAR, ZIP, kind_of_file
from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources.compressed import PACKED, check_7z, is_7z, is_packed, open_compressed, unpack
from tenfold.worker.sources.folders import Folder, count_folder
from tenfold.worker.sources.source import Limits, Listing, Source
from tenfold.worker.sources.survey import Survey
from tenfold.worker.sources.tars import MAX_POSITION, Headers, Tar, add_member
from tenfold.worker.sources.zips import SPLIT, Zip

# In a job's work directory.
UNPACKED = "unpacked.tar"
NAMES = "names"

# At submission a tar is counted up to here, a few seconds; the plan counts the rest.
COUNTED_FILES = 250_000
COUNTED_UNPACKED_BYTES = 256 * 2**20

REMEDY = "Pack the images into a .zip or .tar.gz and submit that."


def open_source(path: Path, work: Path, limits: Limits | None = None) -> Source:
    """Open a zip, a tar, a compressed tar, a 7-Zip archive or a directory.

    Args:
        path: the submitted file or directory. Its name does not matter.
        work: directory with what `prepare` made; a directory's listing is written there.
        limits: enforced by `listing`; default: none.

    Raises:
        ArchiveError: the format is not recognized, or the file is damaged.
    """
    limits = limits or Limits()
    if path.is_dir():
        return Folder(path, work / NAMES, limits)
    start = _read_start(path)
    if is_packed(start):
        return Tar(work / UNPACKED, limits, "7-Zip archive" if is_7z(start) else "tar")
    return Tar(path, limits) if _is_tar(start) else Zip(path, limits)


def needs_unpacking(path: Path) -> bool:
    """Whether this is a compressed tar or a 7-Zip archive, which `prepare` unpacks.

    Raises:
        ArchiveError: it can no longer be read.
    """
    return not path.is_dir() and is_packed(_read_start(path))


def prepare(path: Path, work: Path, limits: Limits, check: Callable[[], None]) -> None:
    """Unpack a compressed tar or a 7-Zip archive into `work` for `open_source`. Does nothing for other formats.

    Args:
        check: called often; may raise to stop.

    Raises:
        ArchiveError: the file is damaged, truncated or encrypted, or exceeds the limits.
    """
    if needs_unpacking(path):
        unpack(path, work / UNPACKED, limits, check)


def list_zip(path: Path, limits: Limits) -> Listing | None:
    """The listing of a zip. None for other formats, whose images can be counted without one.

    Raises:
        ArchiveError: as `count_images`.
    """
    if path.is_dir():
        return None
    start = _read_start(path)
    if is_packed(start) or _is_tar(start):
        return None
    with Zip(path, limits) as archive:
        return archive.listing


def count_images(path: Path, limits: Limits) -> int:
    """Count the images of a submission without decoding them; at least 1.

    Files whose names do not show whether they are images are opened. For a large tar this counts its beginning, and
    for a 7-Zip archive it is 1, since listing a hostile one takes much memory: the plan counts them all.

    Raises:
        ArchiveError: the format is not recognized, the file is damaged or has no images, or exceeds the limits.
    """
    if path.is_dir():
        return count_folder(path, limits)
    start = _read_start(path)
    if is_7z(start):
        check_7z(path)
        return 1
    if is_packed(start):
        with open_compressed(path) as unpacked:
            return _count_tar(Headers(unpacked), limits, COUNTED_UNPACKED_BYTES)
    if _is_tar(start):
        with path.open("rb") as file:
            return _count_tar(Headers(file), limits, MAX_POSITION)
    with Zip(path, limits) as archive:
        return len(archive.listing.images)


def suffix_of(path: Path) -> str:
    """The file name suffix for an archive, by its content; `.zip` for what is not an archive.

    Raises:
        ArchiveError: this archive format is not supported, or the file is damaged.
    """
    start = _read_start(path)
    kind = kind_of_file(start)
    if kind is SPLIT_ZIP:
        raise ArchiveError(SPLIT)
    if kind is not None and kind.group == "archive" and kind not in (ZIP, TAR, *PACKED):
        raise ArchiveError(f"This file is {kind.with_article}, which is not supported. {REMEDY}")
    if kind in PACKED:
        if not is_7z(start):
            _refuse_compressed_other(path)
        return PACKED[kind]
    return ".tar" if _is_tar(start) else ".zip"


def _refuse_compressed_other(path: Path) -> None:
    with open_compressed(path) as unpacked:
        if not _is_tar(unpacked.read(tarfile.BLOCKSIZE)):
            raise ArchiveError(f"This file is compressed, but does not contain a tar. {REMEDY}")


def _count_tar(headers: Headers, limits: Limits, most_bytes: int) -> int:
    survey = Survey("tar", limits)
    for count, (position, member) in enumerate(headers.scan()):
        add_member(survey, headers, position, member)
        if count > COUNTED_FILES or member.offset_data + member.size > most_bytes:
            return max(1, len(survey.positions))
    survey.refuse_without_images()
    return len(survey.positions)


def _is_tar(start: bytes) -> bool:
    """Whether a file that starts with these bytes is a tar; an empty one is all zeros."""
    try:
        tarfile.TarInfo.frombuf(start, "utf-8", "replace")
    except tarfile.HeaderError:
        return len(start) == tarfile.BLOCKSIZE and not any(start)
    return True


def _read_start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(tarfile.BLOCKSIZE)
    except OSError as error:
        raise ArchiveError(f"The submitted file can no longer be read ({error}). Submit it again.") from error
