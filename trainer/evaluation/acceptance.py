"""Chooses the confidence above which a model's answers are accepted without review.

Selective classification with a guaranteed risk: Y. Geifman, R. El-Yaniv, "Selective classification for deep neural
networks", NeurIPS 2017. A threshold passes if, were more of the answers above it wrong than allowed, so few mistakes
would be seen with a probability of at most 5 %: C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits
illustrated in the case of the binomial", Biometrika 1934, one-sided. Many thresholds are tried, so they are tested as
a fixed sequence (A. N. Angelopoulos, S. Bates, E. J. Candès, M. I. Jordan, L. Lei, "Learn then test: calibrating
predictive algorithms to achieve risk control", 2021, section 2.2): from the safest down, each at 5 %, and the last one
before the first failure is taken. The promise then fails for at most 5 % of all models.

This holds because the sequence and its start are fixed without looking at the answers that are counted: both come from
other held-out images, the ones that the temperature was fitted on (`trainer.evaluation.calibration`). A temperature
changes the order of answers among more than two classes, so it must not be fitted on the counted images either.

Uses no NumPy, so that the web can use it too.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

# The normal distribution's 95 % interval is this many standard deviations on each side of the mean.
Z_95 = 1.96

# How often a statement with 95 % confidence may be wrong.
ERROR_CHANCE = 0.05

# Number of mistakes allowed at the start of the sequence, if there are enough images for it. With 0, a good model fails
# at the start too often; with more, the sequence starts lower, where a weak model fails. Compared on MNIST and
# Fashion-MNIST.
MISTAKES_ALLOWED_AT_START = 3

# Thresholds above which 1, 2, ... 100 % of the images lie. With 20 and 50, fewer answers are accepted.
STEPS = 100


@dataclass(frozen=True)
class Acceptance:
    """Held-out answers above each threshold (0–1, falling): `accepted`, and `wrong` among them.

    `expected` is how many were expected to be accepted, estimated on other images. The last threshold accepts all.
    """

    thresholds: tuple[float, ...]
    expected: tuple[float, ...]
    accepted: tuple[int, ...]
    wrong: tuple[int, ...]

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Acceptance":
        """From `as_dict`, or a copy of it that went through JSON."""
        return cls(*(tuple(values[name]) for name in ("thresholds", "expected", "accepted", "wrong")))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def images(self) -> int:
        """How many held-out answers were counted."""
        return self.accepted[-1] if self.accepted else 0

    def threshold_for(self, max_error_rate: float) -> float | None:
        """The confidence above which, with 95 % confidence, at most this share of the answers is wrong.

        None if there is none: too few images were counted, or too many of the most confident answers were wrong.
        """
        index = self._index_for(max_error_rate)
        return None if index is None else self.thresholds[index]

    def share_for(self, max_error_rate: float) -> float:
        """The share (0–1) of held-out answers above that threshold; 0 if there is no threshold."""
        index = self._index_for(max_error_rate)
        return 0.0 if index is None else self.accepted[index] / self.images

    def _index_for(self, rate: float) -> int | None:
        passed = None
        for index in range(_start(self.expected, rate), len(self.thresholds)):
            if binomial_tail(self.wrong[index], self.accepted[index], rate) > ERROR_CHANCE:
                break
            passed = index
        return passed


def why_nothing_is_accepted(acceptance: Acceptance, max_error_rate: float) -> str | None:
    """Why no threshold meets this error rate, as part of a sentence; None if one does."""
    if acceptance.threshold_for(max_error_rate) is not None:
        return None
    promise = f"at most {max_error_rate * 100:g} % wrong (95 % confidence)"
    images, needed = acceptance.images, images_needed(max_error_rate)
    if images < needed:
        return f"this model was measured on {images:,} held-out images, and {promise} needs at least {needed:,}"
    answers = f"this model's most confident answers to {images:,} held-out images"
    return f"too many of {answers} were wrong to promise {promise}"


def wilson(count: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """The interval, in 0–1, that holds the true share with 95 % confidence if `count` of `of` were seen.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927: unlike the textbook's
    interval it is accurate for shares near 0 and 1. If `of` is 0, it is (0, 1). An approximation, for display; a
    promise needs `binomial_tail`.
    """
    if not of:
        return 0.0, 1.0
    share, spread = count / of, z * z / of
    middle = share + spread / 2
    reach = z * (share * (1 - share) / of + spread / (4 * of)) ** 0.5
    return max((middle - reach) / (1 + spread), 0.0), min((middle + reach) / (1 + spread), 1.0)


def binomial_tail(count: int, of: int, rate: float) -> float:
    """The exact probability (0–1) of at most `count` events in `of` trials, each with probability `rate` (0–1).

    It is at most 0.05 if and only if Clopper and Pearson's one-sided 95 % upper bound is at most `rate`.
    """
    if count >= of:
        return 1.0
    ways, rare, usual = math.lgamma(of + 1), math.log(rate), math.log1p(-rate)
    terms = (
        math.exp(ways - math.lgamma(seen + 1) - math.lgamma(of - seen + 1) + seen * rare + (of - seen) * usual)
        for seen in range(count + 1)
    )
    return min(math.fsum(terms), 1.0)


def images_needed(rate: float) -> int:
    """The fewest images that, with none wrong, prove with 95 % confidence at most this error rate: 598 for 0.5 %."""
    return math.ceil(math.log(ERROR_CHANCE) / math.log1p(-rate))


def _start(expected: Sequence[float], rate: float) -> int:
    """The safest threshold with enough images above it, as expected, to allow a few mistakes."""
    for allowed in range(MISTAKES_ALLOWED_AT_START, -1, -1):
        # If no mistake is allowed, a few images fewer than expected would already be too few.
        chance = ERROR_CHANCE if allowed else ERROR_CHANCE / 2
        enough = (index for index, count in enumerate(expected) if binomial_tail(allowed, int(count), rate) <= chance)
        index = next(enough, None)
        if index is not None and (not allowed or expected[index] <= expected[-1] / 2):
            return index
    return max(len(expected) - 1, 0)
