"""Files in a bucket of an S3-compatible service. Each host copies what it needs to a directory of its own.

A loose file is an object under its path. A whole directory is a list of files (`contents`). A log to which many
processes append is an object for each of them (`layout.pieces_of`). So each object appears complete, and is never
changed, only replaced.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import groupby
from pathlib import Path, PurePath
from typing import BinaryIO
from uuid import uuid4

from tenfold.worker.errors import LeaseLost
from tenfold.worker.storage import StorageAway, StoredFile
from tenfold.worker.storage.bucket import Bucket, Object
from tenfold.worker.storage.cache import Cache
from tenfold.worker.storage.contents import SUFFIX, Contents, list_key, read_contents
from tenfold.worker.storage.copies import Copies
from tenfold.worker.storage.layout import pieces_of, prefix_of, whole_directory
from tenfold.worker.storage.whole import atomic_write_directory

log = logging.getLogger(__name__)

# Directory of the outlines, beside the copies.
OUTLINES = ".outlines"


class ObjectStorage:
    """A `Storage` in a bucket.

    Args:
        url: `s3://bucket/prefix`.
        cache: directory of this host's copies. Any number of processes may share it.
        cache_bytes: maximum size of the copies (`Cache`).
    """

    def __init__(self, url: str, cache: Path, cache_bytes: int) -> None:
        self._bucket = Bucket(url)
        # Each bucket has its own copies.
        self.root = cache.resolve() / url.removeprefix("s3://").strip("/")
        self._cache = Cache(self.root, cache_bytes)
        self._copies = Copies(self._bucket, self._cache, self.root)
        self._appending: set[Path] = set()

    @property
    def address(self) -> str:
        return self._bucket.url

    def create(self) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def why_away(self) -> str | None:
        return self._bucket.why_away()

    def names(self, directory: Path) -> Sequence[str]:
        inside = self._inside(directory)
        found = self._bucket.names(prefix_of(inside))
        there = (name for name, about in found.items() if about or whole_directory(inside / name) is None)
        return sorted(name.removesuffix(SUFFIX) for name in there)

    def files(self, directory: Path, *, below: bool = True) -> Sequence[StoredFile]:
        inside = self._inside(directory)
        whole = whole_directory(inside)
        if whole is not None:
            return [file for file in self._stored(whole) if _is_in(file.path, directory, below)]
        objects = self._bucket.list(prefix_of(inside))
        loose = [each for each in objects if whole_directory(PurePath(each.key)) is None]
        found = [self._loose(each) for each in loose if not each.key.endswith(SUFFIX)]
        for each in objects if below else ():
            if each.key.endswith(SUFFIX):
                found += self._stored(PurePath(each.key.removesuffix(SUFFIX)))
        return [file for file in _with_logs_joined(found, self.root) if _is_in(file.path, directory, below)]

    def find(self, path: Path) -> StoredFile | None:
        inside = self._inside(path)
        if whole_directory(inside) is not None or pieces_of(inside) is not None:
            directory = path if whole_directory(inside) == inside else path.parent
            return next((file for file in self.files(directory) if file.path == path), None)
        found = self._bucket.find(str(inside))
        return None if found is None else self._loose(found)

    def open(self, path: Path) -> BinaryIO:
        inside = self._inside(path)
        if pieces_of(inside) is not None:
            return self.fetch(path, may_change=True).open("rb")
        whole = whole_directory(inside)
        if whole is None:
            return self._bucket.open(str(inside))
        contents = read_contents(self._bucket, whole)
        if contents is None:
            raise FileNotFoundError(path)
        return self._bucket.open(contents.key(whole, str(inside.relative_to(whole))))

    def fetch(self, path: Path, *, may_change: bool = False) -> Path:
        self._copies.fetch(self._inside(path), may_change=may_change)
        return path

    def outline(self, directory: Path) -> Path:
        inside = self._inside(directory)
        self._copies.outline(inside, self.root / OUTLINES / inside)
        return self.root / OUTLINES / inside

    def publish(self, *paths: Path, replace: bool = True) -> None:
        # Open logs are published with everything else, so that people can follow them.
        appended = tuple(self._appending) if replace else ()
        files = {self._inside(file): file for path in (*paths, *appended) for file in _files_below(path)}
        for whole in {whole for inside in files if (whole := whole_directory(inside)) is not None}:
            self._cache.note(self.root / whole, self._publish_whole(whole, self.root / whole, replace=replace))
        loose = {str(inside): file for inside, file in files.items() if self._is_new(inside, file)}
        if replace:
            self._bucket.put(loose)
        else:
            for key, file in loose.items():
                self._bucket.put_new(key, file)
        for file in loose.values():
            self._cache.note(file, "")

    @contextmanager
    def write_directory(
        self, path: Path, *, replace: bool = True, renaming: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> Iterator[Path]:
        whole = self._inside(path)
        with atomic_write_directory(path) as directory:
            yield directory
            token = self._publish_whole(whole, directory, replace=replace, renaming=renaming)
        self._cache.note(path, token)

    @contextmanager
    def append(self, path: Path) -> Iterator[Path]:
        pieces = pieces_of(self._inside(path))
        assert pieces is not None, path
        piece = self.root / pieces / f"{time.time_ns():020d}-{uuid4().hex[:8]}.txt"
        piece.parent.mkdir(parents=True, exist_ok=True)
        self._appending.add(piece)
        try:
            yield piece
        finally:
            self._appending.discard(piece)
            try:
                self.publish(piece)
            except StorageAway as error:  # a missing log must not fail the work
                log.warning("a part of %s was not uploaded: %s", path, error)

    def remove(self, path: Path) -> None:
        inside = self._inside(path)
        key = list_key(inside) if whole_directory(inside) == inside else str(inside)
        there = self._bucket.find(key)
        below = [each.key for each in self._bucket.list(prefix_of(inside))]
        self._bucket.delete([key] if there else [])
        # First the lists, so that whole directories disappear before their files do.
        self._bucket.delete([key for key in below if key.endswith(SUFFIX)])
        self._bucket.delete([key for key in below if not key.endswith(SUFFIX)])
        self._cache.drop(path)
        if not there and not below:
            raise FileNotFoundError(path)

    def withdraw(self, path: Path) -> Callable[[], None]:
        """Does all of `remove`: objects cannot be renamed."""
        self.remove(path)
        return lambda: None

    def unfinished(self, directory: Path) -> Sequence[tuple[Path, str]]:
        """Files of models and data sets that no list names. A job's leftovers are removed with the job."""
        inside = self._inside(directory)
        if whole_directory(inside / "any") is None or len(inside.parts) > 1:
            return []
        objects = self._bucket.list(prefix_of(inside))
        listed = {PurePath(each.key.removesuffix(SUFFIX)) for each in objects if each.key.endswith(SUFFIX)}
        current = {
            whole / contents.token for whole in listed if (contents := read_contents(self._bucket, whole)) is not None
        }
        tokens = {PurePath(*PurePath(each.key).parts[:3]) for each in objects if not each.key.endswith(SUFFIX)}
        return [(self.root / token, token.parent.name) for token in sorted(tokens - current)]

    def usage(self, path: Path) -> tuple[int, float]:
        inside = self._inside(path)
        found = [*self._bucket.list(prefix_of(inside))]
        found += [about for key in (str(inside), list_key(inside)) if (about := self._bucket.find(key)) is not None]
        return sum(each.bytes for each in found), max((each.modified for each in found), default=0.0)

    @contextmanager
    def at_work(self, directory: Path) -> Iterator[None]:
        with self._cache.pinned(directory):
            directory.mkdir(parents=True, exist_ok=True)
            yield
        self._cache.trim()

    def _inside(self, path: Path) -> PurePath:
        return PurePath(path.relative_to(self.root))

    def _is_new(self, inside: PurePath, file: Path) -> bool:
        """Whether a file must be put as an object of its own, and has not been."""
        return whole_directory(inside) is None and pieces_of(inside) is None and self._cache.known(file) is None

    def _loose(self, found: Object) -> StoredFile:
        return StoredFile(self.root / found.key, found.bytes, found.modified)

    def _stored(self, whole: PurePath) -> list[StoredFile]:
        """The files of a whole directory."""
        contents = read_contents(self._bucket, whole)
        if contents is None:
            return []
        return [
            StoredFile(self.root / whole / name, size, contents.modified)
            for name, size in sorted(contents.files.items())
        ]

    def _publish_whole(
        self,
        whole: PurePath,
        directory: Path,
        *,
        replace: bool,
        renaming: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> str:
        """Put the files under a new token, then the list of them. Returns the token."""
        before = read_contents(self._bucket, whole)
        if before is not None and not replace:
            raise FileExistsError(f"{whole} already exists")
        names = {str(file.relative_to(directory)): file for file in _files_below(directory)}
        new = Contents(uuid4().hex, time.time(), {name: file.stat().st_size for name, file in names.items()})
        keys = {new.key(whole, name): file for name, file in names.items()}
        self._bucket.put(keys)
        try:
            with renaming():
                self._bucket.write(list_key(whole), new.written(), replace=replace)
        except (FileExistsError, LeaseLost):
            # The list may be ours, put by an attempt whose answer was lost.
            if read_contents(self._bucket, whole) != new:
                self._bucket.delete(list(keys))
                raise
        if before is not None:
            self._bucket.delete([before.key(whole, name) for name in before.files])
        return new.token


def _is_in(path: Path, directory: Path, below: bool) -> bool:
    return path.is_relative_to(directory) if below else path.parent == directory


def _files_below(path: Path) -> Iterator[Path]:
    """The finished files at this path: the file itself, or those in the directory."""
    if path.is_file():
        yield path
    elif path.is_dir():
        for entry in sorted(path.iterdir()):
            if not entry.name.startswith("."):
                yield from _files_below(entry)


def _with_logs_joined(files: Sequence[StoredFile], root: Path) -> list[StoredFile]:
    """Replaces the pieces of each log by one file."""

    def shown(file: StoredFile) -> Path:
        directory = file.path.parent
        log = directory.with_suffix(".txt")
        return log if pieces_of(log.relative_to(root)) == directory.relative_to(root) else file.path

    joined = []
    for path, same in groupby(sorted(files, key=lambda file: str(shown(file))), key=shown):
        some = list(same)
        joined.append(StoredFile(path, sum(each.bytes for each in some), max(each.modified for each in some)))
    return joined
