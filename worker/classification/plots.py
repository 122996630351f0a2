"""Draws the pictures of a classification: confidence histogram, least certain images, confusion and mistakes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.reports.confidence_plot import draw_confidence
from tenfold.trainer.reports.confusion_plot import draw_confusion
from tenfold.trainer.reports.sheets import draw_mistakes, draw_uncertain
from tenfold.worker.storage.whole import atomic_write

UNCERTAIN_SHOWN = 48
MISTAKES_SHOWN = 32
BINS = 50

# Returns the model inputs (n, *shape) uint8 with these row numbers.
ReadPixels = Callable[[Sequence[int]], Bytes]


def write_pictures(rows: pl.LazyFrame, summary: dict[str, Any], read_pixels: ReadPixels, directory: Path) -> None:
    """Write `confidence.png` and `uncertain.png`, and if images have true labels `confusion.png` and `mistakes.png`.

    Args:
        rows: those of `results.ROWS`.
        summary: from `summarize`.
    """
    answered = rows.filter(pl.col("prediction").is_not_null())
    with atomic_write(directory / "confidence.png") as file:
        to_review, accepted = _histograms(answered)
        draw_confidence(accepted, to_review, file)
    shown = answered.select("row", "prediction", "confidence")
    least = shown.sort("confidence").head(UNCERTAIN_SHOWN).collect(engine="streaming")
    with atomic_write(directory / "uncertain.png") as file:
        draw_uncertain(
            read_pixels(least["row"].to_list()), least["prediction"].to_list(), least["confidence"].to_list(), file
        )
    if summary["confusion"] is None:
        return
    with atomic_write(directory / "confusion.png") as file:
        draw_confusion(np.array(summary["confusion"]), summary["class_names"], file)
    worst = summary["worst_mistakes"][:MISTAKES_SHOWN]
    numbers, truths, labels, confidences = (
        [mistake[name] for mistake in worst] for name in ("row", "true_label", "prediction", "confidence")
    )
    with atomic_write(directory / "mistakes.png") as file:
        draw_mistakes(read_pixels(numbers), truths, labels, confidences, file)


def _histograms(answered: pl.LazyFrame) -> npt.NDArray[np.int64]:
    """(2, BINS): number of answers by confidence, to review and accepted."""
    bins = (pl.col("confidence") * BINS).floor().clip(0, BINS - 1).cast(pl.UInt32)
    counted = answered.group_by(pl.col("accepted").cast(pl.UInt32), bin=bins).len().collect(engine="streaming")
    counts = np.zeros((2, BINS), np.int64)
    counts[counted["accepted"].to_numpy(), counted["bin"].to_numpy()] = counted["len"].to_numpy()
    return counts
