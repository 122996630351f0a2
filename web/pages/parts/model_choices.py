"""The models that a form offers: the one in production, those already chosen, and the newest that match a search.

A form offers only a few of all models. `static/model_choices.js` searches while the user types; without JavaScript the
search is a form of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tenfold.web.core.forms import Choice
from tenfold.worker.models.aliases import PRODUCTION
from tenfold.worker.models.leaderboard import Entry, newest_models
from tenfold.worker.services import Services

MAX_OFFERED = 10

# The query parameter of the search.
SEARCH = "models"


@dataclass(frozen=True)
class ModelOffer:
    """`entries` in the order of the form, with the `aliases` of each; `chosen` are the ids of the chosen ones.

    `production` is the id of the model in production, and `more` tells whether there are other models.
    """

    entries: Sequence[Entry]
    aliases: Mapping[str, Sequence[str]]
    chosen: Sequence[str]
    production: str | None
    search: str
    found: int
    more: bool

    @property
    def choices(self) -> list[Choice]:
        return [Choice(entry.id, self._described(entry)) for entry in self.entries]

    def _described(self, entry: Entry) -> str:
        figure = "" if entry.accuracy is None else f", {100 * entry.accuracy:.2f} % test accuracy"
        names = ", ".join([*self.aliases.get(entry.id, ()), entry.id])
        return f"{entry.recipe} on {entry.dataset}{figure} ({names})"


def offer_models(services: Services, *, search: str = "", chosen: Sequence[str] = ()) -> ModelOffer:
    """At most `MAX_OFFERED` models, and all that are chosen.

    Args:
        search: words that each have to occur in a model's recipe, data set or ID. A search also finds trials of sweeps.
        chosen: IDs and aliases of models to offer in any case, if they exist.
    """
    aliases = services.aliases.by_model()
    ids = {name: model_id for model_id, names in aliases.items() for name in names}
    production, chosen = ids.get(PRODUCTION), [ids.get(name, name) for name in chosen]
    found = newest_models(services.database, search=search, trials=bool(search), limit=MAX_OFFERED + 1)
    first = [*([production] if production and not search else []), *chosen][:MAX_OFFERED]
    kept = {entry.id: entry for entry in newest_models(services.database, ids=first, limit=len(first))} if first else {}
    entries = [kept[model_id] for model_id in dict.fromkeys(first) if model_id in kept]
    entries += [entry for entry in found[:MAX_OFFERED] if entry.id not in kept]
    more = len(found) > MAX_OFFERED or len(entries) > MAX_OFFERED
    entries = entries[: max(MAX_OFFERED, len(kept))]
    return ModelOffer(entries, aliases, chosen, production, search, len(found), more)
