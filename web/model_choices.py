"""Which models a form offers: the default one, those that are chosen already, and the newest that a search finds.

However many models there are, a page has a few of them. `static/models.js` searches while a person types; without
JavaScript the search is a form of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from web.forms import Choice
from worker.leaderboard import Entry, newest_models
from worker.services import Services

MOST_OFFERED = 10

# What the page's address calls the search.
SEARCH = "models"


@dataclass(frozen=True)
class ModelOffer:
    """`entries` in the order in which they are offered; `more` where there are others."""

    entries: Sequence[Entry]
    default: str | None
    search: str
    found: int
    more: bool

    @property
    def choices(self) -> list[Choice]:
        return [Choice(entry.id, self._described(entry)) for entry in self.entries]

    def _described(self, entry: Entry) -> str:
        figure = "" if entry.accuracy is None else f", {100 * entry.accuracy:.2f} % on test"
        default = "default, " if entry.id == self.default else ""
        return f"{entry.recipe} on {entry.dataset}{figure} ({default}{entry.id})"


def offer_models(services: Services, *, search: str = "", chosen: Sequence[str] = ()) -> ModelOffer:
    """A bounded choice of models.

    Args:
        search: words, each of which is a part of a model's recipe, data set or id. With one, trials of sweeps are
            found too.
        chosen: ids that are offered in any case, as far as there are such models.
    """
    default = services.models.default()
    default_id = None if default is None else default.id
    found = newest_models(services.database, search=search, trials=bool(search), limit=MOST_OFFERED + 1)
    first = [*([default_id] if default_id and not search else []), *chosen][:MOST_OFFERED]
    kept = {entry.id: entry for entry in newest_models(services.database, ids=first, limit=len(first))} if first else {}
    entries = [kept[model_id] for model_id in dict.fromkeys(first) if model_id in kept]
    entries += [entry for entry in found[:MOST_OFFERED] if entry.id not in kept]
    more = len(found) > MOST_OFFERED or len(entries) > MOST_OFFERED
    return ModelOffer(entries[: max(MOST_OFFERED, len(kept))], default_id, search, len(found), more)
