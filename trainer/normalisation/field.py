"""The digit laid into MNIST's field: its longer side 20 pixels, its centre of mass in the middle of 28×28.

The method is that of MNIST's makers: the digit is scaled to fit a 20×20 box with its aspect kept, and placed so that
its centre of mass is the field's centre (Y. LeCun, C. Cortes, C. Burges, "The MNIST database").
"""

import cv2
import numpy as np

from trainer.idx import Bytes
from trainer.normalisation.ink import MARK
from trainer.normalisation.strokes import evened

SIDE = 28
BOX = 20

# Row and column, from 0, of the centre of mass: in MNIST's own images it is 14.0 on average, 13.5 to 14.5 throughout.
CENTRE = 14

# A digit that fills a square picture to all four borders was stretched to it, as Semeion's are: those that MNIST's
# makers cropped are 0.8 times as wide as high (median; half of them 0.65 to 0.95). Chosen by accuracy on Semeion.
STRETCHED_ASPECT = 0.7
STRETCHED_BOX = 18

# When growing, the outermost pixels are ink in part only: the digit is taken as this much longer, in its own pixels.
SOFT_EDGE = 0.5


def boxed(ink: Bytes) -> Bytes:
    """The inked part of (h, w) uint8, scaled so that its longer side is 20, its strokes as wide as MNIST's."""
    marks = ink > MARK
    marks = marks if marks.any() else ink > 0
    rows, columns = np.flatnonzero(marks.any(axis=1)), np.flatnonzero(marks.any(axis=0))
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = cropped.shape
    if cropped.shape == ink.shape and height == width:
        return evened(_scaled(cropped, STRETCHED_BOX, STRETCHED_ASPECT))
    return evened(_scaled(cropped, BOX, 1.0))


def centred(box: Bytes) -> Bytes:
    """The box in a (28, 28) field, its centre of mass at the field's centre as far as the field allows."""
    field = np.zeros((SIDE, SIDE), np.uint8)
    corner = []
    for axis, side in enumerate(box.shape):
        profile = box.sum(axis=1 - axis, dtype=np.float64)
        centre = float(profile @ np.arange(side) / profile.sum())
        corner.append(min(max(round(CENTRE - centre), 0), SIDE - side))
    top, left = corner
    field[top : top + box.shape[0], left : left + box.shape[1]] = box
    return field


def _scaled(cropped: Bytes, box: int, aspect: float) -> Bytes:
    """Area averaging when shrinking, bicubic when growing; there the outermost ink fades out as far as the box goes."""
    longer = max(cropped.shape)
    if longer >= box:
        scale, method = box / longer, cv2.INTER_AREA
    else:
        scale, method = box / (longer + SOFT_EDGE), cv2.INTER_CUBIC
        cropped = np.pad(cropped, 1)
    height, width = cropped.shape
    size = max(1, round(width * aspect * scale)), max(1, round(height * scale))
    grown = np.asarray(cv2.resize(cropped, size, interpolation=method), np.uint8)
    top, left = (max(0, side - BOX) // 2 for side in grown.shape)
    return grown[top : top + BOX, left : left + BOX]
