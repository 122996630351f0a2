"""The page that compares trainings and their models, with a leaderboard to select them from."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.web.api.documents.common import timestamp
from tenfold.web.api.documents.jobs import job_item
from tenfold.web.core.problems import field_errors
from tenfold.web.core.services import services
from tenfold.web.pages.charts.charts import MARKERS
from tenfold.web.pages.compare.comparison import MAX_RUNS, compare
from tenfold.web.pages.compare.leaderboard import TITLES, View, leaderboard
from tenfold.web.pages.compare.runs import find_run
from tenfold.web.pages.compare.same_images import offer_comparison
from tenfold.worker.comparisons.parameters import ComparisonParameters
from tenfold.worker.comparisons.submission import submit_comparison
from tenfold.worker.datasets.datasets import list_datasets
from tenfold.worker.errors import InvalidSubmission

blueprint = Blueprint("compare", __name__)


@blueprint.get("/compare")
def show() -> str:
    """The trainings named by `?run=` side by side, and the leaderboard."""
    return _page(request.args.getlist("run"))


@blueprint.post("/compare")
def submit() -> ResponseReturnValue:
    """Compare the models of these trainings on the same images, in a job."""
    models, on = request.form.getlist("run"), request.form.get("on") or None
    try:
        job = submit_comparison(services(), ComparisonParameters.model_validate({"models": models, "on": on}))
    except (ValidationError, InvalidSubmission) as error:
        return _page(models, on, field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("job.show", job_id=job.id), HTTPStatus.SEE_OTHER)


def _page(named: Sequence[str], on: str | None = None, errors: Sequence[dict[str, str]] = ()) -> str:
    given = [run for run in dict.fromkeys(named) if run]
    found = [(run_id, find_run(services(), run_id)) for run_id in given[:MAX_RUNS]]
    runs = [run for _, run in found if run is not None]
    view = _view()
    return render_template(
        "compare/page.html",
        comparison=compare(runs) if runs else None,
        same_images=offer_comparison(runs, on),
        errors=errors,
        unknown=[run_id for run_id, run in found if run is None],
        left_out=given[MAX_RUNS:],
        max_runs=MAX_RUNS,
        only_differences=request.args.get("only") == "differences",
        selected=[run.id for run in runs],
        board=leaderboard(services().database, view),
        view=view,
        columns=TITLES,
        recipes=list(RECIPES),
        datasets=[entry.name for entry in list_datasets(services().volume)],
        markers=MARKERS,
        timestamp=timestamp,
        job_item=job_item,
    )


def _view() -> View:
    """From the query; an invalid query gives the default view."""
    try:
        return View.model_validate({name: value for name, value in request.args.items() if value and name != "run"})
    except ValidationError:
        return View()
