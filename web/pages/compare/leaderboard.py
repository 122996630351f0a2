"""The leaderboard: the newest models, filtered, sorted by any column, and divided into pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from tenfold.worker.db.database import Database
from tenfold.worker.models.leaderboard import Entry, newest_models

# Models are sorted in memory, and only the newest, so that no sort reads the whole table. Filters find older ones.
MAX_SORTED = 1000
ON_A_PAGE = 25

Column = Literal["recipe", "dataset", "accuracy", "loss", "seconds", "parameters", "epochs", "created_at"]
TITLES: dict[str, str] = {
    "recipe": "Recipe",
    "dataset": "Data set",
    "accuracy": "Test accuracy",
    "loss": "Test loss",
    "seconds": "Training time",
    "parameters": "Parameters",
    "epochs": "Epochs",
    "created_at": "Trained at",
}
BEST_IS_HIGH = ("accuracy", "created_at")


class View(BaseModel):
    """The query of the leaderboard. A `-` before the column of `sort` means descending."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    sort: str = Field("-accuracy", pattern=rf"^-?({'|'.join(get_args(Column))})$")
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
    """Entries of the leaderboard from rank `first`; `bounded` if older models were left out."""

    entries: Sequence[Entry]
    first: int
    total: int
    following: str | None
    bounded: bool


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
    return Page(shown, begin + 1, len(entries), shown[-1].id if more else None, len(found) > MAX_SORTED)


def _sorted(entries: Sequence[Entry], sort: str) -> list[Entry]:
    """Models without the figure come last in both directions; among equals the newest is first."""
    value = attrgetter(sort.lstrip("-"))
    having = [entry for entry in entries if value(entry) is not None]
    lacking = [entry for entry in entries if value(entry) is None]
    return sorted(having, key=value, reverse=sort.startswith("-")) + lacking
