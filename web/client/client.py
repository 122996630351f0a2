"""Everything that can be asked of a server."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Unpack
from urllib.parse import quote
from uuid import uuid4

import httpx

from web.client import large_files
from web.client.connection import IDEMPOTENCY_KEY, Connection
from web.client.documents import RecipeDocument
from web.client.errors import ServerAway, ServerError, content_of, json_object
from web.client.job import JOB_FIELDS, Job, choose
from web.client.options import (
    ClassificationOptions,
    ImportOptions,
    PredictionOptions,
    ReviewOptions,
    SweepOptions,
    TrainingOptions,
    given,
)
from web.client.retries import NEVER
from web.client.sending import Pieces, packed_where_loose
from web.documents import (
    DatasetLine,
    DeliveryDocument,
    FileLine,
    ModelDocument,
    NewWebhook,
    PredictionDocument,
    UploadDocument,
    WebhookDocument,
    WorkerLine,
)

# Asked for at a time.
MOST_ON_A_PAGE = 500

# How the query of each call names the file that is its body.
FILE_NAME = {"classifications": "name", "datasets": "filename"}


class Client(Connection):
    """Talks to one Tenfold server.

    A request that fails because the server is away for a moment, or asks to come back later, is sent again after a
    while. Whatever queues a job has an idempotency key of its own, so that however often it is sent there is one job.
    A file of more than 64 MiB is sent in pieces, and goes on where it stopped.

    Args:
        server: its address; default: `TENFOLD_SERVER`, else http://127.0.0.1:8000.
        key: an API key, where the server asks for one; default: `TENFOLD_KEY`.
        retries: how often a request is sent again before `ServerAway` or `ServerError` is raised.
        timeout_seconds: how long to wait for the server's next byte.
    """

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
        upload: str | None = None,
        on_bytes: Callable[[int], None] = lambda count: None,
        idempotency_key: str | None = None,
        **parameters: Unpack[ClassificationOptions],
    ) -> Job:
        """Upload images and queue their classification.

        Args:
            paths: a zip, tar or 7z, or any number of images and folders of this computer. They are sent as one zip,
                images under their paths as given here, those of a single folder under their paths in it: of
                `7/scan.png` the folder is taken as the true label.
            directory: instead of paths: a directory of the server's inbox.
            upload: the id of an upload that has begun: of the same paths, to go on with it; without paths, of one that
                is on the server as a whole.
            on_bytes: called with the size of each piece sent, and with minus their sum where sending starts again.

        Raises:
            ValueError: there is neither a path, a directory nor an upload, or a directory and something else.
            FileNotFoundError: there is no file in any of the folders.
        """
        if not (paths or directory or upload) or (directory and (paths or upload)):
            raise ValueError("Give the paths of files to send, an upload, or a directory of the server's inbox.")
        if not paths:
            query = given({**parameters, "directory": directory, "upload": upload})
            return self._queue("classifications", idempotency_key, params=query)
        sent = [Path(path) for path in paths]
        name = sent[0].resolve().name if len(sent) == 1 else f"{len(sent):,} files"
        with packed_where_loose(sent) as path:
            return self._submit_file("classifications", path, name, parameters, upload, on_bytes, idempotency_key)

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
        answer: PredictionDocument = json_object(response, ("label", "confidence"))
        return answer

    def import_dataset(
        self,
        name: str,
        path: str | Path | None = None,
        *,
        upload: str | None = None,
        on_bytes: Callable[[int], None] = lambda count: None,
        idempotency_key: str | None = None,
        **parameters: Unpack[ImportOptions],
    ) -> Job:
        """Upload a data set of one's own and queue its import; trainings can then name it.

        Args:
            name: what to call it.
            path: a zip of class folders, a zip of MNIST's four files, an .npz or a .csv.
            upload, on_bytes: as for `classify`.

        Raises:
            ValueError: there is neither a path nor an upload.
        """
        if path is None:
            if upload is None:
                raise ValueError("Give the path of a file to send, or an upload.")
            query = given({**parameters, "name": name, "upload": upload})
            return self._queue("datasets", idempotency_key, params=query)
        path, query = Path(path), {**parameters, "name": name}
        return self._submit_file("datasets", path, path.name, query, upload, on_bytes, idempotency_key)

    def upload(self, upload_id: str) -> UploadDocument:
        """How much of a large file has arrived."""
        upload: UploadDocument = self.document("GET", f"uploads/{_quoted(upload_id)}", needs=("bytes", "received"))
        return upload

    def delete_upload(self, upload_id: str) -> None:
        """Remove what has arrived of a large file; jobs that were made of it keep what they have."""
        self.request("DELETE", f"uploads/{_quoted(upload_id)}")

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
        return Job(self, json_object(response, JOB_FIELDS), response.headers.get("ETag"))

    def jobs(
        self,
        *,
        kind: str | None = None,
        state: str | None = None,
        parent: str | None = None,
        mine: bool = False,
        limit: int = 50,
    ) -> list[Job]:
        """The newest jobs; the trials of a sweep where it is named as the parent.

        Args:
            mine: only those of whoever asks; while there are no users, all.
        """
        wanted = {"kind": kind, "state": state, "parent": parent, "limit": min(limit, MOST_ON_A_PAGE)}
        wanted |= {"mine": "true"} if mine else {}
        return [Job(self, document) for document in islice(self.listed("jobs", "jobs", given(wanted)), limit)]

    def models(self, *, search: str | None = None, limit: int | None = None) -> list[ModelDocument]:
        """The models, the newest first: all, or at most `limit`.

        Args:
            search: words, each of which is a part of the recipe, the data set's name or the id.
        """
        wanted = {"search": search, "limit": min(limit or MOST_ON_A_PAGE, MOST_ON_A_PAGE)}
        return list(islice(self.listed("models", "models", given(wanted)), limit))

    def model(self, model_id: str) -> ModelDocument:
        """One model; `default` is the one that serves where none is named."""
        model: ModelDocument = self.document("GET", f"models/{_quoted(model_id)}", needs=("id", "metrics"))
        return model

    def set_default_model(self, model_id: str) -> ModelDocument:
        """Let a model serve wherever none is named."""
        model: ModelDocument = self.document("PUT", "models/default", needs=("id",), json={"model": model_id})
        return model

    def delete_model(self, model_id: str) -> None:
        """Remove a model and its files; the training that made it stays, and so do the results that it gave."""
        self.request("DELETE", f"models/{_quoted(model_id)}")

    def model_files(self, model_id: str) -> list[FileLine]:
        files: list[FileLine] = self.document("GET", f"models/{_quoted(model_id)}/files", needs=("files",))["files"]
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

    def datasets(self) -> list[DatasetLine]:
        """What can be trained on."""
        datasets: list[DatasetLine] = self.document("GET", "datasets", needs=("datasets",))["datasets"]
        return datasets

    def dataset(self, name: str) -> dict[str, Any]:
        """A data set with the report of its import."""
        dataset: dict[str, Any] = self.document("GET", f"datasets/{_quoted(name)}", needs=("name",))
        return dataset

    def dataset_preview(self, name: str) -> bytes:
        """Sample images of each class, as a PNG file."""
        return content_of(self.request("GET", f"datasets/{_quoted(name)}/preview.png"), "image/")

    def delete_dataset(self, name: str) -> None:
        """Remove an uploaded data set; models trained on it stay."""
        self.request("DELETE", f"datasets/{_quoted(name)}")

    def recipes(self) -> list[RecipeDocument]:
        """What a training can name."""
        recipes: list[RecipeDocument] = self.document("GET", "recipes", needs=("recipes",))["recipes"]
        return recipes

    def workers(self) -> list[WorkerLine]:
        """The workers and predictors that are alive, and what each is doing."""
        workers: list[WorkerLine] = self.document("GET", "workers", needs=("workers",))["workers"]
        return workers

    def add_webhook(self, url: str, kinds: Sequence[str] = ()) -> NewWebhook:
        """Have an address told when jobs end. The answer's `secret`, which signs what is sent, is shown this once.

        Args:
            kinds: of jobs; none: of all kinds.
        """
        asked = {"url": url, "kinds": list(kinds)}
        webhook: NewWebhook = self.document("POST", "webhooks", needs=("id", "secret"), json=asked)
        return webhook

    def webhooks(self) -> list[WebhookDocument]:
        """The addresses that are told when jobs end, the newest first."""
        webhooks: list[WebhookDocument] = self.document("GET", "webhooks", needs=("webhooks",))["webhooks"]
        return webhooks

    def webhook(self, webhook_id: str) -> WebhookDocument:
        webhook: WebhookDocument = self.document("GET", f"webhooks/{_quoted(webhook_id)}", needs=("id",))
        return webhook

    def delete_webhook(self, webhook_id: str) -> None:
        """Tell this address no more."""
        self.request("DELETE", f"webhooks/{_quoted(webhook_id)}")

    def deliveries(self, webhook_id: str, *, limit: int = 50) -> list[DeliveryDocument]:
        """What was last sent to a webhook, and how that went."""
        path = f"webhooks/{_quoted(webhook_id)}/deliveries"
        return list(islice(self.listed(path, "deliveries", {"limit": min(limit, MOST_ON_A_PAGE)}), limit))

    def health(self) -> dict[str, Any]:
        """Whether the server takes jobs, and how each part of it is: `status`, `checks`."""
        response = self.send("GET", "readyz", extensions=NEVER)
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            response.status_code = httpx.codes.OK  # it is told, not refused
        health: dict[str, Any] = json_object(response, ("status", "checks"))
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

    def _submit(self, call: str, body: dict[str, Any], idempotency_key: str | None) -> Job:
        return self._queue(call, idempotency_key, json=given(body))

    def _submit_file(
        self,
        call: str,
        path: Path,
        file_name: str,
        query: Mapping[str, Any],
        upload: str | None,
        on_bytes: Callable[[int], None],
        idempotency_key: str | None,
    ) -> Job:
        if upload is None and path.stat().st_size <= large_files.LARGE_BYTES:
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)}
            params = given({**query, FILE_NAME[call]: file_name})
            return self._queue(call, idempotency_key, content=Pieces(path, on_bytes), params=params, headers=headers)
        upload = upload or large_files.begin_upload(self, path, file_name, idempotency_key)
        large_files.send_rest(self, upload, path, on_bytes)
        job = self._queue(call, idempotency_key, params=given({**query, "upload": upload}))
        # The job has a name of its own for the file, so this one can go; whatever happens to it, it expires.
        with suppress(ServerAway):
            self.send("DELETE", f"uploads/{upload}")
        return job

    def _queue(self, call: str, idempotency_key: str | None, **options: Any) -> Job:
        headers = {**options.pop("headers", {}), IDEMPOTENCY_KEY: idempotency_key or uuid4().hex}
        return Job(self, self.document("POST", call, needs=JOB_FIELDS, headers=headers, **options))


def _quoted(name: str) -> str:
    return quote(name, safe="")
