"""The pages of the registry: all models, and one with its figures, pictures and files."""

import shutil
from dataclasses import dataclass
from http import HTTPStatus
from tempfile import TemporaryFile
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from flask import redirect, render_template, request, send_file, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from trainer.intervals import wilson
from trainer.parameters import TrainingParameters
from web.forms import as_text
from web.layer_drawing import draw_layers
from web.pages import Page, pages
from web.pictures import pictures_among
from web.representations import model_document
from web.services import services
from worker.errors import UnknownJob
from worker.model_removal import delete_model, users_of
from worker.parameters import ClassificationParameters
from worker.records import Model
from worker.thresholds import accepted_share, why_all_are_reviewed

MODELS_ON_A_PAGE = 24

# How many of the accepted answers may be wrong: what a model's page shows the price of.
RATES_SHOWN = (0.001, 0.005, 0.02)


@dataclass(frozen=True)
class Form:
    """What a model can be had as, beside Keras' own file: `file` is there where the training was told to export it."""

    export: str
    file: str
    download: str
    use: str


FORMS = (
    Form("onnx", "model.onnx", "model.onnx", "ONNX Runtime, in any language"),
    Form("litert", "model.tflite", "model.tflite", "LiteRT, on phones and small devices"),
    Form("savedmodel", "savedmodel/saved_model.pb", "savedmodel.zip", "TensorFlow Serving"),
)


@pages.get("/models")
def models() -> Page:
    """The registry, the newest first; a sweep's trials where they are asked for."""
    with_trials = request.args.get("trials") == "yes"
    found = services().models.list(before=request.args.get("cursor"), limit=MODELS_ON_A_PAGE + 1, trials=with_trials)
    page, default = found[:MODELS_ON_A_PAGE], services().models.default()
    return render_template(
        "models.html",
        models=[_shown(model, default) for model in page],
        following=page[-1].id if len(found) > MODELS_ON_A_PAGE else None,
        with_trials=with_trials,
    )


@pages.get("/models/<model_id>")
def model(model_id: str) -> Page:
    """One model."""
    found = services().models.get(model_id)
    files = services().volume.model_files(model_id)
    parameters = TrainingParameters(**found.parameters) if found.parameters else None
    return render_template(
        "model.html",
        model=_shown(found, services().models.default()),
        drawing=draw_layers(parameters.plan(), classes=len(found.class_names)) if parameters else None,
        again={name: as_text(value) for name, value in parameters.changes().items()} if parameters else {},
        job=_has_job(model_id),
        forms=FORMS,
        users=users_of(services(), model_id),
        acceptances=[_acceptance(found, rate) for rate in RATES_SHOWN],
        files={name: file.bytes for name, file in files.items()},
        pictures=pictures_among(files),
    )


@pages.get("/models/<model_id>/savedmodel.zip")
def savedmodel(model_id: str) -> Page:
    """The folder of a SavedModel in one file."""
    services().models.get(model_id)
    storage = services().volume.storage
    files = services().volume.model_files(model_id)
    members = {name: file.path for name, file in files.items() if name.startswith("savedmodel/")}
    if not members:
        raise NotFound(f"The model {model_id} was not exported as a SavedModel.")
    packed = TemporaryFile()  # noqa: SIM115 (closed when it has been sent)
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, path in members.items():
            with storage.open(path) as content, archive.open(name, "w") as member:
                shutil.copyfileobj(content, member)
    packed.seek(0)
    return send_file(packed, "application/zip", as_attachment=True, download_name="savedmodel.zip")


@pages.post("/models/<model_id>/default")
def make_default(model_id: str) -> Page:
    services().models.make_default(model_id)
    return _to_models()


@pages.post("/models/<model_id>/delete")
def remove_model(model_id: str) -> Page:
    delete_model(services(), model_id)
    return _to_models()


def _shown(model: Model, default: Model | None) -> dict[str, Any]:
    """A model as the API shows it, with what is worked out for people."""
    metrics = model.metrics
    file = services().volume.storage.find(services().volume.model(model.id) / "model.keras")
    tested = metrics.get("test_images")
    return model_document(model, default=default is not None and model.id == default.id) | {
        "interval": wilson(round(metrics["test_accuracy"] * tested), tested) if tested else None,
        "calibration_error": metrics.get("calibration", {}).get("after", {}).get("error"),
        "bytes": file.bytes if file else None,
        # A later version may have recorded what this one can't read.
        "input": metrics.get("input") or model.input.as_dict(),
    }


def _acceptance(model: Model, rate: float) -> dict[str, Any]:
    """What a model accepts where this share may be wrong, or the sentence that says why it accepts nothing."""
    above, share = accepted_share(model, rate) or (None, None)
    asked = ClassificationParameters(max_error_rate=rate)
    return {"rate": rate, "above": above, "share": share, "why": why_all_are_reviewed([model], asked)}


def _has_job(job_id: str) -> bool:
    """Whether the training that made a model is still there; people may have deleted it."""
    try:
        services().jobs.get(job_id)
    except UnknownJob:
        return False
    return True


def _to_models() -> Response:
    return redirect(url_for("pages.models"), HTTPStatus.SEE_OTHER)
