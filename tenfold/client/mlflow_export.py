"""Logs a model to MLflow: a run with parameters and metrics, its files, and a version of a registered model.

Uses `MlflowClient` only, and writes the MLflow model itself: MLflow's own functions for that need Keras, NumPy and
pandas, and change which server the process logs to.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypedDict

import httpx

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

    from tenfold.web.api.documents.jobs import FileItem
    from tenfold.web.api.documents.models import ModelDocument

KERAS, ONNX = "model.keras", "model.onnx"

# MLflow takes at most so many in a request.
MAX_METRICS, MAX_PARAMETERS = 1000, 100


class MlflowExport(TypedDict):
    """Where a model is in MLflow. `model_uri` is what `mlflow.keras.load_model` takes."""

    tracking_uri: str
    experiment: str
    run_id: str
    model_name: str
    version: int
    model_uri: str


def check_exportable(model_id: str, files: Iterable[FileItem]) -> None:
    """See whether a model with these files can be exported.

    Raises:
        ImportError: the extra `mlflow` is not installed.
        ValueError: MLflow can load none of the files.
    """
    try:
        import mlflow  # noqa: F401
    except ImportError as error:
        raise ImportError(f"The export to MLflow can't import {error.name}: pip install 'tenfold[mlflow]'") from error
    if not {KERAS, ONNX} & {file["name"] for file in files}:
        raise ValueError(f"Model {model_id} has neither {KERAS} nor {ONNX}, so MLflow could not load it.")


def export_model(
    document: ModelDocument, files: Path, server: str, tracking_uri: str | None, experiment: str, name: str | None
) -> MlflowExport:
    """See `Client.export_to_mlflow`.

    Args:
        files: a directory with the model's files, at least one of them a network. They are moved.
        server: the address of Tenfold's server, for a tag.
    """
    from mlflow import MlflowClient

    name = name or re.sub("[/:]", "-", f"tenfold-{document['dataset']}")  # MLflow allows neither in a name
    mlflow = MlflowClient(tracking_uri)
    found = mlflow.get_experiment_by_name(experiment)
    experiment_id = found.experiment_id if found else mlflow.create_experiment(experiment)
    history = _history(files / "history.csv")
    finished = _milliseconds(document["created_at"])
    started = finished - round(1000 * sum(float(row["seconds"]) for row in history))
    description = _description(document)
    run = mlflow.create_run(
        experiment_id,
        start_time=started,
        run_name=document["id"],
        tags={
            "tenfold.model": document["id"],
            "tenfold.server": str(httpx.URL(server).copy_with(userinfo=b"")),
            "mlflow.source.name": "tenfold",
            "mlflow.note.content": description,
        },
    )
    run_id = run.info.run_id
    try:
        model = _log(mlflow, run_id, experiment_id, document, history, started, files)
        version = _register(mlflow, name, model, run_id, description)
    except BaseException:
        mlflow.set_terminated(run_id, "FAILED")
        raise
    mlflow.set_terminated(run_id, end_time=finished)
    return {
        "tracking_uri": mlflow.tracking_uri,
        "experiment": experiment,
        "run_id": run_id,
        "model_name": name,
        "version": version,
        "model_uri": f"models:/{name}/{version}",
    }


def _log(
    mlflow: MlflowClient,
    run_id: str,
    experiment_id: str,
    document: ModelDocument,
    history: list[dict[str, str]],
    started: int,
    files: Path,
) -> LoggedModel:
    """Log everything of a run; returns its logged model."""
    from mlflow.entities import LoggedModelOutput, Metric, Param

    parameters = {
        name: _text(value)
        for name, value in {
            **document["parameters"],
            **{name: document["metrics"].get(name) for name in ("content_sha256", "weights_sha256")},
            "recipe": document["recipe"],
            "dataset": document["dataset"],
        }.items()
        if value is not None
    }
    model = mlflow.create_logged_model(experiment_id, name="model", source_run_id=run_id, params=parameters)
    mlflow.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=len(history))])
    metrics, now = [], started
    for row in history:
        now += round(1000 * float(row["seconds"]))
        metrics += [
            Metric(name, float(value), now, int(row["epoch"]), run_id=run_id)
            for name, value in row.items()
            if name != "epoch" and value
        ]
    # The last epoch's value is what MLflow shows of a metric with a history, so those of the best epoch are left out.
    shown = history[0].keys() if history else ()
    metrics += [
        Metric(name, value, now, len(history), model_id=model.model_id, run_id=run_id)
        for name, value in _figures(document["metrics"])
        if name not in shown
    ]
    for start in range(0, len(metrics), MAX_METRICS):
        mlflow.log_batch(run_id, metrics=metrics[start : start + MAX_METRICS])
    entries = [Param(name, value) for name, value in parameters.items()]
    for start in range(0, len(entries), MAX_PARAMETERS):
        mlflow.log_batch(run_id, params=entries[start : start + MAX_PARAMETERS])
    with TemporaryDirectory() as packed:
        _pack(Path(packed), files, document, run_id, model.model_id, model.artifact_location)
        mlflow.log_model_artifacts(model.model_id, packed)
    mlflow.finalize_logged_model(model.model_id, "READY")
    mlflow.log_artifacts(run_id, str(files))
    return model


def _register(mlflow: MlflowClient, name: str, model: LoggedModel, run_id: str, description: str) -> int:
    from mlflow.exceptions import MlflowException

    try:
        mlflow.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    # With `models:/ID`, MLflow would look in the database that the process uses otherwise.
    registered = mlflow.create_model_version(
        name, model.artifact_location, run_id=run_id, model_id=model.model_id, description=description
    )
    return int(registered.version)


def _pack(directory: Path, files: Path, document: ModelDocument, run_id: str, logged_model: str, location: str) -> None:
    """Write an MLflow model with the flavors `keras` and `onnx`, as far as there is a file for it.

    Moves the network's files. `metadata` has what is needed to prepare an image and to name the answer.
    """
    import mlflow
    import yaml

    metrics = document["metrics"]
    versions = metrics.get("versions", {})
    flavors: dict[str, dict[str, Any]] = {}
    if (files / ONNX).exists():
        shutil.move(files / ONNX, directory / ONNX)
        flavors["onnx"] = {"data": ONNX, "providers": ["CPUExecutionProvider"]}
        flavors["python_function"] = {"loader_module": "mlflow.onnx", "data": ONNX}
    if (files / KERAS).exists():
        (directory / "data").mkdir()
        shutil.move(files / KERAS, directory / "data" / KERAS)
        flavors["keras"] = {"data": "data", "keras_version": versions.get("keras"), "save_exported_model": False}
        flavors["python_function"] = {"loader_module": "mlflow.keras"}
    about = {
        "artifact_path": location,
        "flavors": flavors,
        "metadata": {
            "tenfold_model": document["id"],
            "input": metrics.get("input"),
            "class_names": metrics.get("class_names"),
            "temperature": (metrics.get("calibration") or {}).get("temperature"),
        },
        "mlflow_version": mlflow.__version__,
        "model_id": logged_model,
        "model_uuid": logged_model,
        "run_id": run_id,
        "utc_time_created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    }
    if {"height", "width", "channels", "orientation"} <= metrics.get("input", {}).keys():
        about["signature"] = _signature(metrics["input"], len(metrics["class_names"]))
    (directory / "MLmodel").write_text(yaml.safe_dump(about, allow_unicode=True), encoding="utf-8")
    (directory / "requirements.txt").write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))


def _signature(spec: dict[str, Any], classes: int) -> dict[str, str]:
    """What the network takes and gives, in MLflow's form: (n, height, width) or (n, height, width, 3), (n, classes)."""
    sides = [spec["height"], spec["width"]]
    if spec["orientation"] == "transposed":
        sides.reverse()
    channels = [3] if spec["channels"] == 3 else []
    return {"inputs": _tensor(*sides, *channels), "outputs": _tensor(classes)}


def _tensor(*shape: int) -> str:
    return json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, *shape]}}])


def _history(path: Path) -> list[dict[str, str]]:
    """The rows of `history.csv`; none for a model that was not trained here."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _figures(metrics: dict[str, Any]) -> Iterable[tuple[str, float]]:
    calibration = metrics.get("calibration") or {}
    named = {
        **metrics,
        "temperature": calibration.get("temperature"),
        "calibration_error": (calibration.get("before") or {}).get("error"),
        "calibration_error_after_scaling": (calibration.get("after") or {}).get("error"),
    }
    return [
        (name, float(value))
        for name, value in named.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def _description(document: ModelDocument) -> str:
    accuracy = document["metrics"].get("test_accuracy")
    tested = "" if accuracy is None else f", test accuracy {accuracy:.2%}"
    return f"{document['recipe']} on {document['dataset']}{tested}. Tenfold's model {document['id']}."


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _milliseconds(timestamp: str) -> int:
    return round(1000 * datetime.fromisoformat(timestamp).timestamp())
