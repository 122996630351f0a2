"""`Job`: the state of a job, waiting for it, its files and its review."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx

from tenfold.client.documents import JobDocument
from tenfold.client.errors import JobFailed, ServerAway, check, content_of, json_object
from tenfold.client.tables import TABLES, read_table
from tenfold.files.names import INPUT_SUFFIXES

if TYPE_CHECKING:
    import pandas

    from tenfold.client.connection import Connection
    from tenfold.web.api.documents.comparisons import DifferenceItem
    from tenfold.web.api.documents.jobs import FileItem
    from tenfold.web.api.documents.reviews import ReviewItem

FINAL_STATES = frozenset({"succeeded", "failed", "cancelled"})

# The server holds a poll open for up to this long, so that waiting takes few requests.
POLL_SECONDS = 10

# Minimum time between two polls.
MIN_PAUSE_SECONDS = 0.2

# A server that restarts is unreachable for seconds; waiting tolerates this long.
AWAY_SECONDS = 60

# Files that a job was given, not its results.
UPLOADS = frozenset({"upload", *(f"input{suffix}" for suffix in INPUT_SUFFIXES)})

# Items of a review requested at a time.
REVIEW_PAGE = 500

LOG = "log.txt"

# Required fields of a job's document.
JOB_FIELDS = ("id", "kind", "state", "progress", "summary", "error")
NOTHING_NEW = (httpx.codes.NOT_FOUND, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE)


@dataclass
class Job:
    """A job as the server last described it; `refresh` and `wait` bring it up to date."""

    client: Connection = field(repr=False)
    document: JobDocument
    etag: str | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        return self.document["id"]

    @property
    def state(self) -> str:
        return self.document["state"]

    @property
    def finished(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def summary(self) -> dict[str, Any]:
        """The results in brief; empty until it has succeeded."""
        return self.document["summary"] or {}

    @property
    def progress_detail(self) -> dict[str, Any]:
        """Details of a running job's progress: for a training, the epochs so far."""
        return self.document["progress"].get("detail", {})

    @property
    def eta_seconds(self) -> float | None:
        """Estimated remaining time; None if there is no estimate."""
        return self.document["progress"].get("eta_seconds")

    @property
    def page(self) -> str:
        """The address of its page."""
        return f"{self.client.server}/jobs/{self.id}"

    def refresh(self, wait_seconds: float = 0) -> Job:
        """Update from the server. With `wait_seconds`, it answers when something has changed or the time is up."""
        headers = {"If-None-Match": self.etag} if self.etag else {}
        query = {"wait": wait_seconds} if wait_seconds else {}
        response = self.client.request("GET", f"jobs/{self.id}", headers=headers, params=query)
        if response.status_code != httpx.codes.NOT_MODIFIED:
            self.document, self.etag = json_object(response, JOB_FIELDS), response.headers.get("ETag")
        return self

    def wait(
        self,
        on_change: Callable[[Job], None] = lambda job: None,
        timeout_seconds: float | None = None,
        *,
        progress: bool = False,
    ) -> Job:
        """Return when the job has finished: succeeded, failed or cancelled.

        Args:
            on_change: called whenever something has changed.
            timeout_seconds: default: no limit.
            progress: show a bar, in a terminal or a notebook.

        Raises:
            TimeoutError: the job has not finished in time.
            ServerAway: the server was unreachable for a minute.
        """
        with self._bar() if progress else nullcontext(lambda job: None) as show:
            started = answered = time.monotonic()
            while not self.finished:
                asked = time.monotonic()
                if timeout_seconds is not None and asked - started > timeout_seconds:
                    raise TimeoutError(f"Job {self.id} is still {self.state} after {timeout_seconds:g} s.")
                left = POLL_SECONDS if timeout_seconds is None else started + timeout_seconds - asked
                try:
                    self.refresh(wait_seconds=min(POLL_SECONDS, left) if self.etag else 0)
                except ServerAway:
                    if asked - answered > AWAY_SECONDS:
                        raise
                else:
                    answered = time.monotonic()
                    show(self)
                    on_change(self)
                if not self.finished:
                    time.sleep(max(0.0, MIN_PAUSE_SECONDS - (time.monotonic() - asked)))
        return self

    def results(self) -> pandas.DataFrame:
        """The results as a table: a row for each image of a classification (columns: docs/reference/api.md), each epoch
        of a training, each trial of a sweep, or each image of a comparison.

        Raises:
            JobFailed: it has not succeeded.
            ImportError: pandas is not installed.
        """
        self.raise_unless_succeeded()
        name = TABLES.get(self.document["kind"])
        if name is None:
            raise ValueError(f"Job {self.id} has no table of results: it is of the kind {self.document['kind']}.")
        with TemporaryDirectory() as directory:
            [path] = self.fetch(directory, names=[name])
            return read_table(path)

    def raise_unless_succeeded(self) -> Job:
        """Return the job itself if it has succeeded.

        Raises:
            JobFailed: it has not; with the reason.
        """
        if self.state != "succeeded":
            more = "" if self.finished else "; wait() returns when it has finished"
            raise JobFailed(f"Job {self.id} {self.state}{more}. {self.document['error'] or ''}".rstrip())
        return self

    def cancel(self) -> Job:
        return self._act("cancel")

    def retry(self) -> Job:
        """Queue it again after it failed or was cancelled. Finished steps are not repeated."""
        return self._act("retry")

    def delete(self) -> None:
        """Delete the finished job and its files. A model that it trained is kept."""
        self.client.request("DELETE", f"jobs/{self.id}")

    def files(self) -> list[FileItem]:
        """The files that can be fetched: `name`, `bytes`, `href`."""
        files: list[FileItem] = self.client.document("GET", f"jobs/{self.id}/files", needs=("items",))["items"]
        return files

    def fetch(
        self,
        directory: str | Path,
        on_bytes: Callable[[int], None] = lambda count: None,
        *,
        names: Sequence[str] | None = None,
    ) -> list[Path]:
        """Download files into a directory, made if missing.

        Args:
            on_bytes: called with the size of each piece received.
            names: which files; default: all but the upload itself.

        Raises:
            FileNotFoundError: there is no file of one of these names.
        """
        return self.client.fetch_files(choose(self.files(), names), Path(directory), on_bytes)

    def log(self, start: int = 0) -> bytes:
        """The job's log from this byte on; empty while there is nothing new."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        response = self.client.send("GET", f"jobs/{self.id}/files/{LOG}", headers=headers)
        if response.status_code in NOTHING_NEW:
            return b""
        content = check(response).content
        return content if response.status_code == httpx.codes.PARTIAL_CONTENT else content[start:]

    def review(self, *, only_open: bool = False) -> Iterator[ReviewItem]:
        """The uncertain answers of a classification, the least certain first.

        Args:
            only_open: only answers that nobody has reviewed yet.
        """
        query = {"limit": REVIEW_PAGE} | ({"only": "open"} if only_open else {})
        yield from self.client.listed(f"jobs/{self.id}/review", query)

    def correct(self, row: int, label: str | None) -> ReviewItem:
        """Correct a row of a classification: `label` is one of the classes, or None for none of them."""
        path = f"jobs/{self.id}/review/{row}"
        item: ReviewItem = self.client.document("PUT", path, needs=("row",), json={"label": label})
        return item

    def take_back(self, row: int) -> None:
        """Remove the correction of this row."""
        self.client.request("DELETE", f"jobs/{self.id}/review/{row}")

    def picture(self, row: int, *, model_input: bool = False) -> bytes:
        """The image in this row of a review as a PNG or JPEG file, or the input of the model."""
        query = {"view": "model_input"} if model_input else {}
        response = self.client.request("GET", f"jobs/{self.id}/review/{row}/picture", params=query)
        return content_of(response, "image/")

    def corrections(self) -> str:
        """The corrections of a classification, as CSV."""
        return content_of(self.client.request("GET", f"jobs/{self.id}/corrections.csv"), "text/csv").decode()

    def differences(self, *, right: Sequence[str] = (), wrong: Sequence[str] = ()) -> Iterator[DifferenceItem]:
        """The images on which the models of a comparison differ.

        Args:
            right, wrong: models, by letter or ID: only images that all of these have right, or wrong.
        """
        query = {"limit": REVIEW_PAGE, "right": ",".join(right), "wrong": ",".join(wrong)}
        yield from self.client.listed(
            f"jobs/{self.id}/differences", {name: value for name, value in query.items() if value}
        )

    def difference_picture(self, rank: int) -> bytes:
        """A thumbnail of the image with this rank among a comparison's differences, as a PNG or JPEG file."""
        return content_of(self.client.request("GET", f"jobs/{self.id}/differences/{rank}/picture"), "image/")

    def _act(self, verb: str) -> Job:
        self.document, self.etag = self.client.document("POST", f"jobs/{self.id}/{verb}", needs=JOB_FIELDS), None
        return self

    def _bar(self) -> Any:
        from tenfold.client.progress import progress_bar

        return progress_bar(self)


def choose(files: Sequence[FileItem], names: Sequence[str] | None) -> list[FileItem]:
    """Those of these names; without names, all but uploads.

    Raises:
        FileNotFoundError: there is no file of one of these names.
        ValueError: the server names a file that would land outside of the directory.
    """
    if names is None:
        chosen = [file for file in files if file["name"] not in UPLOADS]
    else:
        there = {file["name"]: file for file in files}
        if missing := [name for name in names if name not in there]:
            raise FileNotFoundError(f"There is no file {', '.join(missing)}; there are: {', '.join(there) or 'none'}.")
        chosen = [there[name] for name in names]
    if outside := [file["name"] for file in chosen if _leads_outside(file["name"])]:
        raise ValueError(f"The server names files outside of the job: {outside}")
    return chosen


def _leads_outside(name: str) -> bool:
    path = PurePosixPath(name)
    return ".." in path.parts or path.is_absolute()
