"""The leaderboard: the newest models sorted by any column, filtered, and cut into pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from worker.database import Database
from worker.leaderboard import Entry, newest_models

# Sorted in memory, so that no sort ever reads a whole table of models: older ones are found by filtering.
MOST_SORTED = 1000
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
    "created_at": "Trained",
}
BEST_IS_HIGH = ("accuracy", "created_at")


class View(BaseModel):
    """What of the leaderboard to show, as the page's address says it. A `-` before the column sorts downwards."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    sort: str = Field("-accuracy", pattern=rf"^-?({'|'.join(get_args(Column))})$")
    recipe: str | None = None
    dataset: str | None = None
    search: str = Field("", max_length=200)
    trials: Literal["shown", "hidden"] = "shown"
    after: str | None = None

    def query(self, **changes: str | None) -> dict[str, str]:
        """The view as an address says it, with changes; to another order belongs the first page."""
        values = self.model_dump(exclude_defaults=True) | {"after": None} | changes
        return {name: value for name, value in values.items() if value}

    def sorted_by(self, column: str) -> str:
        """What a click on the column's head sorts by: the best first, then the other way round."""
        first, second = (f"-{column}", column) if column in BEST_IS_HIGH else (column, f"-{column}")
        return second if self.sort == first else first

    def direction(self, column: str) -> Literal["ascending", "descending"] | None:
        """How the page is sorted by this column, in the words of `aria-sort`."""
        if self.sort.lstrip("-") != column:
            return None
        return "descending" if self.sort.startswith("-") else "ascending"


@dataclass(frozen=True)
class Page:
    """Lines of the leaderboard from place `first`; `bounded` where older models were left out."""

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
        limit=MOST_SORTED + 1,
    )
    entries = _sorted(found[:MOST_SORTED], view.sort)
    begin = next((place for place, entry in enumerate(entries, start=1) if entry.id == view.after), 0)
    shown = entries[begin : begin + ON_A_PAGE]
    more = begin + ON_A_PAGE < len(entries)
    return Page(shown, begin + 1, len(entries), shown[-1].id if more else None, len(found) > MOST_SORTED)


def _sorted(entries: Sequence[Entry], sort: str) -> list[Entry]:
    """Those that lack the figure come last, whichever way; among equals the newest is first."""
    value = attrgetter(sort.lstrip("-"))
    having = [entry for entry in entries if value(entry) is not None]
    lacking = [entry for entry in entries if value(entry) is None]
    return sorted(having, key=value, reverse=sort.startswith("-")) + lacking
