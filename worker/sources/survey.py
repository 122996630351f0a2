"""Goes through the files of a source once: lists images, counts other files, finds manifests, enforces limits."""

from array import array
from collections import Counter

from tenfold.files.kinds import kind_of_file, may_have_pages
from tenfold.files.names import MANIFESTS, Kind, kind_of_base, split_name
from tenfold.files.system_files import is_system_folder
from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources.source import Limits, Listing, Source

# Skipped files of each kind that are named in the summary.
EXAMPLES = 3
MAX_EXAMPLE = 200

# Folders counted by name at most.
MAX_FOLDERS = 10_000

# A manifest may be at the top, or in the only top folder.
AT_TOP, IN_FOLDER = 0, 1


class Survey:
    """Add the files one after another, then read `listing`. Images take 8 bytes each.

    Args:
        what: the source in messages: zip, tar or directory.
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

    def add(self, position: int, name: str, unpacked_bytes: int) -> Kind:
        """Add a file and return its kind by its name. For `UNKNOWN`, call `add_by_content`.

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

    def add_by_content(self, position: int, name: str, unpacked_bytes: int, start: bytes) -> Kind:
        """Add a file that `add` returned `UNKNOWN` for, by its first `START_BYTES`.

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

    def add_directory(self) -> None:
        """Count a directory: it is not a file, but millions of them take as long to go through.

        Raises:
            ArchiveError: there are more files and directories than the limits allow.
        """
        self._count()

    def skip(self, kind: Kind, name: str) -> None:
        """Count a file that is skipped."""
        self.skipped[kind.value] += 1
        examples = self._examples.setdefault(kind.value, [])
        if len(examples) < EXAMPLES:
            examples.append(name[:MAX_EXAMPLE])

    def listing(self, source: Source) -> Listing:
        """
        Raises:
            ArchiveError: there are no images.
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
            ArchiveError: there are no images.
        """
        archives = self.skipped[Kind.ARCHIVE.value]
        if self.positions:
            return
        if not self._files:
            raise ArchiveError(f"The {self._what} is empty. Add the images to it and submit it again.")
        if archives:
            raise ArchiveError(
                f"The {self._what} contains {archives:,} archives but no images. Nested archives are not opened: "
                "submit each separately, or unpack them and pack the images."
            )
        kinds = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(self.skipped.items()))
        raise ArchiveError(
            f"The {self._what} contains no images: none of its {self._files:,} files has an image suffix or "
            f"content ({kinds or 'a table only'}). Add the images and submit it again."
        )

    def sort(self) -> None:
        """Sort the images by position, if they were added in another order."""
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
        """Continue with another folder. This is rare: most archives are ordered by folder."""
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
        """Whether this file may be the manifest."""
        base = base.lower()
        if "/" in folder or base not in MANIFESTS:
            return False
        place = (IN_FOLDER if folder else AT_TOP, MANIFESTS.index(base))
        if place in self._manifests:
            return False
        self._manifests[place] = position, name
        return True

    def _settle_manifests(self) -> list[int]:
        """Positions of possible manifests, best match first; one in a folder only if that is the only top folder."""
        found = []
        for place, (position, name) in sorted(self._manifests.items()):
            if place[0] == AT_TOP or self._has_one_top:
                found.append(position)
            else:
                self.skip(Kind.OTHER, name)
        return found

    def _too_much(self, most: str) -> ArchiveError:
        return ArchiveError(f"The {self._what} contains more than {most}, the maximum. Split it up.")
