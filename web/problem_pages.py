"""`/problems/`: what the codes of errors mean. A problem document's `type` is the address of one of these pages."""

from flask import Blueprint, render_template
from werkzeug.exceptions import NotFound

from web.problem_codes import PROBLEM_CODES

problem_pages = Blueprint("problems", __name__, url_prefix="/problems")


@problem_pages.get("/")
def index() -> str:
    return render_template("problems.html", codes=list(PROBLEM_CODES.values()))


@problem_pages.get("/<name>")
def show(name: str) -> str:
    if name not in PROBLEM_CODES:
        raise NotFound(f"There is no error code {name[:64]!r}.")
    return render_template("problem.html", code=PROBLEM_CODES[name])
