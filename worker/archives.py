"""Reads the images of an uploaded zip, in the archive's own order, without ever extracting to disk."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from worker.errors import ArchiveError

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})


class UnreadableMember(Exception):
    """One member of the archive that cannot be read; its row gets this message."""


@dataclass(frozen=True)
class Listing:
    """What an archive holds. `skipped` counts files that are no images: thumbnails, notes, system files."""

    images: tuple[zipfile.ZipInfo, ...]
    skipped: int


class Archive:
    """An open zip of images. Close it, or use it in a `with` block.

    Raises:
        ArchiveError: the file is no zip, is damaged, or holds no image.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError) as error:
            raise ArchiveError(
                f"This file is not a zip archive that can be read ({error}). "
                "Pack the images into a .zip and upload that."
            ) from error
        try:
            self.listing = list_images(self._zip.infolist())
        except ArchiveError:
            self.close()
            raise

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._zip.close()

    def read(self, member: zipfile.ZipInfo, max_bytes: int) -> bytes:
        """The unpacked bytes of one member.

        Raises:
            UnreadableMember: it is encrypted, damaged, packed in an unknown way, or larger than `max_bytes`.
        """
        if member.flag_bits & 0x1:
            raise UnreadableMember("is encrypted; pack the images without a password")
        try:
            with self._zip.open(member) as file:
                data = file.read(max_bytes + 1)
        except (
            zipfile.BadZipFile,
            NotImplementedError,
            RuntimeError,
            OSError,
            EOFError,
            ValueError,
        ) as error:
            raise UnreadableMember(f"is damaged in the archive: {error}") from error
        except Exception as error:  # zlib, bz2 and lzma each raise an error type of their own
            raise UnreadableMember(f"cannot be unpacked: {error}") from error
        if len(data) > max_bytes:
            raise UnreadableMember(f"is larger than {max_bytes} bytes when unpacked")
        return data


def list_images(members: Sequence[zipfile.ZipInfo]) -> Listing:
    """Tell the images from the rest.

    Raises:
        ArchiveError: there is no member, or no image among them.
    """
    files = [member for member in members if not member.is_dir()]
    images = tuple(member for member in files if _is_image(member.filename))
    if not files:
        raise ArchiveError("The zip is empty. Add the images to it and upload it again.")
    if not images:
        raise ArchiveError(
            f"The zip holds {len(files)} files, but no image among them "
            f"(looked for {', '.join(sorted(IMAGE_SUFFIXES))})."
        )
    return Listing(images, skipped=len(files) - len(images))


def label_of(name: str, class_names: Sequence[str]) -> str | None:
    """The class that the member's folder names (`7/scan.png` is a 7), or None when it names none."""
    folder = PurePosixPath(name).parent.name
    return folder if folder in class_names else None


def _is_image(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return not hidden and path.suffix.lower() in IMAGE_SUFFIXES
