"""Places the digit in MNIST's field: longer side 20 pixels, center of mass in the middle of 28×28.

A field of another size is that one scaled: the box has 20/28 of the field's shorter side.

The method is MNIST's: the digit is scaled to fit a 20×20 box with its aspect ratio kept, and placed so that its center
of mass is the field's center (Y. LeCun, C. Cortes, C. Burges, "The MNIST database").
"""

import cv2
import numpy as np

from tenfold.trainer.arrays import Bytes

SIDE = 28
BOX = 20

# Row and column of the center of mass: in MNIST's images 14.0 on average, 13.5 to 14.5 in all.
CENTER = 14


def boxed(ink: Bytes, box: int = BOX) -> Bytes:
    """Scale the image (h, w) uint8 by area averaging so that its longer side is `box` pixels."""
    scale = box / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    return np.asarray(cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def scaled_to(shape: tuple[int, ...], pixels: float) -> int:
    """A length of MNIST's 28×28 field in a field (h, w) of this shape."""
    return max(1, round(pixels * min(shape) / SIDE))


def centered(box: Bytes, shape: tuple[int, ...] = (SIDE, SIDE)) -> Bytes:
    """Place the box in a field (h, w), its center of mass as near to the field's center as the borders allow."""
    height, width = box.shape
    across, down = center_of_mass(box)
    top = min(max(round(shape[0] / 2 - down), 0), shape[0] - height)
    left = min(max(round(shape[1] / 2 - across), 0), shape[1] - width)
    field = np.zeros(shape, np.uint8)
    field[top : top + height, left : left + width] = box
    return field


def center_of_mass(ink: Bytes) -> tuple[float, float]:
    """Column and row of the center of mass of an image (h, w) uint8 that has ink."""
    moments = cv2.moments(ink)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
