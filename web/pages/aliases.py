"""The page of all aliases, and the page of one with its history. `promote` also serves the page of a model."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tenfold.web.api.documents.aliases import alias_document, change_document
from tenfold.web.core.problems import field_errors
from tenfold.web.core.services import services
from tenfold.web.core.url_numbers import stored_integer
from tenfold.web.pages.models import model_page
from tenfold.worker.errors import InvalidSubmission, UnknownAlias
from tenfold.worker.models.aliases import PRODUCTION

blueprint = Blueprint("aliases", __name__)

CHANGES_ON_A_PAGE = 50


@blueprint.get("/aliases")
def index() -> ResponseReturnValue:
    found = services().aliases.list()
    models = services().models.among([alias.model for alias in found if alias.model])
    return render_template("aliases/list.html", aliases=[alias_document(alias) for alias in found], models=models)


@blueprint.get("/aliases/<alias>")
def show(alias: str) -> ResponseReturnValue:
    """The history of an alias, also of one that was removed."""
    return _page(alias)


def _page(alias: str, error: InvalidSubmission | None = None) -> str:
    before = request.args.get("cursor", type=stored_integer)
    found = services().aliases.changes(alias, before=before, limit=CHANGES_ON_A_PAGE + 1)
    page = found[:CHANGES_ON_A_PAGE]
    named = {model for change in page for model in (change.model, change.previous) if model}
    try:
        current = alias_document(services().aliases.get(alias))
    except UnknownAlias:
        current = None
    return render_template(
        "aliases/page.html",
        name=alias,
        current=current,
        changes=[change_document(change) for change in page],
        models=services().models.among([*named, *([current["model"]] if current else [])]),
        following=page[-1].number if len(found) > CHANGES_ON_A_PAGE else None,
        production=PRODUCTION,
        errors=field_errors(error) if error else (),
    )


@blueprint.post("/models/<model_id>/aliases")
def promote(model_id: str) -> ResponseReturnValue:
    """Let the alias in the form name this model."""
    model = services().models.get(model_id)
    alias = request.form.get("alias", PRODUCTION).strip()
    try:
        services().aliases.promote(model.id, alias, who=services().owner, reason=request.form.get("reason", ""))
    except InvalidSubmission as error:
        return model_page(model, field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("models.show", model_id=model.id, _anchor="aliases"), HTTPStatus.SEE_OTHER)


@blueprint.post("/aliases/<alias>/rollback")
def roll_back(alias: str) -> ResponseReturnValue:
    """Go back to the change whose number is in the form."""
    reason, to = request.form.get("reason", ""), request.form.get("to", type=stored_integer)
    try:
        if to is None:
            raise InvalidSubmission("to", "Give the number of a change.")
        services().aliases.roll_back(alias, who=services().owner, reason=reason, to=to)
    except InvalidSubmission as error:
        return _page(alias, error), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("aliases.show", alias=alias), HTTPStatus.SEE_OTHER)


@blueprint.post("/aliases/<alias>/delete")
def delete(alias: str) -> ResponseReturnValue:
    try:
        services().aliases.delete(alias, who=services().owner, reason=request.form.get("reason", ""))
    except InvalidSubmission as error:
        return _page(alias, error), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("aliases.show", alias=alias), HTTPStatus.SEE_OTHER)
