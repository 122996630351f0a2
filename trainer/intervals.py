"""How far a share that was counted can be from the true one."""

import math

# Of the normal distribution, 95 % lies within so many standard deviations of its mean.
Z_95 = 1.96

# How often a statement of 95 % confidence may be wrong.
ERROR_CHANCE = 0.05


def wilson(count: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """The interval, in 0–1, that holds the true share with 95 % confidence when `count` of `of` were seen.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927: unlike the textbook's
    interval it is right for shares near 0 and 1. Of nothing, nothing is known: (0, 1). It is an approximation, for
    showing; a promise takes `binomial_tail`.
    """
    if not of:
        return 0.0, 1.0
    share, spread = count / of, z * z / of
    middle = share + spread / 2
    reach = z * (share * (1 - share) / of + spread / (4 * of)) ** 0.5
    return max((middle - reach) / (1 + spread), 0.0), min((middle + reach) / (1 + spread), 1.0)


def binomial_tail(count: int, of: int, rate: float) -> float:
    """The chance (0–1, exact) to see at most `count` of `of` where each happens with this rate (0 < rate < 1).

    It is at most 0.05 if and only if Clopper and Pearson's one-sided upper bound of 95 % confidence is at most `rate`.
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
    """The fewest images that, with none wrong, tell with 95 % confidence that at most this share is: 598 for 0.5 %."""
    return math.ceil(math.log(ERROR_CHANCE) / math.log1p(-rate))
