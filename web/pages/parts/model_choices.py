"""The models that a form offers: the default one, those already chosen, and the newest that match a search.

A form offers only a few of all models. `static/model_choices.js` searches while the user types; without JavaScript the
search is a form of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tenfold.web.core.forms import Choice
from tenfold.worker.models.leaderboard import Entry, newest_models
from tenfold.worker.services import Services

MAX_OFFERED = 10

# The query parameter of the search.
SEARCH = "models"


@dataclass(frozen=True)
class ModelOffer:
    """`entries` in the order of the form; `more` if there are others."""

    entries: Sequence[Entry]
    default: str | None
    search: str
    found: int
    more: bool

    @property
    def choices(self) -> list[Choice]:
        return [Choice(entry.id, self._described(entry)) for entry in self.entries]

    def _described(self, entry: Entry) -> str:
        figure = "" if entry.accuracy is None else f", {100 * entry.accuracy:.2f} % test accuracy"
        default = "default, " if entry.id == self.default else ""
        return f"{entry.recipe} on {entry.dataset}{figure} ({default}{entry.id})"


def offer_models(services: Services, *, search: str = "", chosen: Sequence[str] = ()) -> ModelOffer:
    """At most `MAX_OFFERED` models, and all that are chosen.

    Args:
        search: words that each have to occur in a model's recipe, data set or ID. A search also finds trials of sweeps.
        chosen: IDs of models to offer in any case, if they exist.
    """
    default = services.models.default()
    default_id = None if default is None else default.id
    found = newest_models(services.database, search=search, trials=bool(search), limit=MAX_OFFERED + 1)
    first = [*([default_id] if default_id and not search else []), *chosen][:MAX_OFFERED]
    kept = {entry.id: entry for entry in newest_models(services.database, ids=first, limit=len(first))} if first else {}
    entries = [kept[model_id] for model_id in dict.fromkeys(first) if model_id in kept]
    entries += [entry for entry in found[:MAX_OFFERED] if entry.id not in kept]
    more = len(found) > MAX_OFFERED or len(entries) > MAX_OFFERED
    return ModelOffer(entries[: max(MAX_OFFERED, len(kept))], default_id, search, len(found), more)
