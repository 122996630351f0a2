"""The leaderboard: the newest models, filtered, sorted by any column, and divided into pages."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from tenfold.trainer.evaluation.selection import worth_after_looks
from tenfold.worker.db.database import Database
from tenfold.worker.models.leaderboard import Entry, count_scored, newest_models

# Models are sorted in memory, and only the newest, so that no sort reads the whole table. Filters find older ones.
MAX_SORTED = 1000
ON_A_PAGE = 25

Column = Literal["recipe", "dataset", "validation", "accuracy", "loss", "seconds", "parameters", "epochs", "created_at"]
TITLES: dict[str, str] = {
    "recipe": "Recipe",
    "dataset": "Data set",
    "validation": "Validation accuracy",
    "accuracy": "Test accuracy",
    "loss": "Test loss",
    "seconds": "Training time",
    "parameters": "Parameters",
    "epochs": "Epochs",
    "created_at": "Trained at",
}
BEST_IS_HIGH = ("validation", "accuracy", "created_at")


class View(BaseModel):
    """The query of the leaderboard. A `-` before the column of `sort` means descending."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    sort: str = Field("-validation", pattern=rf"^-?({'|'.join(get_args(Column))})$")
    recipe: str | None = None
    dataset: str | None = None
    search: str = Field("", max_length=200)
    trials: Literal["shown", "hidden"] = "shown"
    after: str | None = None

    def query(self, **changes: str | None) -> dict[str, str]:
        """The view as a query, with changes; it starts at the first page."""
        values = self.model_dump(exclude_defaults=True) | {"after": None} | changes
        return {name: value for name, value in values.items() if value}

    def sorted_by(self, column: str) -> str:
        """The value of `sort` after a click on the column: best first, then the reverse."""
        first, second = (f"-{column}", column) if column in BEST_IS_HIGH else (column, f"-{column}")
        return second if self.sort == first else first

    def direction(self, column: str) -> Literal["ascending", "descending"] | None:
        """The sort direction of this column as a value of `aria-sort`; None if the page is sorted by another one."""
        if self.sort.lstrip("-") != column:
            return None
        return "descending" if self.sort.startswith("-") else "ascending"


@dataclass(frozen=True)
class Page:
    """Entries of the leaderboard from rank `first`; `bounded` if older models were left out. `looks` says what the
    test accuracies shown are worth."""

    entries: Sequence[Entry]
    first: int
    total: int
    following: str | None
    bounded: bool
    looks: Sequence[str]


def leaderboard(database: Database, view: View) -> Page:
    found = newest_models(
        database,
        recipe=view.recipe,
        dataset=view.dataset,
        search=view.search,
        trials=view.trials == "shown",
        limit=MAX_SORTED + 1,
    )
    entries = _sorted(found[:MAX_SORTED], view.sort)
    begin = next((place for place, entry in enumerate(entries, start=1) if entry.id == view.after), 0)
    shown = entries[begin : begin + ON_A_PAGE]
    more = begin + ON_A_PAGE < len(entries)
    looks = _looks(database, entries, {entry.dataset for entry in shown})
    return Page(shown, begin + 1, len(entries), shown[-1].id if more else None, len(found) > MAX_SORTED, looks)


def _sorted(entries: Sequence[Entry], sort: str) -> list[Entry]:
    """Models without the figure come last in both directions, those without a validation accuracy by their test
    accuracy; among equals the newest is first."""
    column = sort.lstrip("-")
    value = attrgetter(column)
    having = [entry for entry in entries if value(entry) is not None]
    lacking = [entry for entry in entries if value(entry) is None]
    if column == "validation":
        lacking = _sorted(lacking, sort.replace("validation", "accuracy"))
    return sorted(having, key=value, reverse=sort.startswith("-")) + lacking


def _looks(database: Database, entries: Sequence[Entry], datasets: Collection[str]) -> list[str]:
    """For the data sets on which several models were scored, as far as it matters."""
    found = []
    for dataset, models in sorted(count_scored(database, datasets).items()):
        scored = [entry for entry in entries if entry.dataset == dataset and entry.accuracy and entry.test_images]
        best = max(scored, key=attrgetter("accuracy"), default=None)
        if best is not None and best.accuracy and best.test_images:
            found.append(worth_after_looks(dataset, models, best.accuracy, best.test_images))
    return [sentence for sentence in found if sentence]
