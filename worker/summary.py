"""What came of a classification, in a few figures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from trainer.intervals import wilson

MISTAKES_LISTED = 20


def summarise(rows: pl.LazyFrame, class_names: Sequence[str]) -> dict[str, Any]:
    """Sums over the rows of `results.ROWS`; those of labelled images are None, or empty, where there is none.

    An image with an error has no answer, so it counts in `images`, `errors` and `error_kinds` only.
    """
    answered = rows.filter(pl.col("label").is_not_null())
    labelled = answered.filter(pl.col("truth").is_not_null())
    right = pl.col("label") == pl.col("truth")
    totals, of_answered, of_labelled, counts, qualities, problems, pairs, mistakes = (
        frame.to_dicts()
        for frame in pl.collect_all(
            [
                rows.select(images=pl.len(), errors=pl.col("label").is_null().sum()),
                answered.select(
                    accepted=pl.col("accepted").sum(),
                    to_review=pl.col("accepted").not_().sum(),
                    mean_confidence=pl.col("confidence").mean().round(6),
                ),
                labelled.select(
                    labelled=pl.len(),
                    correct=right.sum(),
                    accepted_labelled=pl.col("accepted").sum(),
                    accepted_wrong=(pl.col("accepted") & ~right).sum(),
                ),
                _count(answered, "label"),
                _count(answered, "quality"),
                _count(rows, "error_kind"),
                labelled.group_by("truth", "label").len(),
                labelled.filter(~right)
                .sort("confidence", descending=True)
                .head(MISTAKES_LISTED)
                .select("row", "name", "truth", "label", "confidence"),
            ],
            engine="streaming",
        )
    )
    summary = totals[0] | of_answered[0] | {"counts": _by_value(counts), "quality": _by_value(qualities)}
    summary |= {"error_kinds": _by_value(problems)} | of_labelled[0]
    return (
        summary
        | _accuracy(of_labelled[0])
        | {
            "confusion": _confusion(pairs, class_names) if pairs else None,
            "worst_mistakes": mistakes,
        }
    )


def _accuracy(of_labelled: dict[str, int]) -> dict[str, Any]:
    labelled, correct = of_labelled["labelled"], of_labelled["correct"]
    if not labelled:
        return {"accuracy": None, "accuracy_interval": None}
    return {
        "accuracy": round(correct / labelled, 6),
        "accuracy_interval": [round(end, 6) for end in wilson(correct, labelled)],
    }


def _confusion(pairs: Sequence[dict[str, Any]], class_names: Sequence[str]) -> list[list[int]]:
    """Images by true class (row) and predicted class (column); truths that are no class of the model are left out."""
    places = {name: place for place, name in enumerate(class_names)}
    matrix = np.zeros((len(class_names), len(class_names)), np.int64)
    for pair in pairs:
        if pair["truth"] in places:
            matrix[places[pair["truth"]], places[pair["label"]]] = pair["len"]
    return matrix.tolist()


def _count(rows: pl.LazyFrame, column: str) -> pl.LazyFrame:
    return rows.drop_nulls(column).group_by(value=column).len().sort("value")


def _by_value(counted: Sequence[dict[str, Any]]) -> dict[str, int]:
    return {row["value"]: row["len"] for row in counted}
