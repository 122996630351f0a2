"""Compares classifiers that answered the same labeled images: which one is better, and how sure that is.

Every image is answered by both models, so only the images on which exactly one of them is right tell them apart:

- McNemar's exact test: if the models are equally good, each such image is a fair coin's toss. Q. McNemar, "Note on the
  sampling error of the difference between correlated proportions or percentages", Psychometrika 1947; advised for
  classifiers by T. G. Dietterich, "Approximate statistical tests for comparing supervised classification learning
  algorithms", Neural Computation 1998.
- The paired bootstrap of the difference, percentile method: B. Efron, R. J. Tibshirani, "An introduction to the
  bootstrap", 1993, chapter 13. To resample images is to draw the counts from a multinomial distribution, so the
  bootstrap's distribution is computed, not simulated. One image is added to each of the two counts, as by
  D. G. Bonett, R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on
  paired data", Journal of Educational and Behavioral Statistics 2012: without it the interval of few differing images
  is too narrow, and that of none has no width. Of the intervals 95 % or more hold the true difference, but 93.5 % in
  the worst case found: one model is never wrong alone, and some six images differ.
- Holm's correction for several comparisons: S. Holm, "A simple sequentially rejective multiple test procedure",
  Scandinavian Journal of Statistics 1979.
- Images needed: R. J. Connor, "Sample size for testing differences in proportions for the paired-sample design",
  Biometrics 1987.

Uses no Keras.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from tenfold.trainer.evaluation.acceptance import ERROR_CHANCE, binomial_tail, wilson

# The chance that the needed images show a difference that is there.
POWER = 0.8

ASSUMPTIONS = (
    "The number of images needed assumes that the models keep differing at the rates seen here, and gives an 80 % "
    "chance to find the difference at a significance of 5 %, two-sided (Connor 1987)."
)

# Added to each count of differing images before the bootstrap (Bonett and Price).
ADDED = 1

# Standard deviations of the bootstrap's distribution that are computed; beyond them less than 1e-20 is left out.
REACH = 12


@dataclass(frozen=True)
class Score:
    """A model's `right` answers among `images`."""

    right: int
    images: int

    @property
    def accuracy(self) -> float:
        return self.right / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """The accuracy's 95 % interval by Wilson's method, 0–1."""
        return wilson(self.right, self.images)


@dataclass(frozen=True)
class Pair:
    """Two models' answers to `images` images: how often only the first and only the second was right.

    Raises:
        ValueError: there are no images, or the counts are no parts of them.
    """

    images: int
    only_first: int
    only_second: int

    def __post_init__(self) -> None:
        if min(self.only_first, self.only_second) < 0 or not self.differing <= self.images or not self.images:
            raise ValueError(f"{self.only_first} and {self.only_second} are no parts of {self.images} images.")

    @property
    def differing(self) -> int:
        """Images on which exactly one model is right."""
        return self.only_first + self.only_second

    @property
    def difference(self) -> float:
        """The second's accuracy less the first's, -1 to 1."""
        return (self.only_second - self.only_first) / self.images

    @property
    def p_value(self) -> float:
        """McNemar's exact test, two-sided: how probable so uneven counts are between equally good models."""
        return min(2 * binomial_tail(min(self.only_first, self.only_second), self.differing, 0.5), 1.0)

    def interval(self, confidence: float = 1 - ERROR_CHANCE) -> tuple[float, float]:
        """The paired bootstrap's interval of `difference`, -1 to 1.

        Args:
            confidence: the share (0–1) of intervals that should hold the true difference.
        """
        images = self.images + 2 * ADDED
        first, second = (self.only_first + ADDED) / images, (self.only_second + ADDED) / images
        values, chances = _bootstrap(images, first, second)
        cumulated = np.cumsum(chances)
        tail = (1 - confidence) / 2
        low, high = (values[np.searchsorted(cumulated, share)] / images for share in (tail, 1 - tail))
        return max(float(low), -1.0), min(float(high), 1.0)

    def images_needed(self, power: float = POWER) -> int | None:
        """The images of a test that would tell the models apart, were their rates those seen here; None if equal.

        Args:
            power: the chance (0–1) that it does, at a significance of 5 %, two-sided.
        """
        if not self.difference:
            return None
        differing, difference = self.differing / self.images, abs(self.difference)
        standard = NormalDist()
        reach = standard.inv_cdf(1 - ERROR_CHANCE / 2) * math.sqrt(differing)
        reach += standard.inv_cdf(power) * math.sqrt(max(differing - difference**2, 0.0))
        return math.ceil((reach / difference) ** 2)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values (0–1) corrected for being several, in the given order."""
    corrected, least = [0.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min((len(p_values) - place) * p_values[index], 1.0))
        corrected[index] = least
    return corrected


def told_apart(pair: Pair, p_value: float) -> bool:
    """Whether the models differ: the test says so at 5 %, and the interval doesn't hold 0.

    Args:
        p_value: that of the pair, corrected if it is one of several.
    """
    low, high = pair.interval()
    return p_value < ERROR_CHANCE and not low <= 0 <= high


def conclude(first: str, second: str, pair: Pair, p_value: float) -> str:
    """What may be concluded, in a sentence or two.

    Args:
        first, second: the models' names.
        p_value: as `told_apart`.
    """
    low, high = pair.interval()
    chance = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    if told_apart(pair, p_value):
        better, worse = (second, first) if pair.difference > 0 else (first, second)
        ends = sorted((abs(low), abs(high)))
        return (
            f"{better} is better than {worse} by {_points(abs(pair.difference))} points, 95 % interval "
            f"{_points(ends[0])} to {_points(ends[1])}, {chance}."
        )
    seen = (
        f"No difference can be told between {first} and {second}: {second} less {first} is "
        f"{_signed(pair.difference)} points, 95 % interval {_signed(low)} to {_signed(high)}, {chance}."
    )
    return f"{seen} {_remedy(pair)}"


def _remedy(pair: Pair) -> str:
    needed = pair.images_needed()
    if needed is None:
        return "They were right equally often, so more images would hardly tell them apart."
    more = needed - pair.images
    if more <= 0:
        return "As many other images again could tell them apart."
    return f"About {_rounded(more):,} more images are needed to tell them apart."


def _bootstrap(images: int, first: float, second: float) -> tuple[np.ndarray, np.ndarray]:
    """The possible differences of counts, ascending, and the chance of each.

    The counts of `images` draws are multinomial, so the characteristic function of their difference is
    (1 - first - second + first·e^-it + second·e^it)^images; its inverse Fourier transform are the chances.
    """
    mean, spread = images * (second - first), math.sqrt(images * (first + second - (second - first) ** 2))
    reach = math.ceil(REACH * spread) + REACH
    low, high = max(math.floor(mean) - reach, -images), min(math.ceil(mean) + reach, images)
    values = np.arange(low, high + 1)
    turns = np.exp(2j * np.pi * np.arange(len(values)) / len(values))
    factors = (1 - first - second + first / turns + second * turns) ** images * turns**-low
    return values, np.maximum(np.fft.fft(factors).real / len(values), 0)


def _points(share: float) -> str:
    return f"{share * 100:.2f}"


def _signed(share: float) -> str:
    return f"{round(share * 100, 2) + 0.0:+.2f}".replace("-", "−").replace("+0.00", "0.00")


def _rounded(count: int) -> int:
    """To two digits, so that the estimate doesn't look exact."""
    digits = max(len(str(count)) - 2, 0)
    unit = int(10**digits)
    return math.ceil(count / unit) * unit
