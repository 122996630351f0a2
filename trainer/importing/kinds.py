"""Tells by its content what kind of file was uploaded, and has it read by the reader of that kind."""

import zipfile
from pathlib import Path

from trainer.errors import DatasetInvalid
from trainer.importing.folders import IMAGE_SUFFIXES, class_of, read_folders
from trainer.importing.found import Check, Found
from trainer.importing.idx_files import idx_name, read_idx_files
from trainer.importing.npz import read_npz
from trainer.importing.preprocessing import Wanted
from trainer.importing.refusals import KINDS, refuse_damage
from trainer.importing.tables import read_csv, read_csvs
from trainer.importing.zips import Members, members_of, open_zip


def read_upload(path: Path, check: Check, preprocessing: Wanted) -> Found:
    """What the file holds, whatever it is called.

    Args:
        check: called every few hundred images; may raise to stop.
        preprocessing: of class folders.

    Raises:
        DatasetInvalid: it is of no kind that is known, is damaged, or holds what no data set can be made of.
    """
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if not start:
            raise DatasetInvalid(f"The file is empty (0 bytes). {KINDS}")
        if not start.startswith(b"PK"):
            return Found(read_csv(file, "The file", check))
        with refuse_damage("The zip"):
            archive = open_zip(file)
            members = members_of(archive)
        with archive:
            return _read_zip(archive, members, check, preprocessing)


def _read_zip(archive: zipfile.ZipFile, members: Members, check: Check, preprocessing: Wanted) -> Found:
    if any(path.suffix == ".npy" for path in members):
        return read_npz(archive, members, check)
    if any(map(idx_name, members)):
        return read_idx_files(archive, members, check)
    images = {path: member for path, member in members.items() if path.suffix.lower() in IMAGE_SUFFIXES}
    if any(map(class_of, images)):
        return read_folders(archive, images, check, preprocessing)
    if any(path.suffix.lower() == ".csv" for path in members):
        return read_csvs(archive, members, check)
    if images:
        raise DatasetInvalid(
            f"The zip holds {len(images):,} images, but none in a class folder. Put each image into a folder named "
            "after its class: cats/1.png, or train/cats/1.png and test/cats/2.png."
        )
    shown = ", ".join(map(str, list(members)[:3])) or "nothing"
    raise DatasetInvalid(f"The zip holds no data set that is known; found {shown}. {KINDS}")
