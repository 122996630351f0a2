"""Models kept warm in one worker process, ready to classify."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from trainer.inference import BATCH, Classifier, Ensemble
from trainer.novelty import Detector, load_novelty
from worker.metrics import MODEL_CACHE, MODEL_LOAD_SECONDS
from worker.records import Model
from worker.volume import Volume

log = logging.getLogger(__name__)

# A dense one takes a few MB.
MODELS_KEPT = 8


@dataclass(frozen=True)
class Panel:
    """The models that answer together, and what tells images that are like no class of theirs.

    `novelty` is None for models that were made before it was learned.
    """

    ensemble: Ensemble
    novelty: Detector | None


def load_panel(models: Sequence[Model], volume: Volume, batch: int = BATCH) -> Panel:
    """These models, ready; the first says what is novel.

    Args:
        batch: see `Classifier`.

    Raises:
        ClassesDiffer: they do not know the same classes.
    """
    misses = _load.cache_info().misses
    warm = [
        _load(
            volume,
            model.id,
            model.class_names,
            model.metrics.get("calibration", {}).get("temperature", 1.0),
            batch,
        )
        for model in models
    ]
    misses = _load.cache_info().misses - misses
    MODEL_CACHE.labels("miss").inc(misses)
    MODEL_CACHE.labels("hit").inc(len(warm) - misses)
    return Panel(Ensemble([classifier for classifier, _ in warm]), warm[0][1])


@lru_cache(maxsize=MODELS_KEPT)
@MODEL_LOAD_SECONDS.time()
def _load(
    volume: Volume, model_id: str, class_names: tuple[str, ...], temperature: float, batch: int
) -> tuple[Classifier, Detector | None]:
    directory = volume.storage.fetch(volume.model(model_id))
    log.info("loading %s", directory)
    novelty = directory / "novelty.npz"
    return (
        Classifier.load(directory / "model.keras", class_names, temperature, batch),
        load_novelty(novelty) if novelty.exists() else None,
    )
