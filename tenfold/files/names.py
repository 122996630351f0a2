"""What the name of a file in an archive tells: whether it is an image, what else, or that its content has to say.

A name is only ever reported and looked at. None is used as a path to write to.
"""

import re
from enum import StrEnum

from tenfold.files.system_files import SYSTEM_FILES, is_system_folder

IMAGE_SUFFIXES = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp"),
        *(".heic", ".heif", ".hif", ".avif", ".jp2", ".j2k", ".jpx", ".jxl", ".pgm", ".pbm", ".ppm", ".pnm", ".tga"),
        *(".ico", ".pdf"),
    }
)
# Names of files that can have several pages or frames; what has another name is taken for one picture.
PAGED_SUFFIXES = frozenset({".tif", ".tiff", ".pdf", ".gif", ".webp", ".apng", ".heic", ".heif", ".hif", ".avif"})

# Pages of one file: more fit neither the index of a source nor a person's patience.
MAX_PAGES = 10_000

# Archives that a classification can read. The volume keeps each as `input` with one of these suffixes.
INPUT_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".7z")

ARCHIVE_SUFFIXES = frozenset(
    {".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tzst", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".cab", ".jar"}
)
# What people put beside images, and is not opened to see whether it is one.
OTHER_SUFFIXES = frozenset(
    {".csv", ".tsv", ".txt", ".json", ".jsonl", ".xml", ".html", ".htm", ".md", ".yml", ".yaml", ".log", ".py"}
)

# Tables that may say more of the images, as people call them: the first counts.
MANIFEST_STEMS = ("manifest", "labels", "label", "metadata", "annotations", "train", "test", "data", "index")
MANIFESTS = tuple(stem + suffix for suffix in (".csv", ".tsv", ".txt") for stem in MANIFEST_STEMS)

DRIVE = re.compile(r"[A-Za-z]:[/\\]")
SEPARATORS = re.compile(r"[/\\]")


class Kind(StrEnum):
    """What a file is; all but images, with pages or not, and the one manifest, are skipped and counted under these
    words."""

    IMAGE = "images"
    PAGED = "paged_images"
    SYSTEM = "system_files"
    HIDDEN = "hidden_files"
    ARCHIVE = "archives"
    LINK = "directory_links"
    OTHER = "other_files"
    UNKNOWN = "unknown"


IMAGES = (Kind.IMAGE, Kind.PAGED)


def kind_of(name: str) -> Kind:
    """What the name says of a file; `UNKNOWN` where only its content can tell."""
    folder, base = split_name(name)
    kind = kind_of_base(base)
    return Kind.HIDDEN if is_system_folder(folder) and kind is not Kind.SYSTEM else kind


def kind_of_base(base: str) -> Kind:
    """As `kind_of`, of a name without folders."""
    if base.startswith("."):
        return Kind.SYSTEM
    suffix = base[base.rfind(".") :].lower() if "." in base else ""
    if suffix in IMAGE_SUFFIXES:
        return Kind.PAGED if suffix in PAGED_SUFFIXES else Kind.IMAGE
    if base.lower() in SYSTEM_FILES:
        return Kind.SYSTEM
    if suffix in ARCHIVE_SUFFIXES:
        return Kind.ARCHIVE
    return Kind.OTHER if suffix in OTHER_SUFFIXES else Kind.UNKNOWN


def split_name(name: str) -> tuple[str, str]:
    """The folder of a file, with slashes, and its name there. Old packers on Windows wrote folders with backslashes."""
    folder, _, base = name.replace("\\", "/").rpartition("/")
    return folder, base


def leads_outside(name: str) -> bool:
    """Whether the name, taken as a path, would lead out of the directory that it is unpacked in."""
    if name.startswith(("/", "\\")) or DRIVE.match(name):
        return True
    return ".." in name and ".." in SEPARATORS.split(name)
