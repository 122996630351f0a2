"""The pictures of a classification: how sure it is, what it is least sure of, and its mistakes where they are known."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from trainer.confidence_picture import draw_confidence
from trainer.confusion_picture import draw_confusion
from trainer.idx import Bytes
from trainer.sheets import draw_mistakes, draw_uncertain
from worker.storage.whole import write_whole

UNCERTAIN_SHOWN = 48
MISTAKES_SHOWN = 32
BINS = 50

# Gives the images (n, 28, 28) with these row numbers as the model saw them.
ReadPixels = Callable[[Sequence[int]], Bytes]


def write_pictures(rows: pl.LazyFrame, summary: dict[str, Any], read_pixels: ReadPixels, directory: Path) -> None:
    """Write `confidence.png` and `uncertain.png`, and where images are labelled `confusion.png` and `mistakes.png`.

    Args:
        rows: those of `results.ROWS`.
        summary: what `summarise` made of them.
    """
    answered = rows.filter(pl.col("label").is_not_null())
    with write_whole(directory / "confidence.png") as file:
        to_review, accepted = _histograms(answered)
        draw_confidence(accepted, to_review, file)
    shown = answered.select("row", "label", "confidence")
    least = shown.sort("confidence").head(UNCERTAIN_SHOWN).collect(engine="streaming")
    with write_whole(directory / "uncertain.png") as file:
        draw_uncertain(
            read_pixels(least["row"].to_list()), least["label"].to_list(), least["confidence"].to_list(), file
        )
    if summary["confusion"] is None:
        return
    with write_whole(directory / "confusion.png") as file:
        draw_confusion(np.array(summary["confusion"]), summary["class_names"], file)
    worst = summary["worst_mistakes"][:MISTAKES_SHOWN]
    numbers, truths, labels, confidences = (
        [mistake[name] for mistake in worst] for name in ("row", "truth", "label", "confidence")
    )
    with write_whole(directory / "mistakes.png") as file:
        draw_mistakes(read_pixels(numbers), truths, labels, confidences, file)


def _histograms(answered: pl.LazyFrame) -> npt.NDArray[np.int64]:
    """(2, BINS): how many answers there are of each confidence that go to review, and that are accepted."""
    bins = (pl.col("confidence") * BINS).floor().clip(0, BINS - 1).cast(pl.UInt32)
    counted = answered.group_by(pl.col("accepted").cast(pl.UInt32), bin=bins).len().collect(engine="streaming")
    counts = np.zeros((2, BINS), np.int64)
    counts[counted["accepted"].to_numpy(), counted["bin"].to_numpy()] = counted["len"].to_numpy()
    return counts
