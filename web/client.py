"""The Python client.

from web.client import Client

client = Client("http://127.0.0.1:8000")
training = client.train("dropout-128").wait()
job = client.classify("digits.zip", model=training.summary["model"]).wait()
job.fetch("results")
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from worker.sources.names import Kind, kind_of, leads_outside
from worker.sources.packing import Pack
from worker.volume import ARCHIVE_SUFFIXES

FINAL_STATES = frozenset({"succeeded", "failed", "cancelled"})

# A poll is held open by the server for up to this long, so that waiting costs few requests.
POLL_SECONDS = 10

# Between two polls, however quickly things change.
LEAST_PAUSE_SECONDS = 0.2

# A server that restarts is away for seconds; waiting goes on for this long without it.
AWAY_SECONDS = 60

# What a job was given, as opposed to what it made.
UPLOADS = frozenset({"upload", *(f"input{suffix}" for suffix in ARCHIVE_SUFFIXES)})

# Doubtful answers asked for at a time.
REVIEW_PAGE = 500

CONNECTION_RETRIES = 3
TIMEOUT_SECONDS = 60


class ServerError(Exception):
    """The server refused a request. `status` is the HTTP status, `problem` the problem document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        self.status = status
        self.problem = problem


class ServerAway(Exception):
    """No server answers at the address."""


