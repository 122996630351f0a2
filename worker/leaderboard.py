"""The figures of the newest models, a few numbers each, without loading all that their rows hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from worker.database import Database
from worker.models import matches
from worker.records import Job, Model


@dataclass(frozen=True)
class Entry:
    """A model's line. Figures that a model of an earlier release lacks are None; its job may be gone."""

    id: str
    recipe: str
    dataset: str
    accuracy: float | None
    loss: float | None
    seconds: float | None
    parameters: int | None
    epochs: int | None
    created_at: float
    trial: bool
    has_job: bool


def newest_models(
    database: Database,
    *,
    recipe: str | None = None,
    dataset: str | None = None,
    search: str = "",
    ids: Sequence[str] | None = None,
    trials: bool = True,
    limit: int,
) -> Sequence[Entry]:
    """The newest models, the newest first: at most `limit`, of this recipe and data set where they are named.

    Args:
        search: words, each of which is a part of the recipe, of the data set's name or of the id.
        ids: of these models only.
        trials: whether to list the trials of sweeps.
    """
    figures = Model.metrics
    query = (
        select(
            Model.id,
            Model.recipe,
            Model.dataset,
            figures["test_accuracy"].as_float(),
            figures["test_loss"].as_float(),
            figures["seconds"].as_float(),
            figures["parameter_count"].as_integer(),
            figures["epochs"].as_integer(),
            Model.created_at,
            Model.trial,
            Job.id.is_not(None),
        )
        .outerjoin(Job, Job.id == Model.id)
        .order_by(Model.id.desc())
        .limit(limit)
    )
    if recipe is not None:
        query = query.where(Model.recipe == recipe)
    if dataset is not None:
        query = query.where(Model.dataset == dataset)
    if search:
        query = query.where(*matches(search))
    if ids is not None:
        query = query.where(Model.id.in_(ids))
    if not trials:
        query = query.where(Model.trial.is_(False))
    with database.read() as session:
        return [Entry(*row) for row in session.execute(query)]
