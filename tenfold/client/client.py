"""`Client`: every call of the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, Unpack
from urllib.parse import quote
from uuid import uuid4

import httpx

from tenfold.client import large_files, mlflow_export
from tenfold.client.aliases import AliasCalls
from tenfold.client.connection import IDEMPOTENCY_KEY
from tenfold.client.documents import RecipeDocument
from tenfold.client.errors import ServerAway, ServerError, content_of, json_object
from tenfold.client.job import JOB_FIELDS, Job, choose
from tenfold.client.mlflow_export import MlflowExport
from tenfold.client.options import (
    ClassificationOptions,
    ImportOptions,
    ModelImportOptions,
    PredictionOptions,
    ReviewOptions,
    SweepOptions,
    TrainingOptions,
    given,
)
from tenfold.client.retries import NEVER
from tenfold.client.sending import Pieces, packed_where_loose

if TYPE_CHECKING:
    from tenfold.web.api.documents.dataset_differences import DatasetDifferences
    from tenfold.web.api.documents.datasets import DatasetItem
    from tenfold.web.api.documents.jobs import FileItem
    from tenfold.web.api.documents.models import ModelDocument
    from tenfold.web.api.documents.predictions import PredictionDocument
    from tenfold.web.api.documents.uploads import UploadDocument
    from tenfold.web.api.documents.webhooks import DeliveryDocument, NewWebhook, WebhookDocument
    from tenfold.web.api.documents.workers import WorkerDocument

# Items requested at a time.
MAX_ON_A_PAGE = 500

# The query parameter of each call that names the file in its body.
FILE_NAME = {"classifications": "name", "datasets": "filename", "models": "filename"}


class Client(AliasCalls):
    """Talks to one Tenfold server.

    A request that fails because the server is unreachable or busy is retried with backoff. Each submission has an
    idempotency key, so that retries never create a second job. A file of more than 64 MiB is sent in pieces, and
    continues where it stopped.

    Args:
        server: its address. Default: `TENFOLD_SERVER`, or http://127.0.0.1:8000.
        key: an API key, if the server requires one. Default: `TENFOLD_KEY`.
        retries: maximum number of retries before `ServerAway` or `ServerError` is raised.
        timeout_seconds: maximum wait for the next byte of an answer.
    """

    def train(
        self, recipe: str | None = None, *, idempotency_key: str | None = None, **parameters: Unpack[TrainingOptions]
    ) -> Job:
        """Queue a training.

        Args:
            recipe: one of `recipes()`; left out with `from_model`, a model to fine-tune.
            idempotency_key: a second submission with the same key returns the first job.
            parameters: values that replace those of the recipe or model (docs/reference/training.md).
        """
        return self._submit("trainings", {"recipe": recipe, **parameters}, idempotency_key)

    def sweep(
        self,
        recipe: str | None,
        space: dict[str, Any] | str,
        *,
        idempotency_key: str | None = None,
        **parameters: Unpack[SweepOptions],
    ) -> Job:
        """Queue a search over hyperparameters.

        Args:
            recipe: one of `recipes()`; None with `from_model`, a model to fine-tune.
            space: a list of values for each hyperparameter, or `{"low": …, "high": …, "log": …}`.
            parameters: those of the trainings and of the search.
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
            paths: a zip, tar or 7z, or any number of images and folders on this computer. Images and folders are sent
                as one zip and keep their paths; those in a single folder keep their paths within it. In `7/scan.png`
                the folder is the true label.
            directory: a directory of the server's inbox, instead of paths.
            upload: the ID of an upload. With the same paths, it is continued; without paths, it must be complete.
            on_bytes: called with the size of each piece sent, and with minus their sum when sending restarts.

        Raises:
            ValueError: no paths, directory or upload, or a directory together with one of the others.
            FileNotFoundError: the folders contain no file.
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
        """Classify one image immediately.

        Args:
            image: an image file, or the bytes of one.
        """
        content = image if isinstance(image, bytes) else Path(image).read_bytes()
        # Safe to retry: it changes nothing.
        response = self.send(
            "POST",
            "predictions",
            content=content,
            params=given(parameters),
            headers={"Content-Type": "application/octet-stream"},
        )
        answer: PredictionDocument = json_object(response, ("prediction", "confidence"))
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
        """Upload a data set and queue its import.

        Args:
            name: the name for trainings to use.
            path: a zip of class folders, a zip of MNIST's four files, an .npz or a .csv.
            upload, on_bytes: as for `classify`.

        Raises:
            ValueError: neither a path nor an upload was given.
        """
        if path is None:
            if upload is None:
                raise ValueError("Give the path of a file to send, or an upload.")
            query = given({**parameters, "name": name, "upload": upload})
            return self._queue("datasets", idempotency_key, params=query)
        path, query = Path(path), {**parameters, "name": name}
        return self._submit_file("datasets", path, path.name, query, upload, on_bytes, idempotency_key)

    def import_model(
        self,
        path: str | Path,
        input: str,
        preprocessing: Literal["digit", "resize", "none"],
        *,
        check_file: str | Path | None = None,
        upload: str | None = None,
        on_bytes: Callable[[int], None] = lambda count: None,
        idempotency_key: str | None = None,
        **parameters: Unpack[ModelImportOptions],
    ) -> Job:
        """Upload a model that was made elsewhere, and queue its import.

        Args:
            path: a `.keras` or `.h5` file of Keras, a zip of a SavedModel, or an ONNX file.
            input: height, width and channels that the network takes: `28x28x1`.
            preprocessing: how a picture becomes such an input.
            check_file: a zip of class folders to check the declaration on, instead of the data set `check`.
            upload, on_bytes: as for `classify`; continues the upload of `path`.
            parameters: `classes`, `scaling`, `orientation`, `name`, `check` and `exports`.
        """
        path, key = Path(path), idempotency_key or uuid4().hex
        query: dict[str, Any] = {**parameters, "input": input, "preprocessing": preprocessing}
        for name in ("classes", "exports"):
            if not isinstance(query.get(name) or "", str):
                query[name] = ",".join(query[name])
        if check_file is not None:
            sample = Path(check_file)
            query["check_upload"] = large_files.begin_upload(self, sample, sample.name, key)
            large_files.send_rest(self, query["check_upload"], sample, on_bytes)
        job = self._submit_file("models", path, path.name, query, upload, on_bytes, key)
        if "check_upload" in query:
            with suppress(ServerAway):
                self.send("DELETE", f"uploads/{query['check_upload']}")
        return job

    def upload(self, upload_id: str) -> UploadDocument:
        """An upload, with the number of bytes received."""
        upload: UploadDocument = self.document(
            "GET", f"uploads/{_quoted(upload_id)}", needs=("bytes", "received_bytes")
        )
        return upload

    def delete_upload(self, upload_id: str) -> None:
        """Delete an upload. Jobs that use it are not affected."""
        self.request("DELETE", f"uploads/{_quoted(upload_id)}")

    def merge_corrections(
        self, classification: str, *, idempotency_key: str | None = None, **parameters: Unpack[ReviewOptions]
    ) -> Job:
        """Queue a job that merges corrections into the results of a classification, and into a new data set if named.

        Args:
            classification: the ID of the classification.
        """
        return self._submit("reviews", {"classification": classification, **parameters}, idempotency_key)

    def compare(self, *models: str, on: str | None = None, idempotency_key: str | None = None) -> Job:
        """Queue a comparison of models on the same labeled images; its summary says which one is better.

        Args:
            models: IDs of two or more; each is compared with the first.
            on: a data set, whose test images are used, or the ID of a classification with labels. Default: the
                data set that the first model was trained or checked on.
        """
        return self._submit("comparisons", {"models": list(models), "on": on}, idempotency_key)

    def check_dataset(self, name: str, *, idempotency_key: str | None = None) -> Job:
        """Queue a check of a data set's labels; `Job.results` then has the suspected ones, the clearest first."""
        return self._submit("checks", {"dataset": name}, idempotency_key)

    def dataset_versions(self, name: str) -> list[DatasetItem]:
        """The data sets that were made from this one with corrected labels."""
        path = f"datasets/{_quoted(name)}/versions"
        versions: list[DatasetItem] = self.document("GET", path, needs=("items",))["items"]
        return versions

    def relabel_dataset(
        self, name: str, new: str, corrections: Sequence[Mapping[str, Any]], content_sha256: str | None = None
    ) -> dict[str, Any]:
        """Make the data set `new` from `name`, which stays as it is, with corrected labels.

        Args:
            corrections: up to 1,000 of `{"part": "train" or "test", "index": 17, "label": "l"}`; the label None leaves
                the image out.
            content_sha256: refuse if `name` has another content by now.
        """
        body = {"name": new, "corrections": list(corrections), "content_sha256": content_sha256}
        made: dict[str, Any] = self.document("POST", f"datasets/{_quoted(name)}/versions", json=body, needs=("name",))
        return made

    def job(self, job_id: str) -> Job:
        response = self.request("GET", f"jobs/{_quoted(job_id)}")
        return Job(self, json_object(response, JOB_FIELDS), response.headers.get("ETag"))

    def jobs(
        self,
        *,
        kind: str | None = None,
        state: str | None = None,
        sweep: str | None = None,
        mine: bool = False,
        limit: int = 50,
    ) -> list[Job]:
        """The newest jobs; with `sweep`, the id of one, its trials.

        Args:
            mine: only jobs of the caller; all, while there are no users.
        """
        wanted = {"kind": kind, "state": state, "sweep": sweep, "limit": min(limit, MAX_ON_A_PAGE)}
        wanted |= {"mine": "true"} if mine else {}
        return [Job(self, document) for document in islice(self.listed("jobs", given(wanted)), limit)]

    def models(self, *, search: str | None = None, limit: int | None = None) -> list[ModelDocument]:
        """The models, the newest first: all, or at most `limit`.

        Args:
            search: words that each occur in the recipe, the data set's name or the ID.
        """
        wanted = {"search": search, "limit": min(limit or MAX_ON_A_PAGE, MAX_ON_A_PAGE)}
        return list(islice(self.listed("models", given(wanted)), limit))

    def model(self, model_id: str) -> ModelDocument:
        """One model, by its ID or an alias such as `production`."""
        model: ModelDocument = self.document("GET", f"models/{_quoted(model_id)}", needs=("id", "metrics"))
        return model

    def delete_model(self, model_id: str) -> None:
        """Delete a model and its files, unless an alias names it. Its training and past results are kept."""
        self.request("DELETE", f"models/{_quoted(model_id)}")

    def model_files(self, model_id: str) -> list[FileItem]:
        files: list[FileItem] = self.document("GET", f"models/{_quoted(model_id)}/files", needs=("items",))["items"]
        return files

    def fetch_model(
        self,
        model_id: str,
        directory: str | Path,
        on_bytes: Callable[[int], None] = lambda count: None,
        *,
        names: Sequence[str] | None = None,
    ) -> list[Path]:
        """Download files of a model into a directory. They are kept when the training is deleted."""
        return self.fetch_files(choose(self.model_files(model_id), names), Path(directory), on_bytes)

    def export_to_mlflow(
        self,
        model_id: str,
        tracking_uri: str | None = None,
        *,
        experiment: str = "tenfold",
        name: str | None = None,
        on_bytes: Callable[[int], None] = lambda count: None,
    ) -> MlflowExport:
        """Log a model to MLflow: a run with its parameters, metrics and files, and a new version of a registered model.

        Needs the extra `mlflow`, and for a server MLflow 3. `mlflow.keras.load_model` and `mlflow.onnx.load_model` then
        load what the model has files for; neither needs Tenfold.

        Args:
            tracking_uri: a tracking server or `sqlite:///FILE`. Default: what MLflow uses, such as MLFLOW_TRACKING_URI.
            experiment: made if it does not exist.
            name: of the registered model, made if it does not exist. Default: `tenfold-` and the data set's name.

        Raises:
            ImportError: the extra is not installed.
            ValueError: the model has no file that MLflow can load.
            mlflow.exceptions.MlflowException: MLflow refused something. A run that has begun is then marked as failed.
        """
        document = self.model(model_id)
        listed = self.model_files(document["id"])
        mlflow_export.check_exportable(document["id"], listed)
        with TemporaryDirectory() as temporary:
            files = Path(temporary)
            self.fetch_files(listed, files, on_bytes)
            return mlflow_export.export_model(document, files, self.server, tracking_uri, experiment, name)

    def datasets(self) -> list[DatasetItem]:
        """All data sets."""
        datasets: list[DatasetItem] = self.document("GET", "datasets", needs=("items",))["items"]
        return datasets

    def dataset(self, name: str) -> dict[str, Any]:
        """A data set with the report of its import."""
        dataset: dict[str, Any] = self.document("GET", f"datasets/{_quoted(name)}", needs=("name",))
        return dataset

    def dataset_preview(self, name: str) -> bytes:
        """Sample images of each class, as a PNG file."""
        return content_of(self.request("GET", f"datasets/{_quoted(name)}/preview.png"), "image/")

    def dataset_differences(self, name: str, other: str) -> DatasetDifferences:
        """What became of a data set in another one: images added, removed, with another label, in the other part."""
        path = f"datasets/{_quoted(name)}/diff"
        found: DatasetDifferences = self.document("GET", path, params={"other": other}, needs=("summary",))
        return found

    def dataset_image(self, name: str, part: Literal["train", "test"], index: int) -> bytes:
        """A training or test image of a data set, by its number from 0, as a PNG file."""
        return content_of(self.request("GET", f"datasets/{_quoted(name)}/images/{part}/{index}.png"), "image/")

    def delete_dataset(self, name: str) -> None:
        """Delete an imported data set. Models trained on it are kept."""
        self.request("DELETE", f"datasets/{_quoted(name)}")

    def recipes(self) -> list[RecipeDocument]:
        """The recipes for training."""
        recipes: list[RecipeDocument] = self.document("GET", "recipes", needs=("items",))["items"]
        return recipes

    def workers(self) -> list[WorkerDocument]:
        """The workers and predictors online, and their current tasks."""
        workers: list[WorkerDocument] = self.document("GET", "workers", needs=("items",))["items"]
        return workers

    def add_webhook(self, url: str, kinds: Sequence[str] = ()) -> NewWebhook:
        """Add a webhook: the server sends a request to `url` whenever a job finishes.

        The answer's `secret` signs the requests; it is shown only this once.

        Args:
            kinds: kinds of jobs. Default: all.
        """
        asked = {"url": url, "kinds": list(kinds)}
        webhook: NewWebhook = self.document("POST", "webhooks", needs=("id", "secret"), json=asked)
        return webhook

    def webhooks(self) -> list[WebhookDocument]:
        """The webhooks, newest first."""
        webhooks: list[WebhookDocument] = self.document("GET", "webhooks", needs=("items",))["items"]
        return webhooks

    def webhook(self, webhook_id: str) -> WebhookDocument:
        webhook: WebhookDocument = self.document("GET", f"webhooks/{_quoted(webhook_id)}", needs=("id",))
        return webhook

    def delete_webhook(self, webhook_id: str) -> None:
        """Delete a webhook."""
        self.request("DELETE", f"webhooks/{_quoted(webhook_id)}")

    def deliveries(self, webhook_id: str, *, limit: int = 50) -> list[DeliveryDocument]:
        """The deliveries to a webhook, newest first."""
        path = f"webhooks/{_quoted(webhook_id)}/deliveries"
        return list(islice(self.listed(path, {"limit": min(limit, MAX_ON_A_PAGE)}), limit))

    def health(self) -> dict[str, Any]:
        """Whether the server accepts jobs (`status`), and the state of each part (`checks`)."""
        response = self.send("GET", "readyz", extensions=NEVER)
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            response.status_code = httpx.codes.OK  # not ready is an answer, not an error
        health: dict[str, Any] = json_object(response, ("status", "checks"))
        return health

    def alive(self) -> bool:
        """Whether the server's process answers."""
        try:
            return self.send("GET", "healthz", extensions=NEVER).is_success
        except ServerAway:
            return False

    def ready(self) -> bool:
        """Whether the server answers and accepts jobs."""
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
        # The job has its own link to the file, so the upload can go. If deleting it fails, it expires.
        with suppress(ServerAway):
            self.send("DELETE", f"uploads/{upload}")
        return job

    def _queue(self, call: str, idempotency_key: str | None, **options: Any) -> Job:
        headers = {**options.pop("headers", {}), IDEMPOTENCY_KEY: idempotency_key or uuid4().hex}
        return Job(self, self.document("POST", call, needs=JOB_FIELDS, headers=headers, **options))


def _quoted(name: str) -> str:
    return quote(name, safe="")
