"""Meets the files of a source once: collects the images, counts the rest, finds the manifest, keeps to limits."""

from array import array
from collections import Counter

from worker.errors import ArchiveError
from worker.sources.limits import Limits
from worker.sources.names import IMAGE_SUFFIXES, MANIFEST, Kind, kind_of
from worker.sources.source import Listing, Source

# Skipped files of each kind that are named to the person.
EXAMPLES = 3
LONGEST_EXAMPLE = 200


class Survey:
    """Takes one file after another; `listing` then has what was found. Images take 8 bytes apiece.

    Args:
        what: the word for the source in messages: zip, tar or directory.
    """

    def __init__(self, what: str, limits: Limits) -> None:
        self.positions = array("Q")
        self.skipped = Counter[str]()
        self.skipped_examples: dict[str, list[str]] = {}
        self._what = what
        self._limits = limits
        self._files = 0
        self._files_and_directories = 0
        self._unpacked_bytes = 0
        self._top: str | None = None
        self._has_one_top = True
        self._manifest: int | None = None
        self._manifest_in_folder: int | None = None

    def meet(self, position: int, name: str, unpacked_bytes: int) -> bool:
        """Take in a file; returns whether it is an image.

        Raises:
            ArchiveError: there are more files, images or unpacked bytes than the limits allow.
        """
        self._files += 1
        self._count()
        kind = kind_of(name)
        if kind is not Kind.SYSTEM:
            self._note_top(name)
        if kind is not Kind.IMAGE:
            if kind is not Kind.OTHER or not self._is_manifest(position, name):
                self.skip(kind, name)
            return False
        self.positions.append(position)
        if len(self.positions) > self._limits.images:
            raise self._too_much(f"{self._limits.images:,} images")
        if unpacked_bytes <= self._limits.image_bytes:
            self._unpacked_bytes += unpacked_bytes
            if self._unpacked_bytes > self._limits.unpacked_bytes:
                raise self._too_much(f"{self._limits.unpacked_bytes:,} bytes of images when unpacked")
        return True

    def meet_directory(self) -> None:
        """Take in a directory: it is no file, but going past millions of them takes as long.

        Raises:
            ArchiveError: there are more files and directories than the limits allow.
        """
        self._count()

    def skip(self, kind: Kind, name: str) -> None:
        """Count a file that is skipped."""
        self.skipped[kind.value] += 1
        examples = self.skipped_examples.setdefault(kind.value, [])
        if len(examples) < EXAMPLES:
            examples.append(name[:LONGEST_EXAMPLE])

    def listing(self, source: Source) -> Listing:
        """
        Raises:
            ArchiveError: there was no image.
        """
        self._settle_manifest()
        self.refuse_without_images()
        manifest = source.members(array("Q", [] if self._manifest is None else [self._manifest]))
        skipped = dict(sorted(self.skipped.items()))
        images = source.members(self.positions)
        return Listing(images, skipped, manifest, self._unpacked_bytes, self.skipped_examples)

    def refuse_without_images(self) -> None:
        """
        Raises:
            ArchiveError: there was no image.
        """
        archives = self.skipped[Kind.ARCHIVE.value]
        if self.positions:
            return
        if not self._files:
            raise ArchiveError(f"The {self._what} is empty. Add the images to it and hand it in again.")
        if archives:
            raise ArchiveError(
                f"The {self._what} holds {archives:,} archives and no image beside them. Archives inside are not "
                "opened: hand each in by itself, or unpack them and pack the images."
            )
        raise ArchiveError(
            f"The {self._what} holds {self._files} files, but no image among them "
            f"(looked for {', '.join(sorted(IMAGE_SUFFIXES))})."
        )

    def _count(self) -> None:
        self._files_and_directories += 1
        if self._files_and_directories > self._limits.files:
            raise self._too_much(f"{self._limits.files:,} files")

    def _note_top(self, name: str) -> None:
        top = name.partition("/")[0] if "/" in name else ""
        if self._top is None:
            self._top = top
        elif top != self._top:
            self._has_one_top = False

    def _is_manifest(self, position: int, name: str) -> bool:
        """Whether this is the manifest as far as can be told by now."""
        if name == MANIFEST and self._manifest is None:
            self._manifest = position
            return True
        if name == f"{self._top}/{MANIFEST}" and self._manifest_in_folder is None:
            self._manifest_in_folder = position
            return True
        return False

    def _settle_manifest(self) -> None:
        """One in a folder counts where that folder holds everything, and else is a file like others."""
        if self._manifest_in_folder is None:
            return
        if self._manifest is None and self._has_one_top:
            self._manifest = self._manifest_in_folder
        else:
            self.skip(Kind.OTHER, f"{self._top}/{MANIFEST}")

    def _too_much(self, most: str) -> ArchiveError:
        return ArchiveError(f"The {self._what} holds more than {most}, which is the most. Split it up.")
