"""Chooses the confidence up to which answers are reviewed, and explains why all are, if so."""

from collections.abc import Sequence

from tenfold.trainer.evaluation.acceptance import Acceptance, why_nothing_is_accepted
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.db.records import Model

# No confidence is above it.
ALL = 1.0

NOTHING = "No answers are accepted, all must be reviewed"


def review_threshold(models: Sequence[Model], parameters: ClassificationParameters) -> float:
    """The confidence (0–1) up to which answers are reviewed: `review_below`, else as measured for `max_error_rate`.

    1.0, so that all answers are reviewed, if no measurement supports a lower one: see `why_all_are_reviewed`.
    """
    if parameters.review_below is not None:
        return parameters.review_below
    measured = _measured(models)
    threshold = measured.threshold_for(parameters.max_error_rate) if measured else None
    return ALL if threshold is None else threshold


def why_all_are_reviewed(models: Sequence[Model], parameters: ClassificationParameters) -> str | None:
    """A sentence on why no answer is accepted; None if some can be."""
    if parameters.review_below is not None:
        return None
    if len(models) > 1:
        why: str | None = f"the error rate of these {len(models)} models together was not measured"
        return f"{NOTHING}: {why}. Classify with one model, or set `review_below`."
    measured = _measured(models)
    if measured is None:
        why = "the error rate of this model was not measured on held-out images, as models trained now are"
    else:
        why = why_nothing_is_accepted(measured, parameters.max_error_rate)
    return f"{NOTHING}: {why}. To accept answers anyway, set `review_below`." if why else None


def accepted_share(model: Model, max_error_rate: float) -> tuple[float, float] | None:
    """The confidence (0–1) above which a model's answers are accepted, and their share (0–1) of held-out images.

    None if no answers are accepted.
    """
    measured = _measured([model])
    threshold = measured.threshold_for(max_error_rate) if measured else None
    return None if measured is None or threshold is None else (threshold, measured.share_for(max_error_rate))


def _measured(models: Sequence[Model]) -> Acceptance | None:
    """The measurement of a single model; None without one, also when it is in the form of an early 0.1."""
    if len(models) != 1:
        return None
    values = models[0].metrics.get("calibration", {}).get("acceptance")
    return Acceptance.read(values) if values and "expected" in values else None
