"""Brings a picture of a digit to what MNIST's own images are: light ink on dark, 28×28, cropped and centred.

One module a step: `paper` shrinks photos and takes the paper away, `polarity` votes on what is ink, `ink` finds the
digit's, `field` scales and centres it, `strokes` evens its strokes. What each is worth: docs/normalisation.md.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from trainer.idx import Bytes
from trainer.normalisation.field import BOX, CENTRE, SIDE, boxed, centred
from trainer.normalisation.ink import digit_of, ink_of
from trainer.normalisation.paper import flattened, shrunk
from trainer.normalisation.polarity import Polarity, polarity_of

__all__ = ["BOX", "CENTRE", "SIDE", "Method", "NormaliseMode", "Normalised", "Polarity", "normalise", "steps"]

# Of MNIST's 70,000 images none has less exact black, and none has its centre of mass further off the centre.
MNIST_LEAST_BLACK = 0.5
MNIST_OFF_CENTRE = 0.53

NormaliseMode = Literal["auto", "none"]
Method = Literal["as-is", "mnist", "resized"]


@dataclass(frozen=True)
class Normalised:
    """An image as the model sees it: `pixels` (28, 28) uint8, light ink on dark.

    `method` is `as-is` for an image that was in MNIST's form already, `mnist` for one that was brought to it, and
    `resized` for one that was only scaled. `polarity` is that of the image as it came.
    """

    pixels: Bytes
    method: Method
    polarity: Polarity


def normalise(grey: Bytes, mode: NormaliseMode = "auto", polarity: Literal["auto"] | Polarity = "auto") -> Normalised:
    """Bring an image (h, w) uint8 to MNIST's form. An image without contrast becomes all dark.

    Args:
        mode: `none` only scales to 28×28, whatever the polarity.
        polarity: that of the image where it is known; `auto` finds out.
    """
    if mode == "none":
        return Normalised(_resized(grey), "resized", "light-on-dark")
    if polarity != "dark-on-light" and _is_mnist(grey):
        return Normalised(grey, "as-is", "light-on-dark")
    contrast = flattened(shrunk(grey))
    found = polarity_of(contrast) if polarity == "auto" else polarity
    ink = digit_of(ink_of(-contrast if found == "dark-on-light" else contrast))
    pixels = centred(boxed(ink)) if ink.any() else np.zeros((SIDE, SIDE), np.uint8)
    return Normalised(pixels, "mnist", found)


def steps(grey: Bytes) -> list[tuple[str, Bytes]]:
    """The picture (h, w) uint8 after each step of `normalise`, with the step's name, for people to look at."""
    seen = [("as it came", grey)]
    if _is_mnist(grey):
        return seen
    small = shrunk(grey)
    contrast = flattened(small)
    seen += [("shrunk", small), ("paper taken away", (127.5 + contrast / 2).clip(0, 255).astype(np.uint8))]
    found = polarity_of(contrast)
    ink = ink_of(-contrast if found == "dark-on-light" else contrast)
    seen += [(f"ink, {found}", ink), ("the digit's ink", digit_of(ink))]
    if not ink.any():
        return seen
    box = boxed(digit_of(ink))
    return [*seen, ("scaled, strokes evened", box), ("centred", centred(box))]


def _is_mnist(grey: Bytes) -> bool:
    if grey.shape != (SIDE, SIDE) or grey.max() <= 128 or np.count_nonzero(grey) > (1 - MNIST_LEAST_BLACK) * grey.size:
        return False
    _, _, width, height = cv2.boundingRect(grey)
    mass = cv2.moments(grey)
    centre = mass["m10"] / mass["m00"], mass["m01"] / mass["m00"]
    return max(width, height) <= BOX and all(abs(place - CENTRE) <= MNIST_OFF_CENTRE for place in centre)


def _resized(grey: Bytes) -> Bytes:
    """Area averaging when shrinking, bilinear when growing."""
    shrinking = min(grey.shape) >= SIDE
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=method), np.uint8)
