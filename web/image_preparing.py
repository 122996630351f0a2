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
        try:
            failed = _make_index(volume, job)
        except OSError as error:
            failed = str(error)
        if failed:
            log.error("no index of the images of %s: %s", job.id, failed)
        with self._lock:
            del self._running[job.id]
            if failed:
                self._failed[job.id] = failed.strip().rpartition("\n")[2]


def results_of(volume: Volume, job_id: str) -> Path:
    """The results as JSON lines, where they can be read."""
    return volume.storage.fetch(volume.job(job_id) / "results.jsonl", may_change=True)


def _make_index(volume: Volume, job: Job) -> str:
    """Why it could not be made; empty where it was."""
    with volume.storage.at_work(volume.job(job.id)):
        arguments = [str(results_of(volume, job.id)), str(_source(volume, job)), str(volume.images(job.id))]
        command = [sys.executable, "-m", "worker.image_indexing"]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True)
    return done.stderr if done.returncode else ""


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
