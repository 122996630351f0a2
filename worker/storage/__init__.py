"""Where the files of the volume are: on a file system that all processes share, or in a bucket.

Whoever works with a file works with a path below `root`. `fetch` makes sure that what others have published is there,
`publish` that others find what was written there. On a file system both do nothing, since all see the same paths;
of a bucket, `root` is this host's copy of what it has needed.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


class StorageAway(OSError):
    """What keeps the files cannot be reached, or refuses: says which it is, and what it answered."""


@dataclass(frozen=True)
class StoredFile:
    """A finished file; `path` is where it lies, or will lie once it is fetched. `modified` is in seconds since the
    epoch."""

    path: Path
    bytes: int
    modified: float


class Storage(Protocol):
    """What it takes to keep files for all processes. Paths are below `root`; names that begin with a dot are temporary.

    A directory is either loose, and each file in it appears by itself, or whole, and appears with all its files at
    once: `layout.whole_directory` says which.
    """

    @property
    def root(self) -> Path: ...

    @property
    def address(self) -> str:
        """What people call it."""

    def create(self) -> None:
        """Make what has to be there before the first use."""

    def why_away(self) -> str | None:
        """Why nothing can be stored now, None where it can."""

    def names(self, directory: Path) -> Sequence[str]:
        """What is directly in a directory, finished, sorted."""

    def files(self, directory: Path, *, below: bool = True) -> Sequence[StoredFile]:
        """All finished files in a directory, and below unless that is false, sorted by their paths."""

    def find(self, path: Path) -> StoredFile | None:
        """One file; None where there is none."""

    def open(self, path: Path) -> BinaryIO:
        """A file to read, from any position, without fetching all of it.

        Raises:
            FileNotFoundError: there is none.
        """

    def fetch(self, path: Path, *, may_change: bool = False) -> Path:
        """Have a file, or all of a directory, at its path. Where there is none, there is nothing at the path either.

        Args:
            may_change: whether it can have been published again under this path since it was last fetched.
        """

    def outline(self, directory: Path) -> Path:
        """Where what is in a directory can be looked over: of long files only the beginning need be there, and their
        length."""

    def publish(self, *paths: Path, replace: bool = True) -> None:
        """Let everybody have the finished files, and directories of them, that are at these paths. They are durable
        then.

        Raises:
            FileExistsError: one is there already, and `replace` is false.
        """

    def write_directory(
        self, path: Path, *, replace: bool = True, renaming: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> AbstractContextManager[Path]:
        """An empty directory to fill that is published, whole, when the block ends well.

        Args:
            renaming: entered when all is durable, for as long as it takes to make it appear.

        Raises:
            FileExistsError: there is something at `path`, and it is not to be replaced.
        """

    def append(self, path: Path) -> AbstractContextManager[Path]:
        """A file to append to in the block; what many blocks append is one file to those who read it."""

    def remove(self, path: Path) -> None:
        """Remove a file, or a directory with all that is in it; it is gone at once.

        Raises:
            FileNotFoundError: there is none.
        """

    def withdraw(self, path: Path) -> Callable[[], None]:
        """The first half of `remove`, quick where files are on a disk: nobody finds it any more.

        Returns:
            the second half, which frees the space and may take long.

        Raises:
            FileNotFoundError: there is none.
        """

    def unfinished(self, directory: Path) -> Sequence[tuple[Path, str]]:
        """What writers are writing directly in a directory, or were when they were killed; and the name that it was to
        have."""

    def usage(self, path: Path) -> tuple[int, float]:
        """How many bytes a file or directory takes with all that is unfinished in it, and when any of it was last
        written."""

    def at_work(self, directory: Path) -> AbstractContextManager[None]:
        """What is fetched to this directory stays while the block runs."""
