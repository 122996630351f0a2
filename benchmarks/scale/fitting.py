"""Fits Gunther's Universal Scalability Law to how much is done by how many.

    X(n) = first · n / (1 + contention · (n − 1) + coherence · n · (n − 1))

`contention` is the share of the work that only one can do at a time (Amdahl's law is this one alone), `coherence` what
each pair costs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np


@dataclass(frozen=True)
class Law:
    """What is done by one, and the law's σ and κ."""

    first: float
    contention: float
    coherence: float

    def at(self, workers: float) -> float:
        lost = self.contention * (workers - 1) + self.coherence * workers * (workers - 1)
        return self.first * workers / (1 + lost)

    @property
    def best(self) -> float:
        """The number of workers from which on more do less; infinite where there is none."""
        if self.coherence == 0:
            return math.inf
        return math.sqrt(max(1.0, (1 - self.contention) / self.coherence))

    @property
    def limit(self) -> float:
        """The most that can be done, by however many."""
        if self.coherence > 0:
            return self.at(self.best)
        return self.first / self.contention if self.contention > 0 else math.inf


def fit(workers: Sequence[float], rates: Sequence[float]) -> Law:
    """The law that is nearest in relative terms.

    Turned over, it is linear in what is sought: n / X = a + b (n − 1) + c n (n − 1). Where least squares would make
    b or c negative, which means nothing, the law without it is taken; so is it where there are too few points to tell.
    """
    n, x = np.asarray(workers, float), np.asarray(rates, float)
    columns = np.stack([np.ones_like(n), n - 1, n * (n - 1)], axis=1) * (x / n)[:, None]
    best, least = np.array([1 / x[0] * n[0], 0, 0]), math.inf
    most = min(3, len(n) - 1)
    for others in chain.from_iterable(combinations((1, 2), size) for size in range(most)):
        kept = [0, *others]
        found = np.zeros(3)
        found[kept] = np.linalg.lstsq(columns[:, kept], np.ones_like(n), rcond=None)[0]
        error = float(((columns @ found - 1) ** 2).sum())
        if (found >= 0).all() and found[0] > 0 and error < least:
            best, least = found, error
    first, contention, coherence = 1 / best[0], best[1] / best[0], best[2] / best[0]
    return Law(float(first), float(contention), float(coherence))
