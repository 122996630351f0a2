"""Sums up where a shadow model would have answered differently."""

from typing import Any

import polars as pl

from tenfold.trainer.evaluation.comparing import Pair, conclude

CHANGES_LISTED = 5

MODEL, SHADOW = "the model", "the shadow model"


def summarize_shadow(rows: pl.LazyFrame, shadow: str) -> dict[str, Any]:
    """Figures over the rows of `results.ROWS` and `results.SHADOW`; `comparison` is None without true labels.

    Args:
        shadow: the model's id.
    """
    answered = rows.filter(pl.col("prediction").is_not_null())
    differs = pl.col("prediction") != pl.col("shadow_prediction")
    right, shadow_right = (pl.col(column) == pl.col("true_label") for column in ("prediction", "shadow_prediction"))
    counts, labeled, changes = (
        frame.to_dicts()
        for frame in pl.collect_all(
            [
                answered.select(
                    images=pl.len(),
                    differing=differs.sum(),
                    differing_accepted=(differs & pl.col("accepted")).sum(),
                ),
                answered.filter(pl.col("true_label").is_not_null()).select(
                    images=pl.len(),
                    only_first=(right & ~shadow_right).sum(),
                    only_second=(~right & shadow_right).sum(),
                ),
                answered.filter(differs)
                .group_by("prediction", "shadow_prediction")
                .agg(images=pl.len())
                .sort("images", "prediction", "shadow_prediction", descending=[True, False, False])
                .head(CHANGES_LISTED),
            ],
            engine="streaming",
        )
    )
    comparison = _compare(Pair(**labeled[0])) if labeled[0]["images"] else None
    message = (
        f"The shadow model answers {counts[0]['differing']:,} of {counts[0]['images']:,} images differently; "
        f"{counts[0]['differing_accepted']:,} of these answers were accepted."
    )
    if comparison:
        message += f" On the {labeled[0]['images']:,} labeled images: {comparison['conclusion']}"
    figures = {name: counts[0][name] for name in ("differing", "differing_accepted")}
    return {"model": shadow, **figures, "changes": changes, "comparison": comparison, "message": message}


def _compare(pair: Pair) -> dict[str, Any]:
    conclusion = conclude(MODEL, SHADOW, pair, pair.p_value)
    return {
        "images": pair.images,
        "only_first_right": pair.only_first,
        "only_second_right": pair.only_second,
        "difference": round(pair.difference, 6),
        "difference_interval": [round(end, 6) for end in pair.interval()],
        "p_value": float(f"{pair.p_value:.3g}"),
        "images_needed": pair.images_needed(),
        "conclusion": conclusion[0].upper() + conclusion[1:],
    }
