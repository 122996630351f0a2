"""The digit's ink at three times the size of MNIST's box, where a shear and a wider stroke leave no steps.

MNIST's own images were bitmaps, shrunk with averaging: so is what is made from this.
"""

import cv2
import numpy as np

from trainer.idx import Bytes
from trainer.normalisation.ink import NEIGHBOURHOOD
from trainer.normalisation.paper import reduced, stretched

# Pixels of the longer side.
LARGE = 60

# An edge is where ink is this, of 255; around it, contrast is doubled. Of digits of up to so many pixels, strokes fill
# few pixels wholly, and their edges are fainter. Chosen by accuracy on Optdigits, Semeion and ARDIS.
EDGE = 102
TINY = 14
TINY_EDGE = 77

# In a small picture a thin stroke is fainter than a wide one: ink is counted in shares of the most ink next to it, or
# of this where there is less, so that paper stays paper.
LEAST_FULL = np.uint8(128)


def enlarged(ink: Bytes, aspect: float = 1.0) -> Bytes:
    """The ink (h, w) uint8 with its longer side 60, its edges sharp.

    Args:
        aspect: makes it this many times as wide.
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
    most = np.maximum(cv2.dilate(ink, NEIGHBOURHOOD), LEAST_FULL)
    return np.asarray(cv2.divide(ink, most, scale=255), np.uint8)
