"""Where the files of the volume are: on a file system that all processes share, or in a bucket.

Code works with paths below `root`. `fetch` brings what others have published to a path; `publish` makes visible to
others what was written at a path. On a file system both do nothing, since all processes see the same files. With a
bucket, `root` holds this host's copies of the files that it has needed.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


class StorageAway(OSError):
    """The file system or bucket cannot be reached, or refuses a request. The message names it and gives its answer."""


@dataclass(frozen=True)
class StoredFile:
    """A finished file. `path` is where it is, or will be once fetched; `modified` is in seconds since the epoch."""

    path: Path
    bytes: int
    modified: float


class Storage(Protocol):
    """Keeps files for all processes. Paths are below `root`; names that begin with a dot are temporary.

    In a loose directory each file appears by itself. A whole directory appears with all its files at the same time.
    `layout.whole_directory` says which is which.
    """

    @property
    def root(self) -> Path: ...

    @property
    def address(self) -> str:
        """The path or URL to show to people."""

    def create(self) -> None:
        """Create what the first use needs."""

    def why_away(self) -> str | None:
        """Why nothing can be stored now; None if it can."""

    def names(self, directory: Path) -> Sequence[str]:
        """The names of the finished files and directories directly in a directory, sorted."""

    def files(self, directory: Path, *, below: bool = True) -> Sequence[StoredFile]:
        """The finished files in a directory, and with `below` in its subdirectories, sorted by path."""

    def find(self, path: Path) -> StoredFile | None:
        """The finished file at this path, or None."""

    def open(self, path: Path) -> BinaryIO:
        """Open a file for reading, from any position, without fetching all of it.

        Raises:
            FileNotFoundError: there is no such file.
        """

    def fetch(self, path: Path, *, may_change: bool = False) -> Path:
        """Bring a file, or all files of a directory, to its path. If there is none, the path is empty afterwards.

        Args:
            may_change: whether it may have been published again since it was last fetched.

        Returns:
            `path`.
        """

    def outline(self, directory: Path) -> Path:
        """A directory with the same names and sizes, for overviews. Only the beginning of a long file may be there."""

    def publish(self, *paths: Path, replace: bool = True) -> None:
        """Make the finished files and directories at these paths visible to all processes. They are durable afterwards.

        Raises:
            FileExistsError: one exists already, and `replace` is false.
        """

    def write_directory(
        self, path: Path, *, replace: bool = True, renaming: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> AbstractContextManager[Path]:
        """An empty directory to fill. It is published as a whole when the block ends without an error.

        Args:
            renaming: entered when all files are durable, while the directory is made visible.

        Raises:
            FileExistsError: something is at `path`, and `replace` is false.
        """

    def append(self, path: Path) -> AbstractContextManager[Path]:
        """A file to append to in the block. Readers see what all blocks have appended as one file."""

    def remove(self, path: Path) -> None:
        """Remove a file, or a directory with its content. It disappears immediately.

        Raises:
            FileNotFoundError: there is nothing at this path.
        """

    def withdraw(self, path: Path) -> Callable[[], None]:
        """The first half of `remove`, quick on a file system: the file or directory disappears.

        Returns:
            A function for the second half, which frees the space and may take long.

        Raises:
            FileNotFoundError: there is nothing at this path.
        """

    def unfinished(self, directory: Path) -> Sequence[tuple[Path, str]]:
        """Unfinished files and directories directly in a directory, of running or killed writers, each with the name
        that it was to get."""

    def usage(self, path: Path) -> tuple[int, float]:
        """The bytes of a file or directory, with everything unfinished in it, and the time of its last change."""

    def at_work(self, directory: Path) -> AbstractContextManager[None]:
        """Keep what is fetched to this directory while the block runs."""
