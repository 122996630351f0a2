"""Has the index of a classification's images made when somebody first looks through them."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

from worker.errors import ArchiveError, WorkerError
from worker.image_index import ImageIndex, stamp_of
from worker.inputs import input_of
from worker.records import Job
from worker.volume import Volume

log = logging.getLogger(__name__)

EXTENSION = "tenfold-image-preparing"

# Few images are ready within this, so that nobody is told to wait for them.
PATIENCE_SECONDS = 2.0


class ImagesUnavailable(WorkerError):
    """The index of a classification's images could not be made."""


class ImagePreparing:
    """Starts one process for each classification that needs it. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, threading.Thread] = {}
        self._failed: dict[str, str] = {}

    def open(self, volume: Volume, job: Job) -> ImageIndex | None:
        """The index of a finished classification, or None while it is being made: ask again in a second.

        Raises:
            ImagesUnavailable: it could not be made; the next call tries again.
        """
        index = _open_current(volume, job.id)
        if index is not None:
            return index
        with self._lock:
            self._raise_failure(job.id)
            thread = self._running.get(job.id)
            if thread is None:
                thread = threading.Thread(target=self._make, args=(volume, job), daemon=True)
                self._running[job.id] = thread
                thread.start()
        thread.join(PATIENCE_SECONDS)
        with self._lock:
            self._raise_failure(job.id)
        return _open_current(volume, job.id)

    def _raise_failure(self, job_id: str) -> None:
        reason = self._failed.pop(job_id, None)
        if reason is not None:
            raise ImagesUnavailable(
                f"The images could not be prepared ({reason}). Look whether the disk is full, then load the page again."
            )

    def _make(self, volume: Volume, job: Job) -> None:
        results, directory = results_of(volume, job.id), volume.images(job.id)
        command = [sys.executable, "-m", "worker.image_indexing"]
        arguments = [str(results), str(_source(volume, job)), str(directory)]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True)
        if done.returncode:
            log.error("no index of the images of %s: %s", job.id, done.stderr)
        with self._lock:
            del self._running[job.id]
            if done.returncode:
                self._failed[job.id] = done.stderr.strip().rpartition("\n")[2]


def results_of(volume: Volume, job_id: str) -> Path:
    return volume.job(job_id) / "results.jsonl"


def _open_current(volume: Volume, job_id: str) -> ImageIndex | None:
    try:
        index = ImageIndex(volume.images(job_id))
    except FileNotFoundError:
        return None
    if index.stamp == stamp_of(results_of(volume, job_id)):
        return index
    index.close()
    return None


def _source(volume: Volume, job: Job) -> Path:
    try:
        return input_of(volume, job.id, job.parameters)
    except ArchiveError:  # a directory of the inbox that is no longer there
        return volume.archive(job.id)
