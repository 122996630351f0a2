"""Slant taken away as far as it is more than most of MNIST's own digits have."""

import math

import cv2
import numpy as np

from trainer.idx import Bytes

# Columns to the right for each row up: 14 degrees. Of MNIST's digits half have -0.06 to 0.31, and nine tenths have
# -0.34 to 0.58: the bound is chosen by accuracy on ARDIS and Semeion.
MOST_SLANT = 0.25

# A shear by less than this moves nothing by a pixel of MNIST's.
LEAST_SHEAR = 0.02


def upright(large: Bytes) -> Bytes:
    """The ink (h, w) uint8 sheared so that it slants by at most 14 degrees; its height stays, its width may grow."""
    excess = slant(large)
    excess -= min(max(excess, -MOST_SLANT), MOST_SLANT)
    if abs(excess) < LEAST_SHEAR:
        return large
    height, width = large.shape
    shear = np.array([[1, excess, max(0.0, -excess) * height], [0, 1, 0]])
    size = width + math.ceil(abs(excess) * height), height
    return np.asarray(cv2.warpAffine(large, shear, size, flags=cv2.INTER_LINEAR), np.uint8)


def slant(ink: Bytes) -> float:
    """By how many columns the ink (h, w) uint8 moves to the right for each row up, by its second moments."""
    moments = cv2.moments(ink)
    return -moments["mu11"] / moments["mu02"] if moments["mu02"] else 0.0
