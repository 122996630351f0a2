"""Makes the rows of a classification's results, a batch of images at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import polars as pl

from trainer.images import Normalised
from trainer.inference import BATCH
from trainer.plans import SIDE
from worker.reading import Problem, ReadImage
from worker.results import ROWS
from worker.sources import label_of
from worker.warm import Panel

# What is wrong with an image that has an answer, the first that applies; null where nothing is. A novelty above 1 is
# rarer than 1 in 200 among the images that a model was tested on.
QUALITY = pl.when("blank").then(pl.lit("blank")).when(pl.col("novelty") > 1).then(pl.lit("like no class"))


@dataclass(frozen=True)
class Answering:
    """How the rows of a shard are made.

    Args:
        threshold: answers of more confidence than this (0–1) are accepted; the others go to review.
        top_k: how many of the likeliest classes each row names.
        shard: the number that the rows carry.
    """

    panel: Panel
    threshold: float
    top_k: int
    shard: int


def answer(images: Iterable[ReadImage], start: int, answering: Answering) -> Iterator[pl.DataFrame]:
    """Rows (`results.ROWS`) for images in their order, of which the first has this number in the archive."""
    source = iter(images)
    while batch := list(islice(source, BATCH)):
        yield _rows(batch, start, answering)
        start += len(batch)


def _rows(batch: list[ReadImage], start: int, answering: Answering) -> pl.DataFrame:
    names = [member.name for member, _ in batch]
    images = [image for _, image in batch]
    class_names = answering.panel.ensemble.class_names
    known = pl.DataFrame(
        {
            "row": range(start, start + len(batch)),
            "name": names,
            "truth": [label_of(name, class_names) for name in names],
            "error": [image.message if isinstance(image, Problem) else None for image in images],
            "error_kind": [image.kind if isinstance(image, Problem) else None for image in images],
        },
        schema={name: ROWS[name] for name in ("row", "name", "truth", "error", "error_kind")},
    ).with_columns(shard=pl.lit(answering.shard))
    answered = [place for place, image in enumerate(images) if isinstance(image, Normalised)]
    answers = _answers([image for image in images if isinstance(image, Normalised)], answering)
    if len(answered) == len(batch):
        rows = known.hstack(answers)
    else:
        answers = answers.with_columns(row=pl.Series([start + place for place in answered], dtype=ROWS["row"]))
        rows = known.join(answers, on="row", how="left", maintain_order="left")
    return rows.select(pl.col(name).cast(kind) for name, kind in ROWS.items())


def _answers(images: list[Normalised], answering: Answering) -> pl.DataFrame:
    panel = answering.panel
    pixels = np.stack([image.pixels for image in images]) if images else np.zeros((0, SIDE, SIDE), np.uint8)
    labels, confidences = _likeliest(panel.ensemble.classify(pixels), max(answering.top_k, 2))
    names = np.array(panel.ensemble.class_names)[labels]
    # As doubles: a float32 cannot be 0.1, and would be written with all its digits.
    rounded = confidences.astype(np.float64).round(6)
    novelty = panel.novelty.score(pixels).astype(np.float64).round(3) if panel.novelty else [None] * len(images)
    kept = min(answering.top_k, names.shape[1])
    return (
        pl.DataFrame(
            {
                "label": names[:, 0],
                "confidence": rounded[:, 0],
                "runner_up": names[:, 1],
                "runner_up_confidence": rounded[:, 1],
                "top_labels": pl.Series(names[:, :kept], dtype=pl.Array(pl.String, kept)),
                "top_confidences": pl.Series(rounded[:, :kept], dtype=pl.Array(pl.Float64, kept)),
                "normalisation": [image.method for image in images],
                "polarity": [image.polarity for image in images],
                "blank": ~pixels.any(axis=(1, 2)),
                "novelty": pl.Series(novelty, dtype=pl.Float64),
                "sure": confidences[:, 0] > answering.threshold,
            }
        )
        .with_columns(quality=QUALITY)
        .with_columns(accepted=pl.col("sure") & pl.col("quality").is_null())
    )


def _likeliest(
    probabilities: npt.NDArray[np.float32], most: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Class indices and probabilities (n, most), the likeliest class first; fewer where there are fewer classes."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :most]
    return order, np.take_along_axis(probabilities, order, axis=1)
