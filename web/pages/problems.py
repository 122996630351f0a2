"""The error codes of the API. The `type` of a problem document is the address of one of these pages."""

from flask import Blueprint, render_template
from werkzeug.exceptions import NotFound

from tenfold.web.core.problem_codes import PROBLEM_CODES

blueprint = Blueprint("problems", __name__, url_prefix="/problems")


@blueprint.get("/")
def index() -> str:
    return render_template("problems/list.html", codes=list(PROBLEM_CODES.values()))


@blueprint.get("/<name>")
def show(name: str) -> str:
    if name not in PROBLEM_CODES:
        raise NotFound(f"Unknown error code {name[:64]!r}.")
    return render_template("problems/page.html", code=PROBLEM_CODES[name])
