"""What a test figure is worth after several models were scored on the same test images.

The best of several equally good models looks better than it is, by luck. G. C. Cawley, N. L. C. Talbot, "On
over-fitting in model selection and subsequent selection bias in performance evaluation", JMLR 2010. Of independent
normal scores, the best is above the mean by the expected maximum of as many standard normal draws: H. L. Harter,
"Expected values of normal order statistics", Biometrika 1961. Scores on the same images are correlated, so this is the
most to expect.

Uses no NumPy, so that the web can use it too.
"""

import math
from functools import lru_cache
from statistics import NormalDist

# The integral over ±REACH standard deviations in STEPS steps is right to six digits for up to 10,000 draws.
REACH = 8.0
STEPS = 800


def selection_optimism(accuracy: float, images: int, models: int) -> float:
    """How far (0–1) the best accuracy of several equally good models is above their true one, on average, at most.

    Args:
        accuracy: the best one, 0–1.
        images: of the test.
        models: how many were scored on it.
    """
    if not images:
        return 0.0
    return expected_maximum(models) * math.sqrt(accuracy * (1 - accuracy) / images)


def worth_after_looks(dataset: str, models: int, best: float, images: int) -> str | None:
    """What a test accuracy is worth after so many models were scored on the same test images, in a sentence.

    Args:
        best: the best accuracy of them, 0–1.

    Returns:
        None where it is worth what it says, to a hundredth of a point.
    """
    optimism = selection_optimism(best, images, models)
    if round(optimism, 4) == 0:
        return None
    return (
        f"{models:,} models have been scored on the {images:,} test images of {dataset}: the best of as many equally "
        f"good models looks up to {optimism * 100:.2f} points better than it is, by luck."
    )


@lru_cache(maxsize=1024)
def expected_maximum(draws: int) -> float:
    """The mean of the largest of `draws` standard normal values; 0 for one.

    It is the integral of 1 - F(x)^n - F(-x)^n over x > 0, for the normal distribution F.
    """
    if draws <= 1:
        return 0.0
    below, width = NormalDist().cdf, REACH / STEPS
    places = (width * (step + 0.5) for step in range(STEPS))
    return width * math.fsum(1 - below(x) ** draws - below(-x) ** draws for x in places)
