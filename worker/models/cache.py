"""Keeps loaded models in the memory of a process."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tenfold.trainer.evaluation.novelty import NoveltyDetector, load_novelty
from tenfold.trainer.input_spec import InputSpec
from tenfold.trainer.serving.inference import BATCH, Classifier, Ensemble, network_file
from tenfold.worker.db.records import Model
from tenfold.worker.observability.metrics import MODEL_CACHE, MODEL_LOAD_SECONDS
from tenfold.worker.storage.volume import Volume

log = logging.getLogger(__name__)

# A dense model takes a few MB.
MODELS_KEPT = 8


@dataclass(frozen=True)
class LoadedEnsemble:
    """Loaded models that answer together, and the detector of out-of-distribution images.

    `novelty` is None for models of versions without it.
    """

    ensemble: Ensemble
    novelty: NoveltyDetector | None


def load_ensemble(models: Sequence[Model], volume: Volume, batch: int = BATCH) -> LoadedEnsemble:
    """Load these models, or get them from the cache; the first one detects novelty.

    Args:
        batch: see `Classifier`.

    Raises:
        ClassesDiffer: the models have different classes.
    """
    misses = _load.cache_info().misses
    loaded = [
        _load(
            volume,
            model.id,
            model.class_names,
            model.metrics.get("calibration", {}).get("temperature", 1.0),
            batch,
            model.input,
        )
        for model in models
    ]
    misses = _load.cache_info().misses - misses
    MODEL_CACHE.labels("miss").inc(misses)
    MODEL_CACHE.labels("hit").inc(len(loaded) - misses)
    return LoadedEnsemble(Ensemble([classifier for classifier, _ in loaded]), loaded[0][1])


@lru_cache(maxsize=MODELS_KEPT)
@MODEL_LOAD_SECONDS.time()
def _load(
    volume: Volume, model_id: str, class_names: tuple[str, ...], temperature: float, batch: int, spec: InputSpec
) -> tuple[Classifier, NoveltyDetector | None]:
    directory = volume.storage.fetch(volume.model(model_id))
    log.info("loading %s", directory)
    novelty = directory / "novelty.npz"
    return (
        Classifier.load(network_file(directory), class_names, temperature, batch, spec),
        load_novelty(novelty) if novelty.exists() else None,
    )
