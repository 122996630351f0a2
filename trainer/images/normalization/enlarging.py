"""Enlarges the digit to three times MNIST's box, where shearing and changes of stroke width leave no steps.

MNIST's images are bitmaps that were shrunk by averaging; the enlarged digit is shrunk in the same way.
"""

import cv2
import numpy as np

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images.normalization.ink import NEIGHBORHOOD
from tenfold.trainer.images.normalization.paper import reduced, stretched

# Pixels of the longer side.
LARGE = 60

# An edge is where ink has this value; contrast is doubled around it. Strokes of digits up to `TINY` pixels fill few
# pixels completely, so their edges are fainter. Chosen by accuracy on Optdigits, Semeion and ARDIS.
EDGE = 102
TINY = 14
TINY_EDGE = 77

# In a small image thin strokes are fainter than wide ones: ink is divided by the maximum of its neighborhood, or by
# this if that is less, so that paper stays paper.
MIN_FULL = np.uint8(128)


def enlarged(ink: Bytes, aspect: float = 1.0) -> Bytes:
    """Scale the ink (h, w) uint8 so that its longer side is 60, with sharp edges.

    Args:
        aspect: an additional factor for the width.
    """
    longer = max(ink.shape)
    edge = TINY_EDGE if longer <= TINY else EDGE
    if longer < LARGE:
        scale, method = LARGE / longer, cv2.INTER_CUBIC
        ink = _as_full_everywhere(np.asarray(cv2.copyMakeBorder(ink, 2, 2, 2, 2, cv2.BORDER_CONSTANT), np.uint8))
    else:
        ink = reduced(ink, longer // LARGE)
        scale, method = LARGE / max(ink.shape), cv2.INTER_LINEAR
    height, width = ink.shape
    size = max(1, round(width * aspect * scale)), max(1, round(height * scale))
    large = np.asarray(cv2.resize(ink, size, interpolation=method), np.uint8)
    return stretched(large, edge - 64, edge + 64)


def _as_full_everywhere(ink: Bytes) -> Bytes:
    most = np.maximum(cv2.dilate(ink, NEIGHBORHOOD), MIN_FULL)
    return np.asarray(cv2.divide(ink, most, scale=255), np.uint8)
