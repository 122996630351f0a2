"""The calls of the API about models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, Unpack
from uuid import uuid4

from tenfold.client import large_files, mlflow_export
from tenfold.client.connection import MAX_ON_A_PAGE
from tenfold.client.errors import ServerAway
from tenfold.client.job import Job, choose
from tenfold.client.mlflow_export import MlflowExport
from tenfold.client.options import ModelImportOptions, given
from tenfold.client.submitting import Submissions, quoted

if TYPE_CHECKING:
    from tenfold.web.api.documents.jobs import FileItem
    from tenfold.web.api.documents.models import ModelDocument


class ModelCalls(Submissions):
    """Models: to import, look at, compare, download and export."""

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

    def models(self, *, search: str | None = None, limit: int | None = None) -> list[ModelDocument]:
        """The models, the newest first: all, or at most `limit`.

        Args:
            search: words that each occur in the recipe, the data set's name or the ID.
        """
        wanted = {"search": search, "limit": min(limit or MAX_ON_A_PAGE, MAX_ON_A_PAGE)}
        return list(islice(self.listed("models", given(wanted)), limit))

    def model(self, model_id: str) -> ModelDocument:
        """One model, by its ID or an alias such as `production`."""
        model: ModelDocument = self.document("GET", f"models/{quoted(model_id)}", needs=("id", "metrics"))
        return model

    def model_files(self, model_id: str) -> list[FileItem]:
        files: list[FileItem] = self.document("GET", f"models/{quoted(model_id)}/files", needs=("items",))["items"]
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

    def compare(self, *models: str, on: str | None = None, idempotency_key: str | None = None) -> Job:
        """Queue a comparison of models on the same labeled images; its summary says which one is better.

        Args:
            models: IDs of two or more; each is compared with the first.
            on: a data set, whose test images are used, or the ID of a classification with labels. Default: the
                data set that the first model was trained or checked on.
        """
        return self._submit("comparisons", {"models": list(models), "on": on}, idempotency_key)

    def delete_model(self, model_id: str) -> None:
        """Delete a model and its files, unless an alias names it. Its training and past results are kept."""
        self.request("DELETE", f"models/{quoted(model_id)}")
