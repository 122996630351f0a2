"""The shared volume: the path of each file of a job, a model or a data set.

datasets/<name>/    the four IDX files, about.json preview.png source.json
inbox/…             images that a person put there to be classified; Tenfold never writes to it
uploads/…
jobs/<id>/          input.zip (.tar, .tar.gz …) results.csv results.jsonl summary.json log.txt, or
                    upload (sample) log.txt
                    review/queue.sqlite images/index.sqlite of a classification
models/<id>/        model.keras metrics.json history.csv summary.txt curves.png …
"""

import logging
from collections.abc import Callable
from pathlib import Path

from tenfold.files.names import INPUT_SUFFIXES
from tenfold.worker.storage import Storage, StoredFile
from tenfold.worker.storage.local import LocalStorage

# The first of these that a model has is served.
NETWORKS = ("model.keras", "model.onnx")

log = logging.getLogger(__name__)


class Volume:
    """Paths under one root. Ids come from Tenfold, never from a person, so they are safe as directory names; so are
    the names of data sets once they are checked (`tenfold.trainer.data.files.NAME`).

    Before reading at such a path, `fetch` it from `storage`; after writing there, `publish` it.

    Args:
        storage: by default the file system that `root` is on.
    """

    def __init__(self, root: Path, storage: Storage | None = None) -> None:
        self.storage: Storage = storage or LocalStorage(root)
        self.root = self.storage.root
        self.datasets = self.root / "datasets"
        self.jobs = self.root / "jobs"
        self.models = self.root / "models"
        self.uploads = self.root / "uploads"
        self.inbox = self.root / "inbox"
        self.session_key = self.root / "session.key"

    def create(self) -> None:
        self.storage.create()
        for directory in (self.datasets, self.uploads, self.inbox, self.jobs, self.models):
            directory.mkdir(parents=True, exist_ok=True)

    def dataset(self, name: str) -> Path:
        return self.datasets / name

    def catalog(self) -> Path:
        """A directory with as much of all data sets as `tenfold.trainer.data.catalog` reads."""
        return self.storage.outline(self.datasets)

    def job(self, job_id: str) -> Path:
        return self.jobs / job_id

    def model(self, model_id: str) -> Path:
        return self.models / model_id

    def archive(self, job_id: str) -> Path:
        """The archive that a classification reads."""
        paths = [self.archive_of_kind(job_id, suffix) for suffix in INPUT_SUFFIXES]
        there = next((path for path in paths if path.exists()), None)
        return there or next((path for path in paths if self.storage.find(path)), paths[0])

    def archive_of_kind(self, job_id: str, suffix: str) -> Path:
        return self.job(job_id) / f"input{suffix}"

    def inbox_directory(self, directory: str) -> Path | None:
        """The resolved path of a directory of the inbox; None if it does not exist or leads out of the inbox."""
        path = (self.inbox / directory).resolve()
        return path if path.is_dir() and path.is_relative_to(self.inbox.resolve()) else None

    def upload(self, job_id: str) -> Path:
        """The file that an import reads; removed when the import has succeeded."""
        return self.job(job_id) / "upload"

    def sample(self, job_id: str) -> Path:
        """The zip of labeled images that an import of a model checks it on; gone when it has succeeded."""
        return self.job(job_id) / "sample"

    def log(self, job_id: str) -> Path:
        return self.job(job_id) / "log.txt"

    def work(self, job_id: str) -> Path:
        """The directory of a job's checkpoint or shards until it has succeeded."""
        return self.job(job_id) / "work"

    def review(self, job_id: str) -> Path:
        """The directory of a classification's answers to review (`review_queue`)."""
        return self.job(job_id) / "review"

    def images(self, job_id: str) -> Path:
        """The directory of this host's index of a classification's images (`image_index`), built when first viewed."""
        return self.job(job_id) / "images"

    def artifacts(self, job_id: str) -> dict[str, StoredFile]:
        """The files of a job that a person can fetch, by name: its own, then those of the model that it trained."""
        own = {file.path.name: file for file in self.storage.files(self.job(job_id), below=False)}
        return own | self.model_files(job_id)

    def model_files(self, model_id: str) -> dict[str, StoredFile]:
        """The files of a model, by name (`tensorboard/train/events…` in folders)."""
        directory = self.model(model_id)
        found = {str(file.path.relative_to(directory)): file for file in self.storage.files(directory)}
        return dict(sorted(found.items(), key=lambda named: ("/" in named[0], named[0])))

    def network(self, model_id: str) -> StoredFile | None:
        """The file that a model is served from: `model.keras`, or `model.onnx` of a model imported as such."""
        found = (self.storage.find(self.model(model_id) / name) for name in NETWORKS)
        return next(filter(None, found), None)

    def marker(self, name: str) -> Path:
        """A file by which the doctor checks whether other processes see the same volume."""
        return self.root / name

    def bytes_of_job(self, job_id: str) -> int:
        """The bytes of a job's files and of the model that it trained."""
        directories = (self.job(job_id), self.model(job_id))
        return sum(file.bytes for directory in directories for file in self.storage.files(directory))

    def delete_dataset(self, name: str) -> None:
        """Remove a data set. It disappears immediately, with all its files.

        Raises:
            FileNotFoundError: there is no data set with this name.
        """
        self.storage.remove(self.dataset(name))

    def delete_job(self, job_id: str) -> None:
        self._remove(self.job(job_id))

    def delete_model(self, model_id: str) -> None:
        self._remove(self.model(model_id))

    def delete_work(self, job_id: str) -> None:
        self._remove(self.work(job_id))

    def withdraw_work(self, job_id: str) -> Callable[[], None]:
        """`Storage.withdraw` for the work of a job, which may have none."""
        try:
            return self.storage.withdraw(self.work(job_id))
        except FileNotFoundError:
            return lambda: None

    def _remove(self, path: Path) -> None:
        try:
            self.storage.remove(path)
        except FileNotFoundError:
            return
        except OSError as error:  # `tenfold gc` finds the rest, which has no row any more
            log.warning("%s could not be removed: %s", path, error)
