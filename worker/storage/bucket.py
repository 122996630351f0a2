"""The objects of a bucket below a prefix, through fsspec. Nothing is cached: each call asks the service."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from tenfold.worker.storage import StorageAway

# Size of the blocks in which a file is streamed.
BLOCK_BYTES = 4 * 2**20

# Files transferred at the same time: each may be held in memory, up to a hundred megabytes.
PARALLEL_FILES = 8

# S3 deletes at most this many objects in a request.
MAX_DELETED = 1000


@dataclass(frozen=True)
class Object:
    """`tag` identifies the content among all that was put under this key; `modified` is in seconds since the epoch."""

    key: str
    bytes: int
    modified: float
    tag: str


class Bucket:
    """Keys are relative to the prefix, with `/` between their parts.

    Args:
        url: `s3://bucket/prefix`. Credentials and the service's address come from the usual variables of AWS' clients
            and of fsspec.
    """

    def __init__(self, url: str) -> None:
        try:
            import fsspec

            # No cache of listings: other processes write too.
            self._fs: Any = fsspec.filesystem("s3", use_listings_cache=False)
        except ImportError as error:
            raise StorageAway(f"{url} needs the packages of tenfold[s3]: pip install 'tenfold[s3]'") from error
        self.url = url.rstrip("/")
        self._root = self.url.removeprefix("s3://")

    def put(self, files: Mapping[str, Path]) -> None:
        """Put files under these keys, several at the same time. Each object is replaced as a whole or not at all."""
        with self._writing():
            self._fs.put(
                [str(path) for path in files.values()], [self._path(key) for key in files], batch_size=PARALLEL_FILES
            )

    def put_new(self, key: str, path: Path) -> None:
        """Put a file under a new key.

        Raises:
            FileExistsError: an object with this key exists already.
        """
        with self._writing():
            self._fs.put_file(str(path), self._path(key), mode="create")

    def write(self, key: str, data: bytes, *, replace: bool = True) -> None:
        """Put these bytes under a key.

        Raises:
            FileExistsError: an object with this key exists already, and `replace` is false.
        """
        with self._writing():
            self._fs.pipe_file(self._path(key), data, mode="overwrite" if replace else "create")

    def get(self, files: Mapping[str, Path]) -> None:
        """Download the objects with these keys to files, several at the same time.

        Raises:
            FileNotFoundError: one of the objects does not exist.
        """
        with self._asking():
            self._fs.get(
                [self._path(key) for key in files], [str(path) for path in files.values()], batch_size=PARALLEL_FILES
            )

    def read(self, key: str, length: int | None = None) -> bytes:
        """The first `length` bytes of an object, or all.

        Raises:
            FileNotFoundError: there is no such object.
        """
        with self._asking():
            return cast(bytes, self._fs.cat_file(self._path(key), start=None if length is None else 0, end=length))

    def open(self, key: str) -> BinaryIO:
        """Open an object for reading, from any position.

        Raises:
            FileNotFoundError: there is no such object.
        """
        with self._asking():
            opened = self._fs.open(self._path(key), "rb", block_size=BLOCK_BYTES, cache_type="readahead")
        return cast(BinaryIO, opened)

    def find(self, key: str) -> Object | None:
        with self._asking():
            try:
                about = self._fs.info(self._path(key))
            except FileNotFoundError:
                return None
        return _object(key, about | {"Size": about["size"]}) if about["type"] == "file" else None

    def list(self, prefix: str) -> Sequence[Object]:
        """All objects whose key begins with this prefix, sorted by key. The prefix ends with `/` or is empty."""
        return [_object(self._key(each["Key"]), each) for page in self._pages(prefix) for each in page["Contents"]]

    def names(self, prefix: str) -> Mapping[str, Object | None]:
        """The names directly below this prefix (as in `list`): the object, or None for a directory."""
        found: dict[str, Object | None] = {}
        for page in self._pages(prefix, Delimiter="/"):
            found |= {self._key(each["Prefix"])[len(prefix) : -1]: None for each in page["CommonPrefixes"]}
            objects = (_object(self._key(each["Key"]), each) for each in page["Contents"])
            found |= {each.key.removeprefix(prefix): each for each in objects}
        return found

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; missing ones are no error."""
        bucket, _, prefix = self._root.partition("/")
        with self._writing():
            for start in range(0, len(keys), MAX_DELETED):
                objects = [{"Key": f"{prefix}/{key}".lstrip("/")} for key in keys[start : start + MAX_DELETED]]
                answer = self._fs.call_s3("delete_objects", Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
                if answer.get("Errors"):
                    raise OSError(f"{answer['Errors'][0]['Key']} cannot be deleted: {answer['Errors'][0]['Message']}")

    def why_away(self) -> str | None:
        """Why the objects cannot be listed now; None if they can."""
        bucket, _, prefix = self._root.partition("/")
        try:
            with self._writing():
                self._fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=1)
        except StorageAway as error:
            return str(error)
        return None

    def _pages(self, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
        """The pages of a listing, each with up to a thousand objects, never without `Contents` and `CommonPrefixes`."""
        bucket, _, start = self._root.partition("/")
        while True:
            with self._writing():
                page = self._fs.call_s3(
                    "list_objects_v2", Bucket=bucket, Prefix=f"{start}/{prefix}".lstrip("/"), **options
                )
            yield {"Contents": [], "CommonPrefixes": []} | page
            if not page.get("IsTruncated"):
                return
            options |= {"ContinuationToken": page["NextContinuationToken"]}

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _key(self, key: str) -> str:
        """Relative to the prefix."""
        _, _, start = self._root.partition("/")
        return key.removeprefix(f"{start}/")

    @contextmanager
    def _asking(self) -> Iterator[None]:
        from aiohttp import ClientError
        from botocore.exceptions import BotoCoreError

        try:
            yield
        except (FileNotFoundError, FileExistsError):
            raise
        except (OSError, BotoCoreError, ClientError) as error:
            raise StorageAway(f"{self.url} cannot be used: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """For requests where "not found" means that the bucket itself is missing."""
        try:
            with self._asking():
                yield
        except FileNotFoundError as error:
            raise StorageAway(f"{self.url} cannot be used: {error}") from error


def _object(key: str, about: Mapping[str, Any]) -> Object:
    return Object(key, int(about["Size"]), about["LastModified"].timestamp(), str(about["ETag"]))
