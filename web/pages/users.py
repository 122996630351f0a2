"""The administrators' page: users, their scopes and quotas."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tenfold.web.auth.guard import refuse
from tenfold.web.auth.identity import current_identity
from tenfold.web.core.forms import given_fields
from tenfold.web.core.problems import field_errors
from tenfold.web.core.services import services, settings
from tenfold.worker.db.scopes import Scope
from tenfold.worker.errors import InvalidSubmission

blueprint = Blueprint("users", __name__, url_prefix="/users")

BYTES_PER_GIB = 2**30


class NewUser(BaseModel):
    """The form that adds a user."""

    model_config = ConfigDict(extra="ignore")

    name: str
    password: str
    scope: Scope = Scope.SUBMIT


class UserChange(BaseModel):
    """The form that changes a user; an empty quota means the default of the settings."""

    model_config = ConfigDict(extra="ignore")

    scope: Scope
    max_jobs: int | None = Field(None, ge=0, le=1_000_000)
    max_gib: float | None = Field(None, ge=0, le=1_000_000, allow_inf_nan=False)


@blueprint.get("")
def index() -> ResponseReturnValue:
    return _page()


@blueprint.post("")
def add() -> ResponseReturnValue:
    try:
        user = NewUser.model_validate(given_fields(request.form))
        services().users.add(user.name.lower(), user.password, user.scope)
    except (ValidationError, InvalidSubmission) as error:
        return _page(field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("users.index"), HTTPStatus.SEE_OTHER)


@blueprint.post("/<name>")
def change(name: str) -> ResponseReturnValue:
    try:
        changed = UserChange.model_validate(given_fields(request.form))
    except ValidationError as error:
        return _page(field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    if _is_current_user(name) and changed.scope is not Scope.ADMIN:
        return refuse("You cannot revoke your own administrator rights. Ask another administrator.")
    max_bytes = None if changed.max_gib is None else int(changed.max_gib * BYTES_PER_GIB)
    services().users.change(name, changed.scope, max_jobs=changed.max_jobs, max_bytes=max_bytes)
    return redirect(url_for("users.index"), HTTPStatus.SEE_OTHER)


@blueprint.post("/<name>/remove")
def remove(name: str) -> ResponseReturnValue:
    if _is_current_user(name):
        return refuse("You cannot remove yourself. Ask another administrator.")
    services().users.remove(name)
    return redirect(url_for("users.index"), HTTPStatus.SEE_OTHER)


def _is_current_user(name: str) -> bool:
    who = current_identity()
    return who is not None and who.name == name


def _page(errors: list[dict[str, str]] | None = None) -> str:
    found = services().users.list()
    return render_template(
        "users.html",
        users=[(user, services().jobs.usage(user.name)) for user in found],
        scopes=[scope.value for scope in Scope],
        defaults=settings(),
        errors=errors,
        gib=BYTES_PER_GIB,
        entered=request.form,
    )
