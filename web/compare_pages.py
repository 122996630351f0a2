"""The page that compares trainings, and the leaderboard to pick them from. All of it is links and one GET form."""

from flask import Blueprint, render_template, request
from pydantic import ValidationError

from trainer.recipes import RECIPES
from web.charts import MARKERS
from web.comparison import MOST_RUNS, compare
from web.leaderboard import TITLES, View, leaderboard
from web.representations import timestamp
from web.runs import find_run
from web.services import services
from worker.datasets import list_datasets

compare_pages = Blueprint("compare", __name__)


@compare_pages.get("/compare")
def show() -> str:
    """The runs that `?run=` names beside each other, and below them all that could be."""
    given = [run for run in dict.fromkeys(request.args.getlist("run")) if run]
    found = [(run_id, find_run(services(), run_id)) for run_id in given[:MOST_RUNS]]
    runs = [run for _, run in found if run is not None]
    view = _view()
    return render_template(
        "compare.html",
        comparison=compare(runs) if runs else None,
        unknown=[run_id for run_id, run in found if run is None],
        left_out=given[MOST_RUNS:],
        most=MOST_RUNS,
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
    """As the address says; an address that says nothing sensible shows the usual view."""
    try:
        return View.model_validate({name: value for name, value in request.args.items() if value and name != "run"})
    except ValidationError:
        return View()
