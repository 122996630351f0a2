"""The registry of trained models, one of which is the default."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from tenfold.worker.db.database import Database, rows_changed
from tenfold.worker.db.records import Model
from tenfold.worker.errors import InvalidSubmission, UnknownModel

# Key of PostgreSQL's advisory lock for setting the first default.
FIRST_MODEL_LOCK = 781226

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

    def get(self, model_id: str) -> Model:
        """One model.

        Raises:
            UnknownModel: there is none with this id.
        """
        with self._database.read() as session:
            model = session.get(Model, model_id)
        if model is None:
            raise UnknownModel(f"There is no model {model_id!r}; `tenfold model list` shows all models.")
        return model

    def default(self) -> Model | None:
        """The default model, if there is one."""
        with self._database.read() as session:
            return _default(session)

    def serving(self, model_id: str | None) -> Model:
        """The model with this id, or the default if None.

        Raises:
            InvalidSubmission: there is no such model, or no default.
        """
        try:
            model = self.default() if model_id is None else self.get(model_id)
        except UnknownModel as error:
            raise InvalidSubmission("model", str(error)) from error
        if model is None:
            raise InvalidSubmission("model", self.why_no_default())
        return model

    def why_no_default(self) -> str:
        """An error message for when there is no default."""
        if not self.list(limit=1):
            return "There are no models yet: train one first."
        return (
            "There is no default model. Name a model (`tenfold model list` lists them), or make one the default: "
            "tenfold model set-default MODEL."
        )

    def make_default(self, model_id: str) -> Model:
        """Make this the default model.

        Raises:
            UnknownModel: there is none with this id.
        """
        model = self.get(model_id)
        with self._database.write() as session:
            session.execute(update(Model).values(pinned=Model.id == model_id))
        return model

    def delete(self, model_id: str) -> None:
        """Delete the row of a model; the caller deletes its files.

        Raises:
            UnknownModel: there is none with this id.
        """
        with self._database.write() as session:
            deleted = rows_changed(session, delete(Model).where(Model.id == model_id))
        if not deleted:
            raise UnknownModel(f"The model {model_id!r} has been deleted.")


def settle_default(session: Session, model_id: str) -> str:
    """Make a newly trained model the default if it is the only one, not counting trials of sweeps.

    Returns:
        a sentence on the default model.
    """
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time
        session.execute(select(func.pg_advisory_xact_lock(FIRST_MODEL_LOCK)))
    serving = _default(session)
    command = f"To make this one the default: tenfold model set-default {model_id}"
    if serving is not None and serving.id != model_id:
        return f"The default model is still {serving.id} ({serving.recipe} on {serving.dataset}). {command}"
    others = select(Model.id).where(Model.id != model_id, Model.trial.is_(False)).limit(1)
    if serving is None and session.scalar(others) is not None:
        return f"There is no default model. {command}"
    session.execute(update(Model).where(Model.id == model_id).values(pinned=True))
    return "It is the first model, so it became the default."


def _default(session: Session) -> Model | None:
    return session.scalar(select(Model).where(Model.pinned).order_by(Model.id.desc()).limit(1))
