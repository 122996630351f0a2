"""Meets the files of a source once: collects the images, counts the rest, finds manifests, keeps to limits."""

from array import array
from collections import Counter

from trainer.file_kinds import kind_of_file, may_have_pages
from trainer.naming.system_files import is_system_folder
from worker.errors import ArchiveError
from worker.sources.limits import Limits
from worker.sources.names import MANIFESTS, Kind, kind_of_base, split_name
from worker.sources.source import Listing, Source

# Skipped files of each kind that are named to the person.
EXAMPLES = 3
LONGEST_EXAMPLE = 200

# Folders are counted by name as far as these; a person's archive has fewer.
MAX_FOLDERS = 10_000

# Of an archive with folders, `manifest.csv` may be at its top or in the one folder that holds everything.
AT_TOP, IN_FOLDER = 0, 1


class Survey:
    """Takes one file after another; `listing` then has what was found. Images take 8 bytes apiece.

    Args:
        what: the word for the source in messages: zip, tar or directory.
    """

    def __init__(self, what: str, limits: Limits) -> None:
        self.positions = array("Q")
        self._paged = array("Q")
        self.skipped = Counter[str]()
        self._examples: dict[str, list[str]] = {}
        self._what = what
        self._limits = limits
        self._files = 0
        self._files_and_directories = 0
        self._unpacked_bytes = 0
        self._folders = Counter[str]()
        self._folder, self._folder_is_hidden, self._in_folder = "", False, 0
        self._top: str | None = None
        self._noted: str | None = None
        self._has_one_top = True
        self._manifests: dict[tuple[int, int], tuple[int, str]] = {}

    def meet(self, position: int, name: str, unpacked_bytes: int) -> Kind:
        """Take in a file, and say what it is. Of an `UNKNOWN` one `meet_content` has to tell.

        Raises:
            ArchiveError: there are more files, images or unpacked bytes than the limits allow.
        """
        self._files += 1
        self._count()
        folder, base = split_name(name)
        if folder != self._folder:
            self._enter(folder)
        kind = kind_of_base(base)
        if self._folder_is_hidden and kind is not Kind.SYSTEM:
            kind = Kind.HIDDEN
        if kind is Kind.IMAGE:
            self._take(position, unpacked_bytes)
        elif kind is Kind.PAGED:
            self._take(position, unpacked_bytes)
            self._paged.append(position)
        elif kind is not Kind.UNKNOWN and not (kind is Kind.OTHER and self._is_manifest(position, name, folder, base)):
            self.skip(kind, name)
        if folder != self._noted and kind not in (Kind.SYSTEM, Kind.HIDDEN):
            self._note_top(folder)
        return kind

    def meet_content(self, position: int, name: str, unpacked_bytes: int, start: bytes) -> Kind:
        """Take in a file of which `meet` could not tell what it is, by how its content begins (`START_BYTES`).

        Raises:
            ArchiveError: there are more images or unpacked bytes than the limits allow.
        """
        found = kind_of_file(start)
        kind = {"image": Kind.IMAGE, "archive": Kind.ARCHIVE}.get(found.group if found else "", Kind.OTHER)
        if kind is not Kind.IMAGE:
            self.skip(kind, name)
            return kind
        folder, _ = split_name(name)
        if folder != self._folder:
            self._enter(folder)
        self._take(position, unpacked_bytes)
        if may_have_pages(start):
            self._paged.append(position)
        return kind

    def meet_directory(self) -> None:
        """Take in a directory: it is no file, but going past millions of them takes as long.

        Raises:
            ArchiveError: there are more files and directories than the limits allow.
        """
        self._count()

    def skip(self, kind: Kind, name: str) -> None:
        """Count a file that is skipped."""
        self.skipped[kind.value] += 1
        examples = self._examples.setdefault(kind.value, [])
        if len(examples) < EXAMPLES:
            examples.append(name[:LONGEST_EXAMPLE])

    def listing(self, source: Source) -> Listing:
        """
        Raises:
            ArchiveError: there was no image.
        """
        manifests = self._settle_manifests()
        self.refuse_without_images()
        self._enter("")
        return Listing(
            source.members(self.positions),
            skipped=dict(sorted(self.skipped.items())),
            manifest=source.members(array("Q", manifests)),
            unpacked_bytes=self._unpacked_bytes,
            skipped_examples=self._examples,
            folders=dict(self._folders),
            paged=self._paged,
        )

    def refuse_without_images(self) -> None:
        """
        Raises:
            ArchiveError: there was no image.
        """
        archives = self.skipped[Kind.ARCHIVE.value]
        if self.positions:
            return
        if not self._files:
            raise ArchiveError(f"The {self._what} is empty. Add the images to it and submit it again.")
        if archives:
            raise ArchiveError(
                f"The {self._what} holds {archives:,} archives and no image beside them. Archives inside are not "
                "opened: submit each by itself, or unpack them and pack the images."
            )
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.skipped.items()))
        raise ArchiveError(
            f"The {self._what} holds no image: of its {self._files:,} files none has an image's suffix or content "
            f"({kinds or 'a table only'}). Add the images and submit it again."
        )

    def sort(self) -> None:
        """Put the images into the order of their positions, where some were met out of it."""
        self.positions = array("Q", sorted(self.positions))

    def _count(self) -> None:
        self._files_and_directories += 1
        if self._files_and_directories > self._limits.files:
            raise self._too_much(f"{self._limits.files:,} files")

    def _take(self, position: int, unpacked_bytes: int) -> None:
        self.positions.append(position)
        self._in_folder += 1
        if len(self.positions) > self._limits.images:
            raise self._too_much(f"{self._limits.images:,} images")
        if unpacked_bytes <= self._limits.image_bytes:
            self._unpacked_bytes += unpacked_bytes
            if self._unpacked_bytes > self._limits.unpacked_bytes:
                raise self._too_much(f"{self._limits.unpacked_bytes:,} bytes of images when unpacked")

    def _enter(self, folder: str) -> None:
        """Go on with the files of another folder. Most archives have them folder by folder, so this is rare."""
        if self._in_folder and (self._folder in self._folders or len(self._folders) < MAX_FOLDERS):
            self._folders[self._folder] += self._in_folder
        self._folder, self._in_folder = folder, 0
        self._folder_is_hidden = is_system_folder(folder)

    def _note_top(self, folder: str) -> None:
        self._noted = folder
        top = folder.partition("/")[0]
        if self._top is None:
            self._top = top
        elif top != self._top:
            self._has_one_top = False

    def _is_manifest(self, position: int, name: str, folder: str, base: str) -> bool:
        """Whether this may be the manifest, as far as can be told by now."""
        base = base.lower()
        if "/" in folder or base not in MANIFESTS:
            return False
        place = (IN_FOLDER if folder else AT_TOP, MANIFESTS.index(base))
        if place in self._manifests:
            return False
        self._manifests[place] = position, name
        return True

    def _settle_manifests(self) -> list[int]:
        """The positions of what may be the manifest, the likeliest first. One in a folder counts only where that folder
        holds everything, and else is a file like others."""
        found = []
        for place, (position, name) in sorted(self._manifests.items()):
            if place[0] == AT_TOP or self._has_one_top:
                found.append(position)
            else:
                self.skip(Kind.OTHER, name)
        return found

    def _too_much(self, most: str) -> ArchiveError:
        return ArchiveError(f"The {self._what} holds more than {most}, which is the limit. Split it up.")
