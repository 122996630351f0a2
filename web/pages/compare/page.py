"""The page that compares trainings, with a leaderboard to select them from. It consists of links and GET forms only."""

from flask import Blueprint, render_template, request
from pydantic import ValidationError

from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.web.api.documents.common import timestamp
from tenfold.web.core.services import services
from tenfold.web.pages.charts.charts import MARKERS
from tenfold.web.pages.compare.comparison import MAX_RUNS, compare
from tenfold.web.pages.compare.leaderboard import TITLES, View, leaderboard
from tenfold.web.pages.compare.runs import find_run
from tenfold.worker.datasets.datasets import list_datasets

blueprint = Blueprint("compare", __name__)


@blueprint.get("/compare")
def show() -> str:
    """The trainings named by `?run=` side by side, and the leaderboard."""
    given = [run for run in dict.fromkeys(request.args.getlist("run")) if run]
    found = [(run_id, find_run(services(), run_id)) for run_id in given[:MAX_RUNS]]
    runs = [run for _, run in found if run is not None]
    view = _view()
    return render_template(
        "compare/page.html",
        comparison=compare(runs) if runs else None,
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
    )


def _view() -> View:
    """From the query; an invalid query gives the default view."""
    try:
        return View.model_validate({name: value for name, value in request.args.items() if value and name != "run"})
    except ValidationError:
        return View()
