"""An uploaded file, and how it becomes the input of a job."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenfold.worker.storage import Storage
from tenfold.worker.storage.whole import sync_directory

# The longest file name on most file systems.
MAX_NAME = 255


@dataclass(frozen=True)
class Upload:
    """A complete, durable file in the volume's `uploads/`."""

    path: Path
    name: str
    bytes: int
    sha256: str

    @property
    def source(self) -> dict[str, Any]:
        """The `source` of a job. Unprintable characters of the name are replaced, so that pages, logs and
        terminals can show it and every database can store it."""
        name = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in self.name)
        return {"name": name[:MAX_NAME], "bytes": self.bytes, "sha256": self.sha256}

    def move(self, path: Path, storage: Storage) -> None:
        """Move the file to `path`, whose directory is made if need be, and publish it."""
        path.parent.mkdir(exist_ok=True)
        self.path.rename(path)
        sync_directory(path.parent)
        storage.publish(path)