@dataclass
class Job:
    """A job as the server last described it; `refresh` and `wait` bring it up to date."""

    client: "Client" = field(repr=False)
    document: dict[str, Any]
    etag: str | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        return str(self.document["id"])

    @property
    def state(self) -> str:
        return str(self.document["state"])

    @property
    def finished(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def summary(self) -> dict[str, Any]:
        """What came of it; empty until it has succeeded."""
        return self.document["summary"] or {}

    def refresh(self, wait_seconds: float = 0) -> "Job":
        """Ask again; with `wait_seconds`, the server answers when something has changed or the time is up."""
        headers = {"If-None-Match": self.etag} if self.etag else {}
        query = {"wait": wait_seconds} if wait_seconds else {}
        response = self.client.request("GET", f"jobs/{self.id}", headers=headers, params=query)
        if response.status_code != httpx.codes.NOT_MODIFIED:
            self.document, self.etag = response.json(), response.headers.get("ETag")
        return self

    def wait(
        self, on_change: Callable[["Job"], None] = lambda job: None, timeout_seconds: float | None = None
    ) -> "Job":
        """Return when the job has ended, however it ended.

        Args:
            on_change: called whenever something has changed.
            timeout_seconds: default: wait for ever.

        Raises:
            TimeoutError: the job has not ended in time.
            ServerAway: no server has answered for a minute.
        """
        started = answered = time.monotonic()
        while not self.finished:
            asked = time.monotonic()
            if timeout_seconds is not None and asked - started > timeout_seconds:
                raise TimeoutError(f"Job {self.id} is still {self.state} after {timeout_seconds} s.")
            try:
                self.refresh(wait_seconds=POLL_SECONDS if self.etag else 0)
            except ServerAway:
                if asked - answered > AWAY_SECONDS:
                    raise
            else:
                answered = time.monotonic()
                on_change(self)
            if not self.finished:
                time.sleep(max(0.0, LEAST_PAUSE_SECONDS - (time.monotonic() - asked)))
        return self

    def cancel(self) -> "Job":
        self.document, self.etag = self.client.request("POST", f"jobs/{self.id}/cancel").json(), None
        return self

    def retry(self) -> "Job":
        self.document, self.etag = self.client.request("POST", f"jobs/{self.id}/retry").json(), None
        return self

    def review(self, *, only_open: bool = False) -> Iterator[dict[str, Any]]:
        """The doubtful answers of a classification, the least certain first.

        Args:
            only_open: leave out those that somebody has looked at already.
        """
        query = {"limit": REVIEW_PAGE} | ({"only": "open"} if only_open else {})
        page = self.client.request("GET", f"jobs/{self.id}/review", params=query).json()
        yield from page["items"]
        while page["next"]:
            page = self.client.request("GET", f"{self.client.server}{page['next']}").json()
            yield from page["items"]

    def correct(self, row: int, label: str | None) -> dict[str, Any]:
        """Say what the image in this row of a classification shows: one of the classes, or None for none of them."""
        item: dict[str, Any] = self.client.request("PUT", f"jobs/{self.id}/review/{row}", json={"label": label}).json()
        return item

    def corrections(self) -> str:
        """What people said of a classification's doubtful answers, as CSV."""
        return self.client.request("GET", f"jobs/{self.id}/corrections.csv").text

    def files(self) -> list[dict[str, Any]]:
        """The files that can be fetched: `name`, `bytes`, `href`."""
        files: list[dict[str, Any]] = self.client.request("GET", f"jobs/{self.id}/files").json()["files"]
        return files

    def fetch(self, directory: str | Path, on_bytes: Callable[[int], None] = lambda count: None) -> list[Path]:
        """Download all files but the upload itself into a directory, made if missing.

        Args:
            on_bytes: called with the size of each piece received.
        """
        target = Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        names = {file["name"]: file["href"] for file in self.files() if file["name"] not in UPLOADS}
        outside = [name for name in names if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute()]
        if outside:
            raise ValueError(f"The server names files outside of the job: {outside}")
        return [self.client.download(href, target / name, on_bytes) for name, href in names.items()]


class Client:
    """Talks to one Tenfold server.

    Args:
        server: its address; default: `TENFOLD_SERVER`, else http://127.0.0.1:8000.
    """

    def __init__(self, server: str | None = None) -> None:
        self.server = (server or os.environ.get("TENFOLD_SERVER") or "http://127.0.0.1:8000").rstrip("/")
        self._http = httpx.Client(
            base_url=f"{self.server}/api/v1/",
            timeout=TIMEOUT_SECONDS,
            transport=httpx.HTTPTransport(retries=CONNECTION_RETRIES),
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def train(self, recipe: str, **parameters: Any) -> Job:
        """Queue a training; `parameters` are those of `trainer.parameters.TrainingParameters`."""
        body = {"recipe": recipe, **_given(parameters)}
        response = self.request("POST", "trainings", json=body, headers=_new_key())
        return Job(self, response.json())

    def sweep(self, recipe: str, space: dict[str, Any] | str, **parameters: Any) -> Job:
        """Queue a search over hyper-parameters.

        Args:
            space: for each hyper-parameter a list of values, or `{"low": …, "high": …, "log": …}`.
            parameters: those of `worker.sweep_parameters.SweepParameters`.
        """
        body = {"recipe": recipe, "space": space, **_given(parameters)}
        return Job(self, self.request("POST", "sweeps", json=body, headers=_new_key()).json())

    def classify(
        self,
        *paths: str | Path,
        directory: str | None = None,
        on_bytes: Callable[[int], None] = lambda count: None,
        **parameters: Any,
    ) -> Job:
        """Upload images and queue their classification.

        Args:
            paths: a zip, a tar, or any number of images. Images are sent as one zip, under their paths as given here:
                of `7/scan.png` the folder is taken as the true label.
            directory: instead of paths: a directory of the server's inbox.
            on_bytes: called with the size of each piece sent.
            parameters: those of `worker.parameters.ClassificationParameters`.

        Raises:
            ValueError: there is neither a path nor a directory, or both.
        """
        if bool(paths) == (directory is not None):
            raise ValueError("Give the paths of files to send, or a directory of the server's inbox.")
        if directory is not None:
            query = _given({**parameters, "directory": directory})
            return Job(self, self.request("POST", "classifications", params=query, headers=_new_key()).json())
        sent = [Path(path) for path in paths]
        name = sent[0].name if len(sent) == 1 else f"{len(sent):,} files"
        with _packed_where_loose(sent) as path:
            return self._upload("classifications", path, {**parameters, "name": name}, "application/zip", on_bytes)

    def predict(self, image: str | Path | bytes, **parameters: Any) -> dict[str, Any]:
        """What a model takes one image for, at once; the answer of `POST /predictions`.

        Args:
            image: an image file, or the bytes of one.
            parameters: those of `worker.parameters.PredictionParameters`.
        """
        content = image if isinstance(image, bytes) else Path(image).read_bytes()
        headers = {"Content-Type": "application/octet-stream"}
        answer: dict[str, Any] = self.request(
            "POST", "predictions", content=content, params=_given(parameters), headers=headers
        ).json()
        return answer

    def import_dataset(
        self,
        name: str,
        path: str | Path,
        *,
        on_bytes: Callable[[int], None] = lambda count: None,
        **parameters: Any,
    ) -> Job:
        """Upload a data set of one's own and queue its import; trainings can then name it.

        Args:
            name: what to call it.
            path: a zip of class folders, a zip of MNIST's four files, an .npz or a .csv.
            on_bytes: called with the size of each piece sent.
            parameters: those of `worker.parameters.ImportParameters`.
        """
        path = Path(path)
        query = {**parameters, "name": name, "filename": path.name}
        return self._upload("datasets", path, query, "application/octet-stream", on_bytes)

    def merge_corrections(self, classification: str, **parameters: Any) -> Job:
        """Queue the merging of a classification's corrections into its results, and into a data set where one is named.

        Args:
            classification: its id.
            parameters: the others of `worker.parameters.ReviewParameters`.
        """
        body = {"classification": classification, **_given(parameters)}
        return Job(self, self.request("POST", "reviews", json=body, headers=_new_key()).json())

    def datasets(self) -> list[dict[str, Any]]:
        """What can be trained on."""
        datasets: list[dict[str, Any]] = self.request("GET", "datasets").json()["datasets"]
        return datasets

    def delete_dataset(self, name: str) -> None:
        """Remove an uploaded data set; models trained on it stay."""
        self.request("DELETE", f"datasets/{quote(name, safe='')}")

    def job(self, job_id: str) -> Job:
        response = self.request("GET", f"jobs/{job_id}")
        return Job(self, response.json(), response.headers.get("ETag"))

    def jobs(
        self, *, kind: str | None = None, state: str | None = None, parent: str | None = None, limit: int = 50
    ) -> list[Job]:
        """The newest jobs; the trials of a sweep where it is named as the parent."""
        wanted = {"kind": kind, "state": state, "parent": parent, "limit": limit}
        query = {name: value for name, value in wanted.items() if value}
        return [Job(self, document) for document in self.request("GET", "jobs", params=query).json()["jobs"]]

    def models(self) -> list[dict[str, Any]]:
        models: list[dict[str, Any]] = self.request("GET", "models").json()["models"]
        return models

    def set_default_model(self, model_id: str) -> dict[str, Any]:
        model: dict[str, Any] = self.request("PUT", "models/default", json={"model": model_id}).json()
        return model

    def recipes(self) -> list[dict[str, Any]]:
        recipes: list[dict[str, Any]] = self.request("GET", "recipes").json()["recipes"]
        return recipes

    def ready(self) -> bool:
        """Whether the server answers and takes jobs."""
        try:
            self.request("GET", "readyz")
        except (ServerAway, ServerError):
            return False
        return True

    def _upload(
        self, call: str, path: Path, query: dict[str, Any], content_type: str, on_bytes: Callable[[int], None]
    ) -> Job:
        headers = _new_key() | {"Content-Type": content_type, "Content-Length": str(path.stat().st_size)}
        response = self.request("POST", call, content=_pieces(path, on_bytes), params=_given(query), headers=headers)
        return Job(self, response.json())

    def download(self, href: str, path: Path, on_bytes: Callable[[int], None] = lambda count: None) -> Path:
        """Save one file of the server's; it appears at `path` only when it has arrived whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.part")
        with self._http.stream("GET", f"{self.server}{href}") as response:
            response.raise_for_status()
            with partial.open("wb") as file:
                for piece in response.iter_bytes():
                    file.write(piece)
                    on_bytes(len(piece))
        return partial.rename(path)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One call of the API.

        Raises:
            ServerError: the server refused it.
            ServerAway: no server answers.
        """
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise ServerAway(
                f"No Tenfold server answers at {self.server} ({error}). "
                "Start one with `tenfold up`, or name another with TENFOLD_SERVER."
            ) from error
        if response.is_error:
            is_json = "json" in response.headers.get("Content-Type", "")
            raise ServerError(response.status_code, response.json() if is_json else {"detail": response.text})
        return response


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


@contextmanager
def _packed_where_loose(paths: Sequence[Path]) -> Iterator[Path]:
    """The one archive, or a zip of all the images for as long as the block lasts."""
    if len(paths) == 1 and kind_of(paths[0].name) is not Kind.IMAGE:
        yield paths[0]
        return
    with TemporaryDirectory() as directory:
        packed = Path(directory) / "images.zip"
        with packed.open("wb") as file:
            pack = Pack(file.write)
            for path in paths:
                with path.open("rb") as image:
                    pack.add(_name_in_zip(path), image, path.stat().st_size)
            pack.close()
        yield packed


def _name_in_zip(path: Path) -> str:
    return path.name if leads_outside(str(path)) else path.as_posix()


def _new_key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


def _pieces(path: Path, on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 18):
            yield piece
            on_bytes(len(piece))
