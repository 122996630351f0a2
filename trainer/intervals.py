"""How far a share that was counted can be from the true one."""

# Of the normal distribution, 95 % lies within so many standard deviations of its mean.
Z_95 = 1.96


def wilson(count: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """The interval, in 0–1, that holds the true share with 95 % confidence when `count` of `of` were seen.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927: unlike the textbook's
    interval it is right for shares near 0 and 1. Of nothing, nothing is known: (0, 1).
    """
    if not of:
        return 0.0, 1.0
    share, spread = count / of, z * z / of
    middle = share + spread / 2
    reach = z * (share * (1 - share) / of + spread / (4 * of)) ** 0.5
    return max((middle - reach) / (1 + spread), 0.0), min((middle + reach) / (1 + spread), 1.0)
