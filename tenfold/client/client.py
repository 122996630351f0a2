"""`Client`: every call of the API."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import httpx

from tenfold.client.aliases import AliasCalls
from tenfold.client.connection import MAX_ON_A_PAGE
from tenfold.client.datasets import DatasetCalls
from tenfold.client.documents import RecipeDocument
from tenfold.client.errors import ServerAway, ServerError, json_object
from tenfold.client.job import JOB_FIELDS, Job
from tenfold.client.models import ModelCalls
from tenfold.client.options import (
    ClassificationOptions,
    PredictionOptions,
    ReviewOptions,
    SweepOptions,
    TrainingOptions,
    given,
)
from tenfold.client.retries import NEVER
from tenfold.client.sending import packed_where_loose
from tenfold.client.submitting import quoted
from tenfold.client.webhooks import WebhookCalls

if TYPE_CHECKING:
    from tenfold.web.api.documents.predictions import PredictionDocument
    from tenfold.web.api.documents.uploads import UploadDocument
    from tenfold.web.api.documents.workers import WorkerDocument


class Client(AliasCalls, DatasetCalls, ModelCalls, WebhookCalls):
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

    def upload(self, upload_id: str) -> UploadDocument:
        """An upload, with the number of bytes received."""
        upload: UploadDocument = self.document("GET", f"uploads/{quoted(upload_id)}", needs=("bytes", "received_bytes"))
        return upload

    def delete_upload(self, upload_id: str) -> None:
        """Delete an upload. Jobs that use it are not affected."""
        self.request("DELETE", f"uploads/{quoted(upload_id)}")

    def merge_corrections(
        self, classification: str, *, idempotency_key: str | None = None, **parameters: Unpack[ReviewOptions]
    ) -> Job:
        """Queue a job that merges corrections into the results of a classification, and into a new data set if named.

        Args:
            classification: the ID of the classification.
        """
        return self._submit("reviews", {"classification": classification, **parameters}, idempotency_key)

    def job(self, job_id: str) -> Job:
        response = self.request("GET", f"jobs/{quoted(job_id)}")
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

    def recipes(self) -> list[RecipeDocument]:
        """The recipes for training."""
        recipes: list[RecipeDocument] = self.document("GET", "recipes", needs=("items",))["items"]
        return recipes

    def workers(self) -> list[WorkerDocument]:
        """The workers and predictors online, and their current tasks."""
        workers: list[WorkerDocument] = self.document("GET", "workers", needs=("items",))["items"]
        return workers

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
