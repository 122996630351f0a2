"""Computes the figures of a classification's summary."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from tenfold.trainer.evaluation.acceptance import wilson

MISTAKES_LISTED = 20


def summarize(rows: pl.LazyFrame, class_names: Sequence[str]) -> dict[str, Any]:
    """Figures over the rows of `results.ROWS`. Without true labels, those of labeled images are None or empty.

    Images with an error count in `images`, `errors` and `error_kinds` only.
    """
    answered = rows.filter(pl.col("prediction").is_not_null())
    labeled = answered.filter(pl.col("true_label").is_not_null())
    right = pl.col("prediction") == pl.col("true_label")
    totals, of_answered, of_labeled, counts, qualities, problems, pairs, mistakes = (
        frame.to_dicts()
        for frame in pl.collect_all(
            [
                rows.select(images=pl.len(), errors=pl.col("prediction").is_null().sum()),
                answered.select(
                    accepted=pl.col("accepted").sum(),
                    to_review=pl.col("accepted").not_().sum(),
                    mean_confidence=pl.col("confidence").mean().round(6),
                ),
                labeled.select(
                    labeled=pl.len(),
                    correct=right.sum(),
                    accepted_labeled=pl.col("accepted").sum(),
                    accepted_wrong=(pl.col("accepted") & ~right).sum(),
                ),
                _count(answered, "prediction"),
                _count(answered, "quality"),
                _count(rows, "error_kind"),
                labeled.group_by("true_label", "prediction").len(),
                labeled.filter(~right)
                .sort("confidence", descending=True)
                .head(MISTAKES_LISTED)
                .select("row", "name", "true_label", "prediction", "confidence"),
            ],
            engine="streaming",
        )
    )
    summary = totals[0] | of_answered[0] | {"counts": _by_value(counts), "quality": _by_value(qualities)}
    summary |= {"error_kinds": _by_value(problems)} | of_labeled[0]
    return (
        summary
        | _accuracy(of_labeled[0])
        | {
            "confusion": _confusion(pairs, class_names) if pairs else None,
            "worst_mistakes": mistakes,
        }
    )


def _accuracy(of_labeled: dict[str, int]) -> dict[str, Any]:
    labeled, correct = of_labeled["labeled"], of_labeled["correct"]
    if not labeled:
        return {"accuracy": None, "accuracy_interval": None}
    return {
        "accuracy": round(correct / labeled, 6),
        "accuracy_interval": [round(end, 6) for end in wilson(correct, labeled)],
    }


def _confusion(pairs: Sequence[dict[str, Any]], class_names: Sequence[str]) -> list[list[int]]:
    """Images by true (row) and predicted class (column); true labels that are not a class are left out."""
    indices = {name: index for index, name in enumerate(class_names)}
    matrix = np.zeros((len(class_names), len(class_names)), np.int64)
    for pair in pairs:
        if pair["true_label"] in indices:
            matrix[indices[pair["true_label"]], indices[pair["prediction"]]] = pair["len"]
    return matrix.tolist()


def _count(rows: pl.LazyFrame, column: str) -> pl.LazyFrame:
    return rows.drop_nulls(column).group_by(value=column).len().sort("value")


def _by_value(counted: Sequence[dict[str, Any]]) -> dict[str, int]:
    return {row["value"]: row["len"] for row in counted}
