"""The list of models, and the page of one model with its figures, plots and files."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from tempfile import TemporaryFile
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.evaluation.acceptance import wilson
from tenfold.trainer.evaluation.selection import worth_after_looks
from tenfold.web.api.documents.aliases import alias_document
from tenfold.web.api.documents.models import model_document
from tenfold.web.core.forms import as_text
from tenfold.web.core.services import services
from tenfold.web.pages.charts.layers import draw_layers
from tenfold.web.pages.parts.pictures import pictures_among
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.thresholds import accepted_share, why_all_are_reviewed
from tenfold.worker.db.records import Model
from tenfold.worker.errors import UnknownJob
from tenfold.worker.models.aliases import ALIAS_PATTERN, MAX_ALIAS
from tenfold.worker.models.leaderboard import count_scored
from tenfold.worker.models.removal import delete_model, users_of
from tenfold.worker.storage.volume import NETWORKS

blueprint = Blueprint("models", __name__)

MODELS_ON_A_PAGE = 24

# The maximum error rates for which the page of a model shows how many answers are accepted.
ERROR_RATES = (0.001, 0.005, 0.02)


@dataclass(frozen=True)
class Format:
    """A format to download a model in, beside Keras' own; `file` exists if the training exported it."""

    export: str
    file: str
    download: str
    use: str


FORMATS = (
    Format("onnx", "model.onnx", "model.onnx", "ONNX Runtime, in any language"),
    Format("litert", "model.tflite", "model.tflite", "LiteRT, on phones and small devices"),
    Format("savedmodel", "savedmodel/saved_model.pb", "savedmodel.zip", "TensorFlow Serving"),
)


@blueprint.get("/models")
def index() -> ResponseReturnValue:
    """All models, newest first; `?trials=yes` includes the trials of sweeps."""
    with_trials = request.args.get("trials") == "yes"
    found = services().models.list(before=request.args.get("cursor"), limit=MODELS_ON_A_PAGE + 1, trials=with_trials)
    page, aliases = found[:MODELS_ON_A_PAGE], services().aliases.by_model()
    return render_template(
        "models/list.html",
        models=[_shown(model, aliases.get(model.id, ())) for model in page],
        following=page[-1].id if len(found) > MODELS_ON_A_PAGE else None,
        with_trials=with_trials,
    )


@blueprint.get("/models/<model_id>")
def show(model_id: str) -> ResponseReturnValue:
    found = services().models.get(model_id)
    if found.id != model_id:
        return redirect(url_for("models.show", model_id=found.id))
    return model_page(found)


def model_page(found: Model, errors: Sequence[Mapping[str, str]] = ()) -> str:
    """The page of a model; `errors` are those of the form that promotes it."""
    model_id = found.id
    files = services().volume.model_files(model_id)
    aliases = services().aliases.list()
    parameters = TrainingParameters(**found.parameters) if found.parameters else None
    return render_template(
        "models/page.html",
        model=_shown(found, [alias.alias for alias in aliases if alias.model == model_id]),
        aliases=[alias_document(alias) for alias in aliases],
        named=services().models.among([alias.model for alias in aliases if alias.model]),
        alias_pattern=ALIAS_PATTERN,
        max_alias=MAX_ALIAS,
        alias_errors=errors,
        drawing=draw_layers(parameters.plan(), classes=len(found.class_names), spec=found.input)
        if parameters and parameters.network_known
        else None,
        ancestors_kept=_kept(found.metrics.get("ancestors", [])),
        class_names=found.class_names,
        clone={name: as_text(value) for name, value in parameters.changes().items()} if parameters else {},
        job=_has_job(model_id),
        looks=_looks(found),
        formats=FORMATS,
        users=users_of(services(), model_id),
        acceptances=[_acceptance(found, rate) for rate in ERROR_RATES],
        files={name: file.bytes for name, file in files.items()},
        pictures=pictures_among(files),
    )


@blueprint.get("/models/<model_id>/savedmodel.zip")
def savedmodel(model_id: str) -> ResponseReturnValue:
    """The folder of a SavedModel as a zip."""
    model_id = services().models.get(model_id).id
    storage = services().volume.storage
    files = services().volume.model_files(model_id)
    members = {name: file.path for name, file in files.items() if name.startswith("savedmodel/")}
    if not members:
        raise NotFound(f"The model {model_id} was not exported as a SavedModel.")
    packed = TemporaryFile()  # noqa: SIM115 (closed after it has been sent)
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, path in members.items():
            with storage.open(path) as content, archive.open(name, "w") as member:
                shutil.copyfileobj(content, member)
    packed.seek(0)
    return send_file(packed, "application/zip", as_attachment=True, download_name="savedmodel.zip")


@blueprint.post("/models/<model_id>/delete")
def delete(model_id: str) -> ResponseReturnValue:
    delete_model(services(), model_id)
    return redirect(url_for("models.index"), HTTPStatus.SEE_OTHER)


def _shown(model: Model, aliases: Sequence[str]) -> dict[str, Any]:
    """A model as the API shows it, with figures that are computed for the pages."""
    metrics = model.metrics
    file = services().volume.network(model.id)
    tested = metrics.get("test_images")
    return model_document(model, aliases) | {
        "interval": wilson(round(metrics["test_accuracy"] * tested), tested) if tested else None,
        "calibration_error": metrics.get("calibration", {}).get("after", {}).get("error"),
        "bytes": file.bytes if file else None,
        "network": file.path.name if file else NETWORKS[0],
        # A later version may have recorded an input that this version cannot read.
        "input": metrics.get("input") or model.input.as_dict(),
    }


def _looks(model: Model) -> str | None:
    """What its test accuracy is worth after other models were scored on the same test images."""
    accuracy, images = model.metrics.get("test_accuracy"), model.metrics.get("test_images")
    if not accuracy or not images:
        return None
    scored = count_scored(services().database, [model.dataset])
    return worth_after_looks(model.dataset, scored.get(model.dataset, 0), accuracy, images)


def _acceptance(model: Model, rate: float) -> dict[str, Any]:
    """Which answers a model accepts at a maximum error rate, or why it accepts none."""
    above, share = accepted_share(model, rate) or (None, None)
    asked = ClassificationParameters(max_error_rate=rate)
    return {"rate": rate, "above": above, "share": share, "why": why_all_are_reviewed([model], asked)}


def _kept(ancestors: Sequence[Mapping[str, Any]]) -> set[str]:
    """The ids of those that have not been deleted."""
    return set(services().models.among([ancestor["id"] for ancestor in ancestors]))


def _has_job(job_id: str) -> bool:
    """Whether the training of a model still exists."""
    try:
        services().jobs.get(job_id)
    except UnknownJob:
        return False
    return True
