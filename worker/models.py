"""The registry of trained models, and which of them serves when a classification names none."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, or_, select, update

from worker.database import Database, rows_changed
from worker.errors import InvalidSubmission, UnknownModel
from worker.records import Model

SEARCHED = (Model.recipe, Model.dataset, Model.id)

# Of a search; more say nothing more.
MOST_WORDS = 8


def matches(search: str) -> list[ColumnElement[bool]]:
    """What is true of the models that a search finds."""
    words = search.split()[:MOST_WORDS]
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
        """Models, the newest first: at most `limit`, older than the model id `before`, trained on `dataset`, where
        they are given; without the trials of sweeps where those are not wanted. Each word of a `search` is a part of
        the recipe, of the data set's name or of the id."""
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

    def get(self, model_id: str) -> Model:
        """One model.

        Raises:
            UnknownModel: there is none with this id.
        """
        with self._database.read() as session:
            model = session.get(Model, model_id)
        if model is None:
            raise UnknownModel(f"There is no model {model_id!r}; see the list of models for those there are.")
        return model

    def default(self) -> Model | None:
        """The model that was made the default, else the newest that is no trial of a sweep, else None."""
        servable = or_(Model.pinned, Model.trial.is_(False))
        query = select(Model).where(servable).order_by(Model.pinned.desc(), Model.id.desc()).limit(1)
        with self._database.read() as session:
            return session.scalar(query)

    def serving(self, model_id: str | None) -> Model:
        """The model with this id, or the default one where that is None.

        Raises:
            InvalidSubmission: there is none with this id, or none at all.
        """
        try:
            model = self.default() if model_id is None else self.get(model_id)
        except UnknownModel as error:
            raise InvalidSubmission("model", str(error)) from error
        if model is None:
            raise InvalidSubmission("model", "There is no model to classify with yet: train one first.")
        return model

    def make_default(self, model_id: str) -> Model:
        """Let this model serve wherever none is named.

        Raises:
            UnknownModel: there is none with this id.
        """
        model = self.get(model_id)
        with self._database.write() as session:
            session.execute(update(Model).values(pinned=Model.id == model_id))
        return model

    def delete(self, model_id: str) -> None:
        """Forget a model; its files are the caller's to remove.

        Raises:
            UnknownModel: there is none with this id.
        """
        with self._database.write() as session:
            deleted = rows_changed(session, delete(Model).where(Model.id == model_id))
        if not deleted:
            raise UnknownModel(f"There is no model {model_id!r} any more.")
