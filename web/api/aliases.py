"""`/aliases` and `/models/{id}/aliases`: names for models, and the history of what each named."""

from typing import Annotated

from flask import Blueprint, Response, jsonify, request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from werkzeug.exceptions import PreconditionFailed

from tenfold.web.api.documents.aliases import (
    AliasChangeDocument,
    AliasChangeList,
    AliasDocument,
    AliasList,
    alias_document,
    change_document,
)
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import NO_CONTENT, Answer, operation
from tenfold.web.api.parts.answers import PageFilter, json_body, page_of
from tenfold.web.api.parts.caching import check_if_match, with_strong_etag
from tenfold.web.core.services import services
from tenfold.worker.errors import AliasChanged, InvalidSubmission, UnknownAlias, UnknownModel
from tenfold.worker.models.aliases import (
    ALIAS_PATTERN,
    MAX_ALIAS,
    MAX_REASON,
    PRODUCTION,
    check_alias,
    check_reason,
)

routes = Blueprint("aliases", __name__)

Reason = Annotated[
    str,
    AfterValidator(check_reason),
    Field(max_length=MAX_REASON, description="Why, in one line; it is kept in the history."),
]


class DeleteOptions(BaseModel):
    """What the history says of the removal."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = ""


class AliasTarget(BaseModel):
    """The model that an alias is to name."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(description="Its id, or another alias of it.", max_length=MAX_ALIAS)
    reason: Reason = ""


class NewAlias(BaseModel):
    """The alias that a model gets."""

    model_config = ConfigDict(extra="forbid")

    alias: Annotated[str, AfterValidator(check_alias)] = Field(
        PRODUCTION, description="Its name.", json_schema_extra={"pattern": f"^{ALIAS_PATTERN}$"}
    )
    reason: Reason = ""


class Rollback(BaseModel):
    """How far to roll back."""

    model_config = ConfigDict(extra="forbid")

    to: int | None = Field(
        None,
        ge=1,
        lt=1 << 31,
        description="Number of the change to go back to; default: the one before the latest. A second rollback goes "
        "one further back.",
    )
    reason: Reason = ""


class ChangeFilter(PageFilter):
    """Which changes to list."""

    cursor: str | None = Field(None, pattern="^[0-9]{1,9}$", description="From `next` of the page before.")


ALIASES = [Answer(200, "All of them.", AliasList, {"items": [examples.ALIAS], "next": None}, headers=("ETag",))]
ALIAS = [Answer(200, "The alias.", AliasDocument, examples.ALIAS, headers=("ETag",))]
CHANGES = [Answer(200, "A page.", AliasChangeList, {"items": [examples.ALIAS_CHANGE], "next": None}, headers=("ETag",))]


@routes.get("/aliases")
@operation("Models", "List the aliases", answers=ALIASES)
def list_aliases() -> Response:
    """By name. Wherever a call takes the id of a model, it takes an alias; a job records the id."""
    answer: AliasList = {"items": [alias_document(alias) for alias in services().aliases.list()], "next": None}
    return jsonify(answer)


@routes.get("/models/<model_id>/aliases")
@operation("Models", "List the aliases of a model", answers=ALIASES, problems=(404,))
def list_aliases_of_model(model_id: str) -> Response:
    """Those that name it now, by name."""
    model = services().models.get(model_id)
    found = [alias_document(alias) for alias in services().aliases.list() if alias.model == model.id]
    answer: AliasList = {"items": found, "next": None}
    return jsonify(answer)


@routes.post("/models/<model_id>/aliases")
@operation(
    "Models",
    "Promote a model",
    body=NewAlias,
    example={"alias": PRODUCTION, "reason": examples.ALIAS["reason"]},
    answers=ALIAS,
    problems=(404, 409),
)
def add_alias_to_model(model_id: str) -> Response:
    """Let an alias, by default `production`, name this model. Whatever it named before is in its history."""
    wanted = NewAlias.model_validate(json_body(request))
    model = services().models.get(model_id)
    alias = services().aliases.promote(model.id, wanted.alias, who=services().owner, reason=wanted.reason)
    return with_strong_etag(jsonify(alias_document(alias)))


@routes.get("/aliases/<alias>")
@operation("Models", "Show an alias", answers=ALIAS, problems=(404,))
def get_alias(alias: str) -> Response:
    """The model that an alias names, and its latest change."""
    return with_strong_etag(jsonify(alias_document(services().aliases.get(alias))))


@routes.put("/aliases/<alias>")
@operation(
    "Models",
    "Set an alias",
    body=AliasTarget,
    example={"model": examples.MODEL_ID, "reason": examples.ALIAS["reason"]},
    headers=("If-Match",),
    answers=ALIAS,
    problems=(409, 412),
)
def put_alias(alias: str) -> Response:
    """Let an alias name a model. The model that `production` names is used wherever a request names none. Where the
    alias names the model already, nothing changes."""
    wanted = AliasTarget.model_validate(json_body(request))
    try:
        expected = _version_that_matches(alias)
        model = services().models.get(wanted.model)
        latest = services().aliases.promote(
            model.id, alias, who=services().owner, reason=wanted.reason, expected=expected
        )
    except UnknownModel as error:
        raise InvalidSubmission("model", str(error)) from error
    except AliasChanged as error:
        raise PreconditionFailed(str(error)) from error
    return with_strong_etag(jsonify(alias_document(latest)))


@routes.delete("/aliases/<alias>")
@operation("Models", "Delete an alias", query=DeleteOptions, answers=NO_CONTENT, problems=(404,))
def delete_alias(alias: str) -> tuple[str, int]:
    """Let an alias name no model any more. Its history is kept, and a rollback brings it back. Without `production`,
    every request must name a model."""
    options = DeleteOptions.model_validate(request.args.to_dict())
    services().aliases.delete(alias, who=services().owner, reason=options.reason)
    return "", 204


@routes.get("/aliases/<alias>/changes")
@operation("Models", "List the changes of an alias", query=ChangeFilter, answers=CHANGES, problems=(404,))
def list_alias_changes(alias: str) -> Response:
    """The newest first: who let the alias name which model, when, and why. Also of an alias that was deleted."""
    wanted = ChangeFilter.model_validate(request.args.to_dict())
    before = int(wanted.cursor) if wanted.cursor else None
    page, following = page_of(services().aliases.changes(alias, before=before, limit=wanted.limit + 1), wanted)
    answer: AliasChangeList = {"items": [change_document(change) for change in page], "next": following}
    return jsonify(answer)


@routes.post("/aliases/<alias>/changes")
@operation(
    "Models",
    "Roll back an alias",
    body=Rollback,
    example={"to": 1, "reason": "More errors on scans of April."},
    answers=[Answer(200, "The change.", AliasChangeDocument, {**examples.ALIAS_CHANGE, "restores": 1})],
    problems=(404, 409),
)
def roll_back_alias(alias: str) -> Response:
    """Let an alias name the model again that it named before. A rollback is a change like any other, and can be rolled
    back itself."""
    wanted = Rollback.model_validate(json_body(request))
    change = services().aliases.roll_back(alias, who=services().owner, reason=wanted.reason, to=wanted.to)
    return jsonify(change_document(change))


def _version_that_matches(alias: str) -> int | None:
    """The version that `If-Match` was checked against, so that the change holds only for that one; None without it.

    Raises:
        PreconditionFailed: it has changed since the check.
    """
    if not request.headers.get("If-Match"):
        return None
    try:
        version = services().aliases.get(alias).number
    except UnknownAlias as error:
        raise PreconditionFailed(str(error)) from error
    check_if_match()
    return version
