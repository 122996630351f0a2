"""Up to which confidence the answers of a classification go to review."""

from collections.abc import Sequence

from trainer.acceptance import Acceptance
from worker.parameters import ClassificationParameters
from worker.records import Model


def review_threshold(models: Sequence[Model], parameters: ClassificationParameters) -> float:
    """The confidence (0–1) that a person asks for, or that the models need for the error rate that a person asks for.

    Of several models it is that of the one that asks the most, since how often they are wrong together was not
    measured; a model that was never measured is taken at its word.
    """
    if parameters.review_below is not None:
        return parameters.review_below
    measured = [model.metrics.get("calibration", {}).get("acceptance") for model in models]
    return max(
        Acceptance.read(curve).threshold_for(parameters.max_error_rate) if curve else 1 - parameters.max_error_rate
        for curve in measured
    )
