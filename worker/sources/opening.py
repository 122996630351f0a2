"""Tells by its content what kind of source a file is, and opens it."""

import tarfile
from collections.abc import Callable
from pathlib import Path

from trainer.file_kinds import SPLIT_ZIP, TAR, ZIP, kind_of_file
from worker.errors import ArchiveError
from worker.sources.compressed import PACKED, check_7z, is_7z, is_packed, open_compressed, unpack
from worker.sources.folders import Folder, count_folder
from worker.sources.limits import Limits
from worker.sources.source import Listing, Source
from worker.sources.survey import Survey
from worker.sources.tars import FARTHEST, Headers, Tar, meet_member
from worker.sources.zips import SPLIT, Zip

# In a job's work directory.
UNPACKED = "unpacked.tar"
NAMES = "names"

# A tar is counted at submission as far as this, which takes a few seconds; the plan counts a larger one.
COUNTED_FILES = 250_000
COUNTED_UNPACKED_BYTES = 256 * 2**20

REMEDY = "Pack the images into a .zip or a .tar.gz and hand that in."


def open_source(path: Path, work: Path, limits: Limits | None = None) -> Source:
    """Open a zip, a tar, a compressed tar, a 7-Zip archive or a directory.

    Args:
        path: what was handed in. What kind of file it is its content tells, not its name.
        work: where `prepare` and listing a directory put what is needed to read at random.
        limits: what `listing` refuses; default: nothing.

    Raises:
        ArchiveError: it is of no kind that is known, or damaged.
    """
    limits = limits or Limits()
    if path.is_dir():
        return Folder(path, work / NAMES, limits)
    start = _read_start(path)
    if is_packed(start):
        return Tar(work / UNPACKED, limits, "7-Zip archive" if is_7z(start) else "tar")
    return Tar(path, limits) if _is_tar(start) else Zip(path, limits)


def needs_unpacking(path: Path) -> bool:
    """Whether `prepare` has something to do for what was handed in: it is a compressed tar or a
    7-Zip archive.

    Raises:
        ArchiveError: it cannot be read any more.
    """
    return not path.is_dir() and is_packed(_read_start(path))


def prepare(path: Path, work: Path, limits: Limits, check: Callable[[], None]) -> None:
    """Make ready in `work` what `open_source` needs: a compressed tar or a 7-Zip archive is unpacked
    there. Nothing for other kinds.

    Args:
        check: called often; may raise to stop.

    Raises:
        ArchiveError: the file is damaged, cut short, encrypted, or unpacks to too much.
    """
    if needs_unpacking(path):
        unpack(path, work / UNPACKED, limits, check)


def list_whole(path: Path, limits: Limits) -> Listing | None:
    """The listing of a zip. None of any other kind, whose images are counted by less than a listing.

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
    """How many images are in what was handed in, by its listing alone; at least 1.

    Files whose names do not say whether they are images are opened. Of a tar that takes long to go through, this is how
    many images are in its beginning, and of a 7-Zip archive 1, since a hostile one takes much memory to list: the plan
    finds the rest.

    Raises:
        ArchiveError: it is of no kind that is known, damaged, holds no image, or is beyond the limits.
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
            return _count_tar(Headers(file), limits, FARTHEST)
    with Zip(path, limits) as archive:
        return len(archive.listing.images)


def suffix_of(path: Path) -> str:
    """The suffix that the name of such an archive has, told by its content; of what is no archive, that of a zip.

    Raises:
        ArchiveError: it is an archive of a kind that is not read here, or damaged.
    """
    start = _read_start(path)
    kind = kind_of_file(start)
    if kind is SPLIT_ZIP:
        raise ArchiveError(SPLIT)
    if kind is not None and kind.group == "archive" and kind not in (ZIP, TAR, *PACKED):
        raise ArchiveError(f"This file is {kind.with_article}, which is not read here. {REMEDY}")
    if kind in PACKED:
        if not is_7z(start):
            _refuse_compressed_other(path)
        return PACKED[kind]
    return ".tar" if _is_tar(start) else ".zip"


def _refuse_compressed_other(path: Path) -> None:
    with open_compressed(path) as unpacked:
        if not _is_tar(unpacked.read(tarfile.BLOCKSIZE)):
            raise ArchiveError(f"This file is compressed, but holds no tar. {REMEDY}")


def _count_tar(headers: Headers, limits: Limits, most_bytes: int) -> int:
    survey = Survey("tar", limits)
    for met, (position, member) in enumerate(headers.scan()):
        meet_member(survey, headers, position, member)
        if met > COUNTED_FILES or member.offset_data + member.size > most_bytes:
            return max(1, len(survey.positions))
    survey.refuse_without_images()
    return len(survey.positions)


def _is_tar(start: bytes) -> bool:
    """Whether a file that starts so is a tar, be it an empty one: that is all zeros."""
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
        raise ArchiveError(f"What was handed in cannot be read any more ({error}). Hand it in anew.") from error
