"""Aliases of models, and their changes."""

from flask import url_for
from typing_extensions import TypedDict

from tenfold.web.api.documents.common import timestamp
from tenfold.worker.db.records import AliasChange


class AliasLinks(TypedDict):
    self: str
    model: str
    changes: str


class AliasDocument(TypedDict):
    """An alias and the id of the model that it names. `version` is the number of its latest change, which the other
    fields are of."""

    name: str
    model: str
    version: int
    changed_at: str
    changed_by: str | None
    reason: str
    links: AliasLinks


class AliasList(TypedDict):
    """All of them, by name; `next` is always null."""

    items: list[AliasDocument]
    next: None


class AliasChangeDocument(TypedDict):
    """A change from the model `previous` to `model`, null for none. `restores` is the number of the earlier change that
    a rollback went back to."""

    alias: str
    number: int
    previous: str | None
    model: str | None
    changed_at: str
    changed_by: str | None
    reason: str
    restores: int | None


class AliasChangeList(TypedDict):
    """Changes, the newest first; `next` is the address of the following page, or null."""

    items: list[AliasChangeDocument]
    next: str | None


def alias_document(latest: AliasChange) -> AliasDocument:
    """An alias that names a model, by its latest change."""
    model_id = latest.model or ""
    return {
        "name": latest.alias,
        "model": model_id,
        "version": latest.number,
        "changed_at": timestamp(latest.changed_at),
        "changed_by": latest.changed_by,
        "reason": latest.reason,
        "links": {
            "self": url_for("api.aliases.get_alias", alias=latest.alias),
            "model": url_for("api.models.get_model", model_id=model_id),
            "changes": url_for("api.aliases.list_alias_changes", alias=latest.alias),
        },
    }


def change_document(change: AliasChange) -> AliasChangeDocument:
    return {
        "alias": change.alias,
        "number": change.number,
        "previous": change.previous,
        "model": change.model,
        "changed_at": timestamp(change.changed_at),
        "changed_by": change.changed_by,
        "reason": change.reason,
        "restores": change.restores,
    }
