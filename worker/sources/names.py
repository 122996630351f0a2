"""What the name of a file in an archive tells: whether it is an image, what else, and which class it belongs to.

A name is only ever reported and looked at. None is used as a path to write to.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import PurePosixPath

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})
ARCHIVE_SUFFIXES = frozenset(
    {".zip", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".cab", ".jar"}
)
# Small letters: what file managers leave behind, beside names that begin with a dot.
SYSTEM_NAMES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini"})
MANIFEST = "manifest.csv"

DRIVE = re.compile(r"[A-Za-z]:[/\\]")
SEPARATORS = re.compile(r"[/\\]")


class Kind(StrEnum):
    """What a file is by its name; all but images, and the one manifest, are skipped and counted under these words."""

    IMAGE = "images"
    SYSTEM = "system files"
    ARCHIVE = "archives"
    LINK = "links to directories"
    OTHER = "other files"


def kind_of(name: str) -> Kind:
    base = _with_slashes(name).rpartition("/")[2]
    if base.startswith(".") or ("__MACOSX" in name and "__MACOSX" in name.split("/")):
        return Kind.SYSTEM
    suffix = base[base.rfind(".") :].lower()
    if suffix in IMAGE_SUFFIXES:
        return Kind.IMAGE
    if base.lower() in SYSTEM_NAMES:
        return Kind.SYSTEM
    return Kind.ARCHIVE if suffix in ARCHIVE_SUFFIXES else Kind.OTHER


def leads_outside(name: str) -> bool:
    """Whether the name, taken as a path, would lead out of the directory that it is unpacked in."""
    if name.startswith(("/", "\\")) or DRIVE.match(name):
        return True
    return ".." in name and ".." in SEPARATORS.split(name)


def label_of(name: str, class_names: Sequence[str]) -> str | None:
    """The class that the member's folder names (`7/scan.png` is a 7), or None when it names none."""
    folder = _last_part(_with_slashes(name).rpartition("/")[0])
    return folder if folder in class_names else None


def _with_slashes(name: str) -> str:
    """Old packers on Windows wrote folders with backslashes."""
    return name.replace("\\", "/")


@lru_cache
def _last_part(path: str) -> str:
    return PurePosixPath(path).name
