"""The registry of trained models, and which of them serves when a classification names none: the promoted one."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from worker.database import Database, rows_changed
from worker.errors import InvalidSubmission, UnknownModel
from worker.records import Model

# The key of PostgreSQL's advisory lock on who is the first model.
FIRST_MODEL_LOCK = 781226

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
        """The model that was made the default, else None: no training changes it (`settle_default`)."""
        with self._database.read() as session:
            return _default(session)

    def serving(self, model_id: str | None) -> Model:
        """The model with this id, or the default one where that is None.

        Raises:
            InvalidSubmission: there is none with this id, or no default.
        """
        try:
            model = self.default() if model_id is None else self.get(model_id)
        except UnknownModel as error:
            raise InvalidSubmission("model", str(error)) from error
        if model is None:
            raise InvalidSubmission("model", self.why_no_default())
        return model

    def why_no_default(self) -> str:
        """What to do where there is no default model."""
        if not self.list(limit=1):
            return "There is no model to classify with yet: train one first."
        return (
            "There is no default model. Name a model (`tenfold models` lists them), or make one the default: "
            "tenfold models --default MODEL."
        )

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


def settle_default(session: Session, model_id: str) -> str:
    """Make a model that has just been trained the default where it's the only one beside trials of sweeps.

    Returns:
        a sentence on what serves now.
    """
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time
        session.execute(select(func.pg_advisory_xact_lock(FIRST_MODEL_LOCK)))
    serving = _default(session)
    command = f"To make this one the default: tenfold models --default {model_id}"
    if serving is not None and serving.id != model_id:
        return f"The default model is still {serving.id} ({serving.recipe} on {serving.dataset}). {command}"
    others = select(Model.id).where(Model.id != model_id, Model.trial.is_(False)).limit(1)
    if serving is None and session.scalar(others) is not None:
        return f"There is no default model. {command}"
    session.execute(update(Model).where(Model.id == model_id).values(pinned=True))
    return "It is the first model, so it became the default."


def _default(session: Session) -> Model | None:
    return session.scalar(select(Model).where(Model.pinned).order_by(Model.id.desc()).limit(1))
