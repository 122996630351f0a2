"""Makes the rows of a classification's results, a batch of images at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images import Normalized
from tenfold.trainer.images.quality import qualities
from tenfold.trainer.serving.inference import Ensemble
from tenfold.worker.classification.labels.folders import FolderLabels
from tenfold.worker.classification.reading.images import Problem, ReadImage
from tenfold.worker.classification.results import schema_of
from tenfold.worker.models.cache import LoadedEnsemble
from tenfold.worker.observability.stopwatch import Stopwatch

# Rows per table: making a table costs as much as about a hundred rows.
BATCH = 4096

NO_ERROR: dict[str, None] = {"error_kind": None, "error": None}


@dataclass(frozen=True)
class Answering:
    """How the rows of a shard are made.

    Args:
        loaded: the models.
        threshold: answers with more confidence than this (0–1) are accepted; the others are reviewed.
        top_k: how many of the most probable classes each row has.
        shard: its number, a column of the rows.
        labels: the class that an image's folder names.
        stopwatch: times the stage `classify`.
        shadow: a model that answers too, with the same classes and input.
    """

    loaded: LoadedEnsemble
    threshold: float
    top_k: int
    shard: int
    labels: FolderLabels
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    shadow: Ensemble | None = None

    @property
    def schema(self) -> pl.Schema:
        """The columns of the rows."""
        return schema_of(shadow=self.shadow is not None)


def answer(images: Iterable[ReadImage], start: int, answering: Answering) -> Iterator[pl.DataFrame]:
    """Rows (`results.ROWS`, and `results.SHADOW` with a shadow model) for images in their order.

    Args:
        start: row number of the first image.
    """
    source = iter(images)
    while batch := list(islice(source, BATCH)):
        yield _rows(batch, start, answering)
        start += len(batch)


def _rows(batch: list[ReadImage], start: int, answering: Answering) -> pl.DataFrame:
    names = [member.name for member, _ in batch]
    images = [image for _, image in batch]
    known: dict[str, Any] = {
        "row": range(start, start + len(batch)),
        "name": names,
        "true_label": [answering.labels.of(name) for name in names],
        "shard": [answering.shard] * len(batch),
    }
    readable = [image for image in images if isinstance(image, Normalized)]
    answers = _answers(readable, answering)
    if len(readable) == len(batch):
        return pl.DataFrame(known | answers | NO_ERROR, schema=answering.schema)
    known["error_kind"] = [image.kind if isinstance(image, Problem) else None for image in images]
    known["error"] = [image.message if isinstance(image, Problem) else None for image in images]
    answers["row"] = [row for row, image in zip(known["row"], images, strict=True) if isinstance(image, Normalized)]
    schema = answering.schema
    rows = _frame(known, schema).join(_frame(answers, schema), on="row", how="left", maintain_order="left")
    return rows.select(schema.names())


def _frame(columns: dict[str, Any], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame(columns, schema={name: schema[name] for name in columns})


def _answers(images: list[Normalized], answering: Answering) -> dict[str, Any]:
    """The columns of readable images."""
    loaded = answering.loaded
    shape = (len(images), *loaded.ensemble.spec.shape)
    pixels = np.stack([image.pixels for image in images]) if images else np.zeros(shape, np.uint8)
    with answering.stopwatch.stage("classify"):
        probabilities = loaded.ensemble.classify(pixels)
    labels, confidences = _likeliest(probabilities, max(answering.top_k, 2))
    # Gathered by Polars: NumPy would create every string again.
    names = pl.Series(loaded.ensemble.class_names, dtype=pl.String)
    # As doubles: a float32 close to 0.1 would be written with all its digits.
    rounded = confidences.astype(np.float64).round(6)
    novelty = loaded.novelty.score(pixels, labels[:, 0]) if loaded.novelty else None
    quality = qualities(images, novelty)
    faultless = np.array([fault is None for fault in quality], bool)
    kept = min(answering.top_k, labels.shape[1])
    return {
        "prediction": names.gather(labels[:, 0]),
        "confidence": rounded[:, 0],
        "accepted": (confidences[:, 0] > answering.threshold) & faultless,
        "quality": quality,
        "runner_up": names.gather(labels[:, 1]),
        "runner_up_confidence": rounded[:, 1],
        "top_predictions": names.gather(labels[:, :kept].ravel()).reshape((len(labels), kept)).arr.to_list(),
        "top_confidences": pl.Series(rounded[:, :kept], dtype=pl.Array(pl.Float64, kept)).arr.to_list(),
        "novelty": None if novelty is None else novelty.astype(np.float64).round(3),
        "normalization": [image.method for image in images],
        "polarity": [image.polarity for image in images],
        **(_shadow_answers(pixels, answering.shadow, answering.stopwatch) if answering.shadow else {}),
    }


def _shadow_answers(pixels: Bytes, shadow: Ensemble, stopwatch: Stopwatch) -> dict[str, Any]:
    with stopwatch.stage("classify"):
        probabilities = shadow.classify(pixels)
    labels, confidences = _likeliest(probabilities, 1)
    return {
        "shadow_prediction": pl.Series(shadow.class_names, dtype=pl.String).gather(labels[:, 0]),
        "shadow_confidence": confidences[:, 0].astype(np.float64).round(6),
    }


def _likeliest(
    probabilities: npt.NDArray[np.float32], most: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Class indices and probabilities (n, most), most probable first; fewer columns if there are fewer classes."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :most]
    return order, np.take_along_axis(probabilities, order, axis=1)
