"""The administrators' page: who may use this Tenfold, what they may do, and how much."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.wrappers import Response

from web.access.asker import asker
from web.access.guard import refuse
from web.forms import given_fields
from web.problems import field_errors
from web.services import services, settings
from worker.errors import InvalidSubmission
from worker.people.scopes import Scope

people_pages = Blueprint("people", __name__, url_prefix="/people")

Page = str | tuple[str, int] | Response

BYTES_PER_GIB = 2**30


class NewPerson(BaseModel):
    """What the form that adds somebody asks."""

    model_config = ConfigDict(extra="ignore")

    name: str
    password: str
    scope: Scope = Scope.SUBMIT


class Allowance(BaseModel):
    """What a person may do, and how much; what is left empty is as the settings have it."""

    model_config = ConfigDict(extra="ignore")

    scope: Scope
    max_jobs: int | None = Field(None, ge=0, le=1_000_000)
    max_gib: float | None = Field(None, ge=0, le=1_000_000, allow_inf_nan=False)


@people_pages.get("")
def index() -> Page:
    return _page()


@people_pages.post("")
def add() -> Page:
    try:
        person = NewPerson.model_validate(given_fields(request.form))
        services().users.add(person.name.lower(), person.password, person.scope)
    except (ValidationError, InvalidSubmission) as error:
        return _page(field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("people.index"), HTTPStatus.SEE_OTHER)


@people_pages.post("/<name>")
def change(name: str) -> Page:
    try:
        allowed = Allowance.model_validate(given_fields(request.form))
    except ValidationError as error:
        return _page(field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    if _is_asker(name) and allowed.scope is not Scope.ADMIN:
        return refuse("You cannot take the administrator's rights from yourself; let another administrator do it.")
    max_bytes = None if allowed.max_gib is None else int(allowed.max_gib * BYTES_PER_GIB)
    services().users.change(name, allowed.scope, max_jobs=allowed.max_jobs, max_bytes=max_bytes)
    return redirect(url_for("people.index"), HTTPStatus.SEE_OTHER)


@people_pages.post("/<name>/remove")
def remove(name: str) -> Page:
    if _is_asker(name):
        return refuse("You cannot remove yourself; let another administrator do it.")
    services().users.remove(name)
    return redirect(url_for("people.index"), HTTPStatus.SEE_OTHER)


def _is_asker(name: str) -> bool:
    who = asker()
    return who is not None and who.name == name


def _page(errors: list[dict[str, str]] | None = None) -> str:
    found = services().users.list()
    return render_template(
        "people.html",
        people=[(user, services().jobs.usage(user.name)) for user in found],
        scopes=[scope.value for scope in Scope],
        defaults=settings(),
        errors=errors,
        gib=BYTES_PER_GIB,
        entered=request.form,
    )
