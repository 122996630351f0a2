"""Reads the leaderboard's figures of the newest models, without loading their whole rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Job, Model
from tenfold.worker.models.registry import matches


@dataclass(frozen=True)
class Entry:
    """A row of the leaderboard. Figures missing in models of earlier versions are None; the job may be deleted.

    `validation` is the accuracy on a validation split, None for a training without one; `input` is that of
    `metrics.json`.
    """

    id: str
    recipe: str
    dataset: str
    validation: float | None
    accuracy: float | None
    loss: float | None
    seconds: float | None
    parameters: int | None
    epochs: int | None
    test_images: int | None
    created_at: float
    trial: bool
    has_job: bool
    input: dict[str, Any] | None


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
    """Up to `limit` of the newest models, newest first, filtered by recipe and data set if given.

    Args:
        search: words; each must be part of the recipe, the data set's name or the id.
        ids: only these models.
        trials: whether to include trials of sweeps.
    """
    figures = Model.metrics
    query = (
        select(
            Model.id,
            Model.recipe,
            Model.dataset,
            case((Model.parameters["validation"].as_string() == "split", figures["val_accuracy"].as_float())),
            figures["test_accuracy"].as_float(),
            figures["test_loss"].as_float(),
            figures["seconds"].as_float(),
            figures["parameter_count"].as_integer(),
            figures["epochs"].as_integer(),
            figures["test_images"].as_integer(),
            Model.created_at,
            Model.trial,
            Job.id.is_not(None),
            figures["input"],
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


def count_scored(database: Database, datasets: Collection[str]) -> dict[str, int]:
    """How many models were scored on the test images of each of these data sets, trials of sweeps included."""
    query = select(Model.dataset, func.count()).where(Model.dataset.in_(datasets)).group_by(Model.dataset)
    with database.read() as session:
        return {row[0]: row[1] for row in session.execute(query)}
