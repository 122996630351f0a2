"""Makes the rows of a classification's results, a batch of images at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from trainer.images import Normalised
from trainer.plans import SIDE
from trainer.quality import qualities
from worker.reading import Problem, ReadImage
from worker.results import ROWS
from worker.stopwatch import Stopwatch
from worker.truth import FolderTruth
from worker.warm import Panel

# Rows that are made at a time: making a table costs as much as some hundred of its rows.
BATCH = 4096

NO_ERROR: dict[str, None] = {"error_kind": None, "error": None}


@dataclass(frozen=True)
class Answering:
    """How the rows of a shard are made.

    Args:
        threshold: answers of more confidence than this (0–1) are accepted; the others go to review.
        top_k: how many of the likeliest classes each row names.
        shard: the number that the rows carry.
        truth: gives the class that an image's folder names.
        stopwatch: times the stage `classify`.
    """

    panel: Panel
    threshold: float
    top_k: int
    shard: int
    truth: FolderTruth
    stopwatch: Stopwatch = field(default_factory=Stopwatch)


def answer(images: Iterable[ReadImage], start: int, answering: Answering) -> Iterator[pl.DataFrame]:
    """Rows (`results.ROWS`) for images in their order, of which the first has this number in the archive."""
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
        "truth": [answering.truth.of(name) for name in names],
        "shard": [answering.shard] * len(batch),
    }
    readable = [image for image in images if isinstance(image, Normalised)]
    answers = _answers(readable, answering)
    if len(readable) == len(batch):
        return pl.DataFrame(known | answers | NO_ERROR, schema=ROWS)
    known["error_kind"] = [image.kind if isinstance(image, Problem) else None for image in images]
    known["error"] = [image.message if isinstance(image, Problem) else None for image in images]
    answers["row"] = [row for row, image in zip(known["row"], images, strict=True) if isinstance(image, Normalised)]
    rows = _frame(known).join(_frame(answers), on="row", how="left", maintain_order="left")
    return rows.select(ROWS.names())


def _frame(columns: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema={name: ROWS[name] for name in columns})


def _answers(images: list[Normalised], answering: Answering) -> dict[str, Any]:
    """The columns that an image without a problem has."""
    panel = answering.panel
    pixels = np.stack([image.pixels for image in images]) if images else np.zeros((0, SIDE, SIDE), np.uint8)
    with answering.stopwatch.stage("classify"):
        probabilities = panel.ensemble.classify(pixels)
    labels, confidences = _likeliest(probabilities, max(answering.top_k, 2))
    # Looked up by Polars: NumPy's texts would be made anew, one by one.
    names = pl.Series(panel.ensemble.class_names, dtype=pl.String)
    # As doubles: a float32 cannot be 0.1, and would be written with all its digits.
    rounded = confidences.astype(np.float64).round(6)
    novelty = panel.novelty.score(pixels, labels[:, 0]) if panel.novelty else None
    quality = qualities(images, novelty)
    faultless = np.array([fault is None for fault in quality], bool)
    kept = min(answering.top_k, labels.shape[1])
    return {
        "label": names.gather(labels[:, 0]),
        "confidence": rounded[:, 0],
        "accepted": (confidences[:, 0] > answering.threshold) & faultless,
        "quality": quality,
        "runner_up": names.gather(labels[:, 1]),
        "runner_up_confidence": rounded[:, 1],
        "top_labels": names.gather(labels[:, :kept].ravel()).reshape((len(labels), kept)).arr.to_list(),
        "top_confidences": pl.Series(rounded[:, :kept], dtype=pl.Array(pl.Float64, kept)).arr.to_list(),
        "novelty": None if novelty is None else novelty.astype(np.float64).round(3),
        "normalisation": [image.method for image in images],
        "polarity": [image.polarity for image in images],
    }


def _likeliest(
    probabilities: npt.NDArray[np.float32], most: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Class indices and probabilities (n, most), the likeliest class first; fewer where there are fewer classes."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :most]
    return order, np.take_along_axis(probabilities, order, axis=1)
