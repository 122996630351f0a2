"""Detects the format of an uploaded file by its content, and reads it."""

import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile

from tenfold.files.kinds import HDF5, PARQUET, SEVEN_ZIP, START_BYTES, ZIP, FileKind, kind_of_file
from tenfold.trainer.data.importing.archives import Archive, open_7z, open_tar, open_unpacked, open_zip
from tenfold.trainer.data.importing.arrays import read_hdf5, read_npz
from tenfold.trainer.data.importing.found import Check, Found
from tenfold.trainer.data.importing.idx_files import idx_file, read_idx_files
from tenfold.trainer.data.importing.listed import read_listed
from tenfold.trainer.data.importing.parquet import copied, read_parquet
from tenfold.trainer.data.importing.parts import put_together
from tenfold.trainer.data.importing.pictures import find_images, layout_of, read_folders, skip_others
from tenfold.trainer.data.importing.preprocessing import Wanted
from tenfold.trainer.data.importing.refusals import KINDS, REMEDIES, refuse_damage
from tenfold.trainer.data.importing.tables import is_table, read_csv, read_csvs
from tenfold.trainer.errors import DatasetInvalid, UnpackingFailed
from tenfold.trainer.files.splits import part_named
from tenfold.trainer.files.unpacking import COMPRESSED

# Files that are listed in the error for an archive without a data set.
LISTED_FILES = 3


def read_upload(path: Path, check: Check, wanted: Wanted) -> Found:
    """Read an uploaded file, whatever its name.

    Args:
        check: called every few hundred images; raises an exception to stop.
        wanted: for class folders.

    Raises:
        DatasetInvalid: the format is not supported, the file is damaged, or it contains no data set.
    """
    with path.open("rb") as file:
        start = file.read(START_BYTES)
    if not start:
        raise DatasetInvalid(f"The file is empty (0 bytes). {KINDS}")
    try:
        return _read_kind(path, start, check, wanted)
    except UnpackingFailed as error:
        raise DatasetInvalid(str(error)) from error


def _read_kind(path: Path, start: bytes, check: Check, wanted: Wanted) -> Found:
    kind = kind_of_file(start)
    if kind is HDF5:
        return read_hdf5(path, check)
    if kind is PARQUET:
        return read_parquet([("The Parquet file", None, path)], check, wanted)
    if kind is SEVEN_ZIP:
        with open_7z(path, check) as archive:
            return _read_archive(archive, check, wanted)
    with ExitStack() as stack:
        if kind in COMPRESSED:
            assert kind is not None
            file = stack.enter_context(open_unpacked(path, kind, check))
            start = file.read(START_BYTES)
            file.seek(0)
        else:
            file = stack.enter_context(path.open("rb"))
        if start.startswith(b"PK") or ((kind is None or kind.group == "other") and zipfile.is_zipfile(file)):
            with refuse_damage("The zip"):
                archive = stack.enter_context(open_zip(file, path.parent))
        elif _is_tar(start):
            with refuse_damage("The tar"):
                archive = stack.enter_context(open_tar(file, path.parent))
        else:
            file.seek(0)
            found = read_csv(file, "The file", check)
            together = put_together([("The file", None, found.train)])
            return replace(together, warnings=[*together.warnings, *found.warnings])
        return _read_archive(archive, check, wanted)


def _read_archive(archive: Archive, check: Check, wanted: Wanted) -> Found:
    found = _read_files(archive, check, wanted)
    skipped = archive.skipped
    return replace(
        found,
        notes=[*found.notes, *skipped.sentences(of_images=False)],
        warnings=[*skipped.sentences(of_images=True), *found.warnings],
        skipped={**found.skipped, **skipped.counts},
    )


def _read_files(archive: Archive, check: Check, wanted: Wanted) -> Found:
    members = archive.members
    if any(path.suffix == ".npy" for path in members):
        return read_npz(archive, check)
    if any(map(idx_file, members)):
        return read_idx_files(archive, check)
    images, others = find_images(archive, check)
    if images:
        layout = layout_of(images)
        tables = [path for path in others if is_table(path)]
        if len(layout.classes) < 2:
            found = read_listed(archive, images, tables, check, wanted)
            if found is not None:
                skip_others(archive, {path: kind for path, kind in others.items() if path not in tables})
                return found
        if layout.classes:
            skip_others(archive, others)
            return read_folders(archive, images, layout, check, wanted)
    if any(map(is_table, others)):
        return read_csvs(archive, check)
    if images:
        raise DatasetInvalid(
            f"The {archive.what} contains {len(images):,} images, but none in a class folder, and no table of labels. "
            "Put each image into a folder named after its class: cats/1.png, or train/cats/1.png and test/cats/2.png."
        )
    if inner := _inner(others):
        return _read_inner(archive, inner, check, wanted)
    raise DatasetInvalid(
        f"The {archive.what} contains no data set of a supported format; found {_shown(archive, others)}. {KINDS}"
    )


def _inner(others: Mapping[PurePosixPath, FileKind | None]) -> Sequence[PurePosixPath]:
    """Files in an archive that are data sets themselves: all Parquet files, or a single HDF5 or npz file."""
    parquet = [path for path, kind in others.items() if kind is PARQUET]
    single = [path for path, kind in others.items() if kind is HDF5 or (kind is ZIP and path.suffix == ".npz")]
    return parquet or (single if len(single) == 1 else [])


def _read_inner(archive: Archive, paths: Sequence[PurePosixPath], check: Check, wanted: Wanted) -> Found:
    with ExitStack() as stack:
        files = [stack.enter_context(_on_disk(archive, path, check)) for path in paths]
        if archive.kind(paths[0]) is PARQUET:
            named = [(str(path), part_named(path.stem)) for path in paths]
            parts = [(name, part.part if part else None, file) for (name, part), file in zip(named, files, strict=True)]
            return read_parquet(parts, check, wanted)
        if archive.kind(paths[0]) is HDF5:
            return read_hdf5(files[0], check)
        with files[0].open("rb") as file:
            with refuse_damage(str(paths[0])):
                inner = stack.enter_context(open_zip(file))
            return read_npz(inner, check)


@contextmanager
def _on_disk(archive: Archive, path: PurePosixPath, check: Check) -> Iterator[Path]:
    with NamedTemporaryFile(dir=archive.beside) as target:
        with archive.open(path) as file:
            copied(file, target.file, check)
        yield Path(target.name)


def _shown(archive: Archive, others: Mapping[PurePosixPath, FileKind | None]) -> str:
    """The first files with their formats, for a message."""
    shown = []
    for path in list(others)[:LISTED_FILES]:
        kind = others[path]
        about = "" if kind is None else f" ({REMEDIES.get(kind, kind.name)})"
        shown.append(f"{path}{about}")
    skipped = f"only {', '.join(archive.skipped.counts)}" if archive.skipped.counts else "nothing"
    return ", ".join(shown) or skipped


def _is_tar(start: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(start[: tarfile.BLOCKSIZE], "utf-8", "replace")
    except tarfile.HeaderError:
        return False
    return True
