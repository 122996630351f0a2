"""The pages of a check of a data set's labels: start one, look at the suspected ones, and make a corrected version."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from tenfold.web.core.problems import field_errors
from tenfold.web.core.services import services
from tenfold.worker.checks.parameters import CheckParameters
from tenfold.worker.checks.submission import submit_check
from tenfold.worker.checks.suspects import read_suspects
from tenfold.worker.datasets.datasets import get_dataset
from tenfold.worker.datasets.versions import VersionParameters, make_version
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission, UnknownDataset
from tenfold.worker.jobs.finished import succeeded

blueprint = Blueprint("dataset_checks", __name__)

ON_A_PAGE = 60

# Values of an image's field, besides `=` and a class name.
KEEP, LEAVE_OUT = "", "-"


@blueprint.post("/datasets/<name>/check")
def submit(name: str) -> ResponseReturnValue:
    job = submit_check(services(), CheckParameters(dataset=name))
    return redirect(url_for("job.show", job_id=job.id), HTTPStatus.SEE_OTHER)


@blueprint.get("/jobs/<job_id>/suspects")
def index(job_id: str) -> str:
    """Suspected labels, each with a field for the right one; `?start=` is the number of the first."""
    return _page(job_id)


@blueprint.post("/jobs/<job_id>/suspects")
def correct(job_id: str) -> ResponseReturnValue:
    """Make a version of the data set with the corrections of the form: fields `train-17` and `test-3`."""
    job = succeeded(services(), job_id, JobKind.CHECK)
    summary = job.summary or {}
    corrections = []
    for field, value in request.form.items():
        part, _, number = field.partition("-")
        if part in ("train", "test") and number.isdecimal() and value != KEEP:
            label = None if value == LEAVE_OUT else value.removeprefix("=")
            corrections.append({"part": part, "index": int(number), "label": label})
    given = {
        "name": request.form.get("name", ""),
        "corrections": corrections,
        "content_sha256": summary["content_sha256"],
    }
    try:
        if not corrections:
            raise InvalidSubmission("corrections", "Choose another label for at least one image.")
        made = make_version(services(), summary["dataset"], VersionParameters.model_validate(given))
    except (ValidationError, InvalidSubmission) as error:
        return _page(job_id, field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("dataset_diff.show", name=summary["dataset"], other=made.name), HTTPStatus.SEE_OTHER)


def _page(job_id: str, errors: Sequence[dict[str, str]] = ()) -> str:
    job = succeeded(services(), job_id, JobKind.CHECK)
    summary = job.summary or {}
    suspects = read_suspects(services(), job)
    given = request.values.get("start", "0")
    start = int(given) if given.isdecimal() and len(given) < 8 else 0
    try:
        entry = get_dataset(services().volume, summary["dataset"])
        problem = None if entry.content_sha256 == summary["content_sha256"] else "has other images now"
    except UnknownDataset:
        entry, problem = None, "was deleted"
    return render_template(
        "datasets/suspects.html",
        job=job,
        suspects=suspects[start : start + ON_A_PAGE],
        start=start,
        total=len(suspects),
        on_a_page=ON_A_PAGE,
        classes=entry.class_names if entry else (),
        problem=problem,
        errors=errors,
        values=request.form,
    )
