"""The calls of the API that set aliases of models, and read their history."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote

from tenfold.client.connection import Connection

if TYPE_CHECKING:
    from tenfold.web.api.documents.aliases import AliasChangeDocument, AliasDocument

PRODUCTION = "production"


class AliasCalls(Connection):
    """Aliases: names for models. The model that `production` names is used wherever a request names none."""

    def aliases(self) -> list[AliasDocument]:
        """All aliases, by name."""
        return list(self.listed("aliases"))

    def alias(self, name: str) -> AliasDocument:
        """An alias that names a model."""
        alias: AliasDocument = self.document("GET", _path(name), needs=("name", "model"))
        return alias

    def promote(self, model_id: str, alias: str = PRODUCTION, *, reason: str = "") -> AliasDocument:
        """Let an alias name a model. If it names the model already, nothing changes.

        Args:
            model_id: its ID, or another alias of it.
            reason: kept in the history.
        """
        wanted = {"model": model_id, "reason": reason}
        promoted: AliasDocument = self.document("PUT", _path(alias), needs=("name", "model"), json=wanted)
        return promoted

    def alias_changes(self, name: str, *, limit: int | None = None) -> list[AliasChangeDocument]:
        """What an alias named, newest change first; also of one that was deleted."""
        return list(islice(self.listed(f"{_path(name)}/changes"), limit))

    def roll_back_alias(self, name: str, *, to: int | None = None, reason: str = "") -> AliasChangeDocument:
        """Let an alias name the model again that it named before.

        Args:
            to: number of the change to go back to. Default: the one before the latest; a second rollback goes one
                further back.
        """
        wanted = {"to": to, "reason": reason}
        change: AliasChangeDocument = self.document(
            "POST", f"{_path(name)}/changes", needs=("number", "model"), json=wanted
        )
        return change

    def delete_alias(self, name: str, *, reason: str = "") -> None:
        """Let an alias name no model any more. Its history is kept."""
        self.request("DELETE", _path(name), params={"reason": reason} if reason else {})


def _path(alias: str) -> str:
    return f"aliases/{quote(alias, safe='')}"
