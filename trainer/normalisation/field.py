"""The digit laid into MNIST's field: its longer side 20 pixels, its centre of mass in the middle of 28×28.

The method is that of MNIST's makers: the digit is scaled to fit a 20×20 box with its aspect kept, and placed so that
its centre of mass is the field's centre (Y. LeCun, C. Cortes, C. Burges, "The MNIST database").
"""

import cv2
import numpy as np

from trainer.idx import Bytes

SIDE = 28
BOX = 20

# Row and column, from 0, of the centre of mass: in MNIST's own images it is 14.0 on average, 13.5 to 14.5 throughout.
CENTRE = 14


def boxed(ink: Bytes, box: int = BOX) -> Bytes:
    """The picture (h, w) uint8 scaled so that its longer side is 20, by area averaging."""
    scale = box / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    return np.asarray(cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def centred(box: Bytes) -> Bytes:
    """The box in a (28, 28) field, its centre of mass at the field's centre as far as the field allows."""
    height, width = box.shape
    across, down = centre_of_mass(box)
    top, left = min(max(round(CENTRE - down), 0), SIDE - height), min(max(round(CENTRE - across), 0), SIDE - width)
    field = np.zeros((SIDE, SIDE), np.uint8)
    field[top : top + height, left : left + width] = box
    return field


def centre_of_mass(ink: Bytes) -> tuple[float, float]:
    """Column and row, from 0, of a picture (h, w) uint8 that has ink."""
    moments = cv2.moments(ink)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
