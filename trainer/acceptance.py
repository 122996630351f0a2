"""From which confidence on a model's answers can be accepted without a look at them.

Selective classification with a guaranteed risk: Y. Geifman, R. El-Yaniv, "Selective classification for deep neural
networks", NeurIPS 2017. A threshold passes where, if more of the answers above it were wrong than was asked, so few
mistakes would be seen with a chance of at most 5 %: C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial
limits illustrated in the case of the binomial", Biometrika 1934, one-sided. Many thresholds are tried, so they are
tested as a fixed sequence (A. N. Angelopoulos, S. Bates, E. J. Candès, M. I. Jordan, L. Lei, "Learn then test:
calibrating predictive algorithms to achieve risk control", 2021, section 2.2): from the safest down, each at 5 %,
and the last one before the first that fails is taken. The promise is then broken for at most 5 % of all models.

That holds because the sequence and its start are fixed without the answers that are counted: both come from other
held-out images, the ones that the temperature was fitted on (`trainer.calibration`). A temperature changes the order of
answers among more than two classes, so it too must not be fitted on what is counted; it is not.

It uses no NumPy, so that the web can say what a model accepts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from trainer.intervals import ERROR_CHANCE, binomial_tail, images_needed

# Where the sequence starts, so many mistakes are forgiven if the images are enough for that. With none, a model that is
# good enough fails at the start too often; more starts lower, where a weak model fails. Compared on MNIST and
# Fashion-MNIST.
FORGIVEN_AT_START = 3

# Thresholds above which 1, 2, ... 100 % of the images lie. With 20 and 50, less is accepted.
STEPS = 100


@dataclass(frozen=True)
class Acceptance:
    """Held-out answers above each threshold (0–1, falling): `accepted`, and `wrong` among them.

    `expected` is how many were expected to be accepted, judged by other images. The last threshold accepts all.
    """

    thresholds: tuple[float, ...]
    expected: tuple[float, ...]
    accepted: tuple[int, ...]
    wrong: tuple[int, ...]

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Acceptance":
        """From `as_dict`, or a copy of it that went through JSON; also of the form before `expected` was written."""
        if "expected" not in values:
            return _earlier_form(values)
        return cls(*(tuple(values[name]) for name in ("thresholds", "expected", "accepted", "wrong")))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def images(self) -> int:
        """How many held-out answers were counted."""
        return self.accepted[-1] if self.accepted else 0

    def threshold_for(self, max_error_rate: float) -> float | None:
        """The confidence above which, with 95 % confidence, no more than this share of the answers is wrong.

        None where there is none: too few images were counted, or too many of the surest answers were wrong.
        """
        place = self._place_for(max_error_rate)
        return None if place is None else self.thresholds[place]

    def share_for(self, max_error_rate: float) -> float:
        """Which share (0–1) of the held-out answers lies above that threshold; 0 where there is none."""
        place = self._place_for(max_error_rate)
        return 0.0 if place is None else self.accepted[place] / self.images

    def _place_for(self, rate: float) -> int | None:
        passed = None
        for place in range(_start(self.expected, rate), len(self.thresholds)):
            if binomial_tail(self.wrong[place], self.accepted[place], rate) > ERROR_CHANCE:
                break
            passed = place
        return passed


def why_nothing_is_accepted(acceptance: Acceptance, max_error_rate: float) -> str | None:
    """A clause about a model that says why no threshold keeps to this error rate; None where one does."""
    if acceptance.threshold_for(max_error_rate) is not None:
        return None
    promise = f"at most {max_error_rate * 100:g} % wrong (95 % confidence)"
    images, needed = acceptance.images, images_needed(max_error_rate)
    if images < needed:
        return f"this model was measured on {images:,} held-out images, and {promise} needs at least {needed:,}"
    return f"of the surest answers that this model gave to {images:,} held-out images too many were wrong for {promise}"


def _start(expected: Sequence[float], rate: float) -> int:
    """The safest threshold above which there are enough images, by what was expected, to forgive a few mistakes."""
    for forgiven in range(FORGIVEN_AT_START, -1, -1):
        # Without a mistake to spare, a few images fewer than expected would already be too few.
        chance = ERROR_CHANCE if forgiven else ERROR_CHANCE / 2
        enough = (place for place, count in enumerate(expected) if binomial_tail(forgiven, int(count), rate) <= chance)
        place = next(enough, None)
        if place is not None and (not forgiven or expected[place] <= expected[-1] / 2):
            return place
    return max(len(expected) - 1, 0)


def _earlier_form(values: Mapping[str, Any]) -> Acceptance:
    """What can be said by figures that have, for each mistake, how many answers were surer (`thresholds` rising).

    The answers in order of confidence are known by these, so the surest 1, 2, ... 100 % can be tested. That such a
    sequence keeps the promise takes one assumption more: surer answers are not more often wrong. Where exactly the
    threshold of so many answers lies is not known, so the next mistake above it is taken.
    """
    rows = list(zip(*(values[name] for name in ("thresholds", "accepted", "wrong")), strict=True))
    return Acceptance(*(tuple(column) for column in zip(*_surest(rows), strict=True)))


def _surest(rows: Sequence[tuple[float, int, int]]) -> Iterator[tuple[float, float, int, int]]:
    images = rows[0][1]
    for step in range(1, STEPS + 1):
        count = images * step // STEPS
        threshold = min((threshold for threshold, accepted, _ in rows if accepted <= count), default=1.0)
        wrong = max((row for row in rows if row[1] >= count), key=lambda row: row[0])[2]
        yield threshold, count, count, wrong
