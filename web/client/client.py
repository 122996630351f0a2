"""Everything that can be asked of a server."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Unpack
from urllib.parse import quote
from uuid import uuid4

import httpx

from web.client.documents import DatasetDocument, FileDocument, ModelDocument, PredictionDocument, RecipeDocument
from web.client.errors import ServerAway, ServerError, check
from web.client.job import Job, choose
from web.client.options import (
    ClassificationOptions,
    ImportOptions,
    PredictionOptions,
    ReviewOptions,
    SweepOptions,
    TrainingOptions,
    given,
)
from web.client.retries import NEVER, once_only, retrying_transport
from web.client.sending import Pieces, packed_where_loose

DEFAULT_SERVER = "http://127.0.0.1:8000"
RETRIES = 5
TIMEOUT_SECONDS = 60

# Jobs asked for at a time.
JOBS_PAGE = 500

IDEMPOTENCY_KEY = "Idempotency-Key"


class Client:
    """Talks to one Tenfold server.

    A request that fails because the server is away for a moment, or asks to come back later, is sent again after a
    while. Whatever queues a job has an idempotency key of its own, so that however often it is sent there is one job.

    Args:
        server: its address; default: `TENFOLD_SERVER`, else http://127.0.0.1:8000.
        key: an API key, where the server asks for one; default: `TENFOLD_KEY`.
        retries: how often a request is sent again before `ServerAway` or `ServerError` is raised.
        timeout_seconds: how long to wait for the server's next byte.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        key: str | None = None,
        retries: int = RETRIES,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.server = (server or os.environ.get("TENFOLD_SERVER") or DEFAULT_SERVER).rstrip("/")
        self._retries = retries
        key = key or os.environ.get("TENFOLD_KEY")
        self._http = httpx.Client(
            base_url=f"{self.server}/api/v1/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=timeout_seconds,
            transport=retrying_transport(retries),
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def train(self, recipe: str, *, idempotency_key: str | None = None, **parameters: Unpack[TrainingOptions]) -> Job:
        """Queue a training.

        Args:
            recipe: one of `recipes()`.
            idempotency_key: repeated with the same key, also by another program, it is the same job.
            parameters: what is to differ from the recipe: docs/training.md has them all.
        """
        return self._submit("trainings", {"recipe": recipe, **parameters}, idempotency_key)

    def sweep(
        self,
        recipe: str,
        space: dict[str, Any] | str,
        *,
        idempotency_key: str | None = None,
        **parameters: Unpack[SweepOptions],
    ) -> Job:
        """Queue a search over hyper-parameters.

        Args:
            space: for each hyper-parameter a list of values, or `{"low": …, "high": …, "log": …}`.
            parameters: those of a training, and of the search.
        """
        return self._submit("sweeps", {"recipe": recipe, "space": space, **parameters}, idempotency_key)

    def classify(
        self,
        *paths: str | Path,
        directory: str | None = None,
        on_bytes: Callable[[int], None] = lambda count: None,
        idempotency_key: str | None = None,
        **parameters: Unpack[ClassificationOptions],
    ) -> Job:
        """Upload images and queue their classification.

        Args:
            paths: a zip, a tar, or any number of images. Images are sent as one zip, under their paths as given here:
                of `7/scan.png` the folder is taken as the true label.
            directory: instead of paths: a directory of the server's inbox.
            on_bytes: called with the size of each piece sent, and with minus their sum where sending starts again.

        Raises:
            ValueError: there is neither a path nor a directory, or both.
        """
        if bool(paths) == (directory is not None):
            raise ValueError("Give the paths of files to send, or a directory of the server's inbox.")
        if directory is not None:
            query = given({**parameters, "directory": directory})
            return self._queue("classifications", idempotency_key, params=query)
        sent = [Path(path) for path in paths]
        name = sent[0].name if len(sent) == 1 else f"{len(sent):,} files"
        with packed_where_loose(sent) as path:
            query = {**parameters, "name": name}
            return self._upload("classifications", path, query, "application/zip", on_bytes, idempotency_key)

    def predict(self, image: str | Path | bytes, **parameters: Unpack[PredictionOptions]) -> PredictionDocument:
        """What a model takes one image for, at once.

        Args:
            image: an image file, or the bytes of one.
        """
        content = image if isinstance(image, bytes) else Path(image).read_bytes()
        # May be sent twice: it changes nothing.
        response = self.send(
            "POST",
            "predictions",
            content=content,
            params=given(parameters),
            headers={"Content-Type": "application/octet-stream"},
        )
        answer: PredictionDocument = check(response).json()
        return answer

    def import_dataset(
        self,
        name: str,
        path: str | Path,
        *,
        on_bytes: Callable[[int], None] = lambda count: None,
        idempotency_key: str | None = None,
        **parameters: Unpack[ImportOptions],
    ) -> Job:
        """Upload a data set of one's own and queue its import; trainings can then name it.

        Args:
            name: what to call it.
            path: a zip of class folders, a zip of MNIST's four files, an .npz or a .csv.
            on_bytes: as for `classify`.
        """
        path = Path(path)
        query = {**parameters, "name": name, "filename": path.name}
        return self._upload("datasets", path, query, "application/octet-stream", on_bytes, idempotency_key)

    def merge_corrections(
        self, classification: str, *, idempotency_key: str | None = None, **parameters: Unpack[ReviewOptions]
    ) -> Job:
        """Queue the merging of a classification's corrections into its results, and into a data set where one is named.

        Args:
            classification: its id.
        """
        return self._submit("reviews", {"classification": classification, **parameters}, idempotency_key)

    def job(self, job_id: str) -> Job:
        response = self.request("GET", f"jobs/{_quoted(job_id)}")
        return Job(self, response.json(), response.headers.get("ETag"))

    def jobs(
        self, *, kind: str | None = None, state: str | None = None, parent: str | None = None, limit: int = 50
    ) -> list[Job]:
        """The newest jobs; the trials of a sweep where it is named as the parent."""
        wanted = {"kind": kind, "state": state, "parent": parent, "limit": min(limit, JOBS_PAGE)}
        page = self.request("GET", "jobs", params=given(wanted)).json()
        documents = page["jobs"]
        while page["next"] and len(documents) < limit:
            page = self.request("GET", f"{self.server}{page['next']}").json()
            documents += page["jobs"]
        return [Job(self, document) for document in documents[:limit]]

    def models(self) -> list[ModelDocument]:
        """All models, the newest first."""
        models: list[ModelDocument] = self.request("GET", "models").json()["models"]
        return models

    def model(self, model_id: str) -> ModelDocument:
        model: ModelDocument = self.request("GET", f"models/{_quoted(model_id)}").json()
        return model

    def set_default_model(self, model_id: str) -> ModelDocument:
        """Let a model serve wherever none is named."""
        model: ModelDocument = self.request("PUT", "models/default", json={"model": model_id}).json()
        return model

    def model_files(self, model_id: str) -> list[FileDocument]:
        files: list[FileDocument] = self.request("GET", f"models/{_quoted(model_id)}/files").json()["files"]
        return files

    def fetch_model(
        self,
        model_id: str,
        directory: str | Path,
        on_bytes: Callable[[int], None] = lambda count: None,
        *,
        names: Sequence[str] | None = None,
    ) -> list[Path]:
        """Download a model's files into a directory; they stay when the job that trained it is deleted."""
        return self.fetch_files(choose(self.model_files(model_id), names), Path(directory), on_bytes)

    def datasets(self) -> list[DatasetDocument]:
        """What can be trained on."""
        datasets: list[DatasetDocument] = self.request("GET", "datasets").json()["datasets"]
        return datasets

    def dataset(self, name: str) -> dict[str, Any]:
        """A data set with the report of its import."""
        dataset: dict[str, Any] = self.request("GET", f"datasets/{_quoted(name)}").json()
        return dataset

    def dataset_preview(self, name: str) -> bytes:
        """Sample images of each class, as a PNG file."""
        return self.request("GET", f"datasets/{_quoted(name)}/preview.png").content

    def delete_dataset(self, name: str) -> None:
        """Remove an uploaded data set; models trained on it stay."""
        self.request("DELETE", f"datasets/{_quoted(name)}")

    def recipes(self) -> list[RecipeDocument]:
        """What a training can name."""
        recipes: list[RecipeDocument] = self.request("GET", "recipes").json()["recipes"]
        return recipes

    def health(self) -> dict[str, Any]:
        """Whether the server takes jobs, and how each part of it is: `status`, `checks`."""
        response = self.send("GET", "readyz", extensions=NEVER)
        if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            check(response)
        health: dict[str, Any] = response.json()
        return health

    def alive(self) -> bool:
        """Whether the server's process answers."""
        try:
            return self.send("GET", "healthz", extensions=NEVER).is_success
        except ServerAway:
            return False

    def ready(self) -> bool:
        """Whether the server answers and takes jobs."""
        try:
            return bool(self.health()["status"] == "ready")
        except (ServerAway, ServerError, ValueError):
            return False

    def fetch_files(
        self, files: Sequence[FileDocument], directory: Path, on_bytes: Callable[[int], None] = lambda count: None
    ) -> list[Path]:
        """Download these files into a directory, made if missing."""
        directory.mkdir(parents=True, exist_ok=True)
        return [self.download(file["href"], directory / file["name"], on_bytes) for file in files]

    def download(self, href: str, path: Path, on_bytes: Callable[[int], None] = lambda count: None) -> Path:
        """Save one file of the server's; it appears at `path` only when it has arrived whole.

        A download that breaks off goes on where it stopped.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.part")
        partial.unlink(missing_ok=True)
        for tries_left in reversed(range(self._retries + 1)):
            try:
                for piece in self._pieces_of(href, partial):
                    on_bytes(len(piece))
                return partial.rename(path)
            except httpx.TransportError as error:
                if not tries_left:
                    raise self._away(error) from error
        raise AssertionError("unreachable")

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One call of the API. A POST without an idempotency key is not sent again once it may have arrived.

        Raises:
            ServerError: the server refused it.
            ServerAway: no server answers.
        """
        if method == "POST" and IDEMPOTENCY_KEY not in options.get("headers", {}):
            options["extensions"] = once_only(self._retries)
        return check(self.send(method, path, **options))

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One call of the API, whatever the answer; sent again where that may help, so for calls that do no harm twice.

        Raises:
            ServerAway: no server answers.
        """
        try:
            return self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise self._away(error) from error

    def _submit(self, call: str, body: dict[str, Any], idempotency_key: str | None) -> Job:
        return self._queue(call, idempotency_key, json=given(body))

    def _upload(
        self,
        call: str,
        path: Path,
        query: dict[str, Any],
        content_type: str,
        on_bytes: Callable[[int], None],
        idempotency_key: str | None,
    ) -> Job:
        headers = {"Content-Type": content_type, "Content-Length": str(path.stat().st_size)}
        content = Pieces(path, on_bytes)
        return self._queue(call, idempotency_key, content=content, params=given(query), headers=headers)

    def _queue(self, call: str, idempotency_key: str | None, **options: Any) -> Job:
        headers = {**options.pop("headers", {}), IDEMPOTENCY_KEY: idempotency_key or uuid4().hex}
        return Job(self, self.request("POST", call, headers=headers, **options).json())

    def _pieces_of(self, href: str, partial: Path) -> Iterator[bytes]:
        """What is still lacking of a file, each piece once it is written."""
        start = partial.stat().st_size if partial.exists() else 0
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self._http.stream("GET", f"{self.server}{href}", headers=headers) as response:
            check(response)
            with partial.open("ab" if response.status_code == httpx.codes.PARTIAL_CONTENT else "wb") as file:
                for piece in response.iter_bytes():
                    file.write(piece)
                    yield piece

    def _away(self, error: httpx.TransportError) -> ServerAway:
        return ServerAway(
            f"No Tenfold server answers at {self.server} ({error}). "
            "Start one with `tenfold up`, or name another with TENFOLD_SERVER."
        )


def _quoted(name: str) -> str:
    return quote(name, safe="")
