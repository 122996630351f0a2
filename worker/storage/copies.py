"""Copies objects from a bucket to this host's disk, unless the current version is there already."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from uuid import uuid4

from tenfold.worker.storage.bucket import Bucket, Object
from tenfold.worker.storage.cache import Cache
from tenfold.worker.storage.contents import SUFFIX, Contents, read_contents
from tenfold.worker.storage.layout import pieces_of, prefix_of, whole_directory
from tenfold.worker.storage.whole import atomic_write_directory

# An outline has only the beginning of longer files: enough for the header of an IDX file.
LONG_BYTES = 4 * 2**20
BEGINNING_BYTES = 4096


class Copies:
    """Paths are relative to `root`, the directory of the copies, as keys are to the bucket's prefix."""

    def __init__(self, bucket: Bucket, cache: Cache, root: Path) -> None:
        self._bucket = bucket
        self._cache = cache
        self._root = root

    def fetch(self, inside: PurePath, *, may_change: bool) -> None:
        """As `Storage.fetch`."""
        path, whole = self._root / inside, whole_directory(inside)
        if not may_change and self._is_known(whole or inside):
            with self._cache.pinned(path):
                if self._is_known(whole or inside):  # still there, now that it is pinned
                    return
        with self._cache.fetching(path):
            if whole is not None:
                self._fetch_whole(whole)
            elif (pieces := pieces_of(inside)) is not None:
                self._fetch_log(path, pieces)
            else:
                self._fetch_loose(inside, may_change=may_change)
        self._cache.trim()

    def outline(self, inside: PurePath, outlines: Path) -> None:
        """Update `outlines` to the content of this directory: small files, and the beginnings of long ones."""
        outlines.mkdir(parents=True, exist_ok=True)
        lists = self._bucket.names(prefix_of(inside))
        current = {name.removesuffix(SUFFIX): about for name, about in lists.items() if about and name.endswith(SUFFIX)}
        for name, about in current.items():
            if self._cache.known(outlines / name) != about.tag:
                self._outline(inside / name, outlines / name, about.tag)
        for gone in {path.name for path in outlines.glob("[!.]*")} - current.keys():
            self._cache.drop(outlines / gone)

    def _is_known(self, inside: PurePath) -> bool:
        return self._cache.known(self._root / inside) is not None

    def _fetch_loose(self, inside: PurePath, *, may_change: bool) -> None:
        """Fetch a file, or all loose files of a directory."""
        found = self._bucket.find(str(inside))
        objects = [found] if found else self._bucket.list(prefix_of(inside))
        self._copy([each for each in objects if self._lacks(each, may_change=may_change)])
        if not objects:
            self._cache.drop(self._root / inside)

    def _lacks(self, each: Object, *, may_change: bool) -> bool:
        if whole_directory(PurePath(each.key)) is not None or each.key.endswith(SUFFIX):
            return False
        known = self._cache.known(self._root / each.key)
        return known is None or (may_change and known != each.tag)

    def _copy(self, objects: Sequence[Object]) -> None:
        self._download({each.key: self._root / each.key for each in objects})
        for each in objects:
            path = self._root / each.key
            # The same content has the same time on every host.
            os.utime(path, (each.modified, each.modified))
            self._cache.note(path, each.tag)

    def _fetch_whole(self, whole: PurePath) -> None:
        directory, contents = self._root / whole, read_contents(self._bucket, whole)
        if contents is None:
            self._cache.drop(directory)
        elif self._cache.known(directory) != contents.token:
            with atomic_write_directory(directory) as new:
                self._download({contents.key(whole, name): new / name for name in contents.files})
            self._cache.note(directory, contents.token)

    def _fetch_log(self, path: Path, pieces: PurePath) -> None:
        self._fetch_loose(pieces, may_change=True)
        found = sorted((self._root / pieces).glob("[!.]*"))
        if not found:
            self._cache.drop(path)
            return
        joined = path.with_name(f".{path.name}.{uuid4().hex}")
        with joined.open("wb") as file:
            for piece in found:
                file.write(piece.read_bytes())
        joined.replace(path)

    def _outline(self, whole: PurePath, path: Path, tag: str) -> None:
        contents = read_contents(self._bucket, whole)
        if contents is None:
            return
        with self._cache.fetching(self._root / whole), atomic_write_directory(path) as new:
            short = [name for name, size in contents.files.items() if size <= LONG_BYTES]
            self._download({contents.key(whole, name): new / name for name in short})
            for name in contents.files.keys() - short:
                self._begin(contents, whole, name, new / name)
        self._cache.note(path, tag)

    def _begin(self, contents: Contents, whole: PurePath, name: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._bucket.read(contents.key(whole, name), BEGINNING_BYTES))
        os.truncate(path, contents.files[name])

    def _download(self, files: Mapping[str, Path]) -> None:
        """Download to temporary names, then rename: another process may be reading the old file."""
        temporary = {key: path.with_name(f".{path.name}.{uuid4().hex}") for key, path in files.items()}
        for directory in {path.parent for path in files.values()}:
            directory.mkdir(parents=True, exist_ok=True)
        try:
            self._bucket.get(temporary)
            for key, path in files.items():
                temporary[key].replace(path)
        finally:
            for path in temporary.values():
                path.unlink(missing_ok=True)
