"""From which confidence on a model's answers can be accepted without a look at them.

This is selective classification with a guaranteed risk (Y. Geifman, R. El-Yaniv, "Selective classification for deep
neural networks", NeurIPS 2017), with Wilson's bound on the share of wrong answers.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.intervals import wilson

# As fine as a person could ask for, and a few KB in `metrics.json`.
MOST_THRESHOLDS = 500


@dataclass(frozen=True)
class Acceptance:
    """Held-out images whose confidence is above each threshold (0–1, rising): `accepted`, and `wrong` among them."""

    thresholds: tuple[float, ...]
    accepted: tuple[int, ...]
    wrong: tuple[int, ...]

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Acceptance":
        """From `as_dict`, or a copy of it that went through JSON."""
        return cls(*(tuple(values[name]) for name in ("thresholds", "accepted", "wrong")))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def threshold_for(self, max_error_rate: float) -> float:
        """The least threshold above which, with 95 % confidence, no more than this share of the answers is wrong.

        1.0, above which there is nothing, where the model cannot be that sure.
        """
        for threshold, accepted, wrong in zip(self.thresholds, self.accepted, self.wrong, strict=True):
            if wilson(wrong, accepted)[1] <= max_error_rate:
                return threshold
        return 1.0


def measure_acceptance(confidence: npt.NDArray[np.floating], right: npt.NDArray[np.bool_]) -> Acceptance:
    """What is accepted at the confidences of the wrong answers, where the share of them changes.

    Args:
        confidence: (n,) in 0–1, of images that the model did not learn from.
        right: (n,) whether each answer was.
    """
    mistakes = np.sort(confidence[~right])
    if len(mistakes) > MOST_THRESHOLDS:
        mistakes = mistakes[np.linspace(0, len(mistakes) - 1, MOST_THRESHOLDS).round().astype(int)]
    thresholds = np.unique(np.concatenate([[0.0], mistakes]))
    accepted = len(confidence) - np.searchsorted(np.sort(confidence), thresholds, side="right")
    wrong = (~right).sum() - np.searchsorted(np.sort(confidence[~right]), thresholds, side="right")
    return Acceptance(tuple(thresholds.tolist()), tuple(accepted.tolist()), tuple(wrong.tolist()))
