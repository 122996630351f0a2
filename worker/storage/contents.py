"""The list of files that makes a whole directory of a bucket visible.

The files of `models/x` are below `models/x/<token>/`, the list is `models/x.contents`. Putting the list publishes
them. If the directory must not exist yet, the list is put on the condition that there is none.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Self

from tenfold.worker.storage.bucket import Bucket

SUFFIX = ".contents"


@dataclass(frozen=True)
class Contents:
    """The size in bytes of each file, by name (`folder/name` in folders); `modified` is when they were published, in
    seconds since the epoch."""

    token: str
    modified: float
    files: Mapping[str, int]

    @classmethod
    def read(cls, text: bytes) -> Self:
        found = json.loads(text)
        return cls(found["token"], found["modified"], found["files"])

    def written(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode()

    def key(self, directory: PurePath, name: str) -> str:
        return f"{directory}/{self.token}/{name}"


def read_contents(bucket: Bucket, directory: PurePath) -> Contents | None:
    """The list of this directory, or None."""
    try:
        return Contents.read(bucket.read(list_key(directory)))
    except FileNotFoundError:
        return None


def list_key(directory: PurePath) -> str:
    return f"{directory}{SUFFIX}"
