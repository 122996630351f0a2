"""The registry of trained models. Wherever one is named, its id or an alias will do."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, or_, select
from sqlalchemy.exc import IntegrityError

from tenfold.worker.db.database import Database, rows_changed
from tenfold.worker.db.records import Alias, Model
from tenfold.worker.errors import InvalidSubmission, UnknownModel, WrongState
from tenfold.worker.models.aliases import PRODUCTION

SEARCHED = (Model.recipe, Model.dataset, Model.id)

# Words of a search that are used.
MAX_WORDS = 8


def matches(search: str) -> list[ColumnElement[bool]]:
    """SQL conditions for models that match a search."""
    words = search.split()[:MAX_WORDS]
    return [or_(*(column.icontains(word, autoescape=True) for column in SEARCHED)) for word in words]


class ModelStore:
    """Models in the database; `leases.py` adds one when a training succeeds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self,
        *,
        before: str | None = None,
        limit: int | None = None,
        trials: bool = True,
        dataset: str | None = None,
        search: str = "",
    ) -> Sequence[Model]:
        """Models, newest first.

        Args:
            before: only models older than this id.
            trials: whether to include trials of sweeps.
            search: words; each must be part of the recipe, the data set's name or the id.
        """
        query = select(Model).order_by(Model.id.desc()).limit(limit)
        if before is not None:
            query = query.where(Model.id < before)
        if dataset is not None:
            query = query.where(Model.dataset == dataset)
        if search:
            query = query.where(*matches(search))
        if not trials:
            query = query.where(Model.trial.is_(False))
        with self._database.read() as session:
            return session.scalars(query).all()

    def get(self, name: str) -> Model:
        """The model with this id or alias.

        Raises:
            UnknownModel: there is none.
        """
        with self._database.read() as session:
            model: Model | None = session.get(Model, name) or session.scalar(_named(name))
        if model is None:
            raise UnknownModel(f"There is no model {name!r}; `tenfold model list` shows all models and their aliases.")
        return model

    def among(self, model_ids: Collection[str]) -> dict[str, Model]:
        """Those of these models that exist, by id."""
        with self._database.read() as session:
            return {model.id: model for model in session.scalars(select(Model).where(Model.id.in_(model_ids)))}

    def in_production(self) -> Model | None:
        """The model that the alias `production` names: what is used where none is named."""
        with self._database.read() as session:
            model: Model | None = session.scalar(_named(PRODUCTION))
        return model

    def serving(self, name: str | None) -> Model:
        """The model with this id or alias, or the one in production if None.

        Raises:
            InvalidSubmission: there is no such model, or none in production.
        """
        try:
            model = self.in_production() if name is None else self.get(name)
        except UnknownModel as error:
            raise InvalidSubmission("model", str(error)) from error
        if model is None:
            raise InvalidSubmission("model", self.why_none_in_production())
        return model

    def why_none_in_production(self) -> str:
        """An error message for when no model is in production."""
        if not self.list(limit=1):
            return "There are no models yet: train one first."
        return (
            f"No model was named, and the alias {PRODUCTION} names none. Name a model (`tenfold model list` lists "
            "them), or promote one: tenfold model promote MODEL."
        )

    def delete(self, model_id: str) -> None:
        """Delete the row of a model; the caller deletes its files.

        Raises:
            UnknownModel: there is none with this id.
            WrongState: an alias names it.
        """
        try:
            with self._database.write() as session:
                deleted = rows_changed(session, delete(Model).where(Model.id == model_id))
        except IntegrityError as error:
            with self._database.read() as session:
                names = session.scalars(select(Alias.name).where(Alias.model == model_id).order_by(Alias.name)).all()
            raise WrongState(why_kept(model_id, names)) from error
        if not deleted:
            raise UnknownModel(f"The model {model_id!r} has been deleted.")


def why_kept(model_id: str, aliases: Sequence[str]) -> str:
    """Why a model that these aliases name cannot be deleted, and what to do."""
    first, several = aliases[0] if aliases else "NAME", len(aliases) > 1
    return (
        f"The alias{'es' if several else ''} {', '.join(aliases)} name{'' if several else 's'} the model {model_id}. "
        f"Promote another one (tenfold model promote MODEL --alias {first}) or remove the alias (tenfold alias delete "
        f"{first}), then delete the model."
    )


def _named(alias: str) -> Select[Any]:
    return select(Model).join(Alias, Alias.model == Model.id).where(Alias.name == alias)
