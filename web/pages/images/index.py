"""Builds the index of a classification's images when they are first viewed."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

from flask import current_app

from tenfold.web.core.services import services
from tenfold.worker.classification.image_index.index import ImageIndex, stamp_of
from tenfold.worker.classification.inputs import input_of
from tenfold.worker.db.records import Job
from tenfold.worker.errors import ArchiveError, WorkerError
from tenfold.worker.storage.volume import Volume

log = logging.getLogger(__name__)

EXTENSION = "tenfold-image-preparing"

# A small index is ready within this time, so that its page needs no reload.
PATIENCE_SECONDS = 2.0


class ImagesUnavailable(WorkerError):
    """The index of a classification's images could not be built."""


class ImagePreparing:
    """Starts one process for each classification that needs an index. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, threading.Thread] = {}
        self._failed: dict[str, str] = {}

    def open(self, volume: Volume, job: Job) -> ImageIndex | None:
        """The index of a finished classification, or None while it is being built: ask again in a second.

        Raises:
            ImagesUnavailable: the index could not be built; the next call tries again.
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
                f"The images could not be indexed ({reason}). Check that the disk is not full, then reload the page."
            )

    def _make(self, volume: Volume, job: Job) -> None:
        try:
            failed = _make_index(volume, job)
        except OSError as error:
            failed = str(error)
        if failed:
            log.error("could not index the images of %s: %s", job.id, failed)
        with self._lock:
            del self._running[job.id]
            if failed:
                self._failed[job.id] = failed.strip().rpartition("\n")[2]


def open_index(job: Job) -> ImageIndex | None:
    """As `ImagePreparing.open`, for the application that handles this request."""
    preparing: ImagePreparing = current_app.extensions[EXTENSION]
    return preparing.open(services().volume, job)


def results_of(volume: Volume, job_id: str) -> Path:
    """The local path of the results as JSON lines."""
    return volume.storage.fetch(volume.job(job_id) / "results.jsonl", may_change=True)


def _make_index(volume: Volume, job: Job) -> str:
    """The reason for a failure; empty after success."""
    with volume.storage.at_work(volume.job(job.id)):
        arguments = [str(results_of(volume, job.id)), str(_source(volume, job)), str(volume.images(job.id))]
        command = [sys.executable, "-m", "tenfold.worker.classification.image_index.building"]
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
    except ArchiveError:  # a directory of the inbox that was deleted
        return volume.archive(job.id)
