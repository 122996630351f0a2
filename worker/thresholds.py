"""Up to which confidence the answers of a classification go to review, and why, where that is all of them."""

from collections.abc import Sequence

from trainer.acceptance import Acceptance, why_nothing_is_accepted
from worker.parameters import ClassificationParameters
from worker.records import Model

# Above it there is no confidence.
ALL = 1.0

NOTHING = "No answer is accepted, all go to review"


def review_threshold(models: Sequence[Model], parameters: ClassificationParameters) -> float:
    """The confidence (0–1) that a person asks for, or that the model needs for the error rate that a person asks for.

    1.0, so that all answers go to review, where no measurement supports a lower one: see `why_all_are_reviewed`.
    """
    if parameters.review_below is not None:
        return parameters.review_below
    measured = _measured(models)
    threshold = measured.threshold_for(parameters.max_error_rate) if measured else None
    return ALL if threshold is None else threshold


def why_all_are_reviewed(models: Sequence[Model], parameters: ClassificationParameters) -> str | None:
    """A sentence for the person who classifies: why no answer is accepted. None where some can be."""
    if parameters.review_below is not None:
        return None
    if len(models) > 1:
        why: str | None = f"how often these {len(models)} models are wrong together was never measured"
        return f"{NOTHING}: {why}. Classify with one model, or give `review_below`."
    measured = _measured(models)
    if measured is None:
        why = "how often this model is wrong was never measured on held-out images"
    else:
        why = why_nothing_is_accepted(measured, parameters.max_error_rate)
    return f"{NOTHING}: {why}. To accept answers all the same, give `review_below`." if why else None


def accepted_share(model: Model, max_error_rate: float) -> tuple[float, float] | None:
    """Above which confidence (0–1) a model's answers are accepted, and which share (0–1) of the held-out ones that is.

    None where none are.
    """
    measured = _measured([model])
    threshold = measured.threshold_for(max_error_rate) if measured else None
    return None if measured is None or threshold is None else (threshold, measured.share_for(max_error_rate))


def _measured(models: Sequence[Model]) -> Acceptance | None:
    """What was measured of a model alone."""
    if len(models) != 1:
        return None
    values = models[0].metrics.get("calibration", {}).get("acceptance")
    return Acceptance.read(values) if values else None
