"""Turns an image file into what MNIST's own images are: light ink on dark, 28×28, cropped and centred.

The method is that of MNIST's makers: the digit is scaled to fit a 20×20 box with its aspect kept, and placed so
that its centre of mass is the centre of the 28×28 field (Y. LeCun, C. Cortes, C. Burges, "The MNIST database").
"""

import io
import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from trainer.errors import ImageUnreadable
from trainer.idx import Bytes

SIDE = 28
BOX = 20

# Row and column, from 0, of the centre of mass: in MNIST's own images it is 14.0 on average, 13.5 to 14.5 throughout.
CENTRE = 14

# A phone's camera gives 12 million; larger images are refused from their header, before they are decoded.
MOST_PIXELS = 50_000_000

# Contrast below this (of 255) is an empty sheet: paper grain and scanner noise stay under it.
LEAST_CONTRAST = 12

# Of MNIST's 70,000 images none has less exact black than this, or more ink on its outermost pixels.
MNIST_LEAST_BLACK = 0.5
MNIST_MOST_BORDER_INK = 0.05

NormaliseMode = Literal["auto", "none"]
Method = Literal["as-is", "mnist", "resized"]
Polarity = Literal["light-on-dark", "dark-on-light"]


@dataclass(frozen=True)
class Normalised:
    """An image as the model sees it: `pixels` (28, 28) uint8, light ink on dark.

    `method` is `as-is` for an image that was in MNIST's form already, `mnist` for one that was brought to it, and
    `resized` for one that was only scaled. `polarity` is that of the image as it came.
    """

    pixels: Bytes
    method: Method
    polarity: Polarity


def read_image(data: bytes) -> Bytes:
    """The image in a file's bytes as grey (h, w) uint8, upright, with transparency laid on white paper.

    Raises:
        ImageUnreadable: the bytes are no image, a damaged one, or one of more than 50 million pixels.
    """
    if not data:
        raise ImageUnreadable("the file is empty (0 bytes)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise ImageUnreadable(
                        f"is {image.width}×{image.height} pixels; the most is {MOST_PIXELS // 10**6} million"
                    )
                return _grey(ImageOps.exif_transpose(image))
    except ImageUnreadable:
        raise
    except Image.DecompressionBombError as error:
        raise ImageUnreadable(f"is far too large: {error}") from error
    except Exception as error:  # Pillow's decoders raise many kinds of errors on damaged files
        raise ImageUnreadable(f"is no image that can be read: {_without_address(error)}") from error


def normalise(grey: Bytes, *, mode: NormaliseMode = "auto") -> Normalised:
    """Bring an image (h, w) uint8 to MNIST's form.

    An image without contrast becomes all dark. With `none` it is only scaled to 28×28.
    """
    if mode == "none":
        return Normalised(_resize(grey, SIDE, SIDE), "resized", "light-on-dark")
    if _is_mnist(grey):
        return Normalised(grey, "as-is", "light-on-dark")
    polarity = _polarity(grey)
    ink = _ink(255 - grey if polarity == "dark-on-light" else grey)
    if not ink.any():
        return Normalised(np.zeros((SIDE, SIDE), np.uint8), "mnist", polarity)
    return Normalised(_centred(_boxed(ink)), "mnist", polarity)


def _grey(image: Image.Image) -> Bytes:
    if image.mode.startswith("I") or image.mode == "F":
        return _stretched_to_bytes(np.asarray(image, np.float64))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        coloured = image.convert("RGBA")
        paper = Image.new("RGBA", coloured.size, "white")
        image = Image.alpha_composite(paper, coloured)
    return np.asarray(image.convert("L"))


def _stretched_to_bytes(values: npt.NDArray[np.float64]) -> Bytes:
    """16-bit integers and floats in 0–1 have fixed ranges; any other is stretched to its own."""
    least, most = float(values.min()), float(values.max())
    top = 1.0 if least >= 0 and most <= 1 else 65535.0 if least >= 0 and 255 < most <= 65535 else 255.0
    if least < 0 or most > top:
        values, top = values - least, max(most - least, 1.0)
    return np.round(values * (255 / top)).astype(np.uint8)


def _is_mnist(grey: Bytes) -> bool:
    if grey.shape != (SIDE, SIDE):
        return False
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    return bool(
        grey.max() > 128 and np.mean(grey == 0) >= MNIST_LEAST_BLACK and np.mean(border > 64) <= MNIST_MOST_BORDER_INK
    )


def _polarity(grey: Bytes) -> Polarity:
    """Ink is what there is less of; where both are about equal, what the border shows is the paper."""
    threshold = _otsu(grey)
    light = float(np.mean(grey > threshold))
    if 0.35 < light < 0.65:
        border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        light = float(np.mean(border > threshold))
    return "dark-on-light" if light > 0.5 else "light-on-dark"


def _ink(light_on_dark: Bytes) -> Bytes:
    """The image with its paper at 0 and its ink stretched to 255; all 0 when there is no contrast."""
    values = light_on_dark.astype(np.float32)
    threshold = _otsu(light_on_dark)
    paper, marks = values[values <= threshold], values[values > threshold]
    if not marks.size or not paper.size:
        return np.zeros_like(light_on_dark)
    low = float(np.median(paper))
    high = float(np.percentile(marks, 90))
    if high - low < LEAST_CONTRAST:
        return np.zeros_like(light_on_dark)
    # The paper's own grain must not count as ink: a quarter of the way to the ink is still paper.
    low += 0.25 * (high - low)
    return _bytes((values - low) * (255 / (high - low)))


def _boxed(ink: Bytes) -> Bytes:
    """The inked part, scaled so that its longer side is 20."""
    marks = ink > 64
    marks = marks if marks.any() else ink > 0
    rows, columns = np.flatnonzero(marks.any(axis=1)), np.flatnonzero(marks.any(axis=0))
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(cropped.shape)
    height, width = (max(1, round(side * scale)) for side in cropped.shape)
    small = _resize(cropped, height, width).astype(np.float32)
    return _bytes(small * (255 / max(float(small.max()), 1.0)))


def _centred(box: Bytes) -> Bytes:
    """The box in a 28×28 field, its centre of mass at the field's centre as far as the field allows."""
    weights = box.astype(np.float64)
    field = np.zeros((SIDE, SIDE), np.uint8)
    corner = []
    for axis, side in enumerate(box.shape):
        profile = weights.sum(axis=1 - axis)
        centre = float(profile @ np.arange(side) / profile.sum())
        corner.append(int(np.clip(round(CENTRE - centre), 0, SIDE - side)))
    top, left = corner
    field[top : top + box.shape[0], left : left + box.shape[1]] = box
    return field


def _resize(grey: Bytes, height: int, width: int) -> Bytes:
    """Area averaging when shrinking, bilinear when growing."""
    shrinking = height <= grey.shape[0] and width <= grey.shape[1]
    method = Image.Resampling.BOX if shrinking else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(grey).resize((width, height), method))


def _bytes(values: npt.NDArray[np.float32]) -> Bytes:
    return np.asarray(values.clip(0, 255), np.uint8)


def _otsu(grey: Bytes) -> int:
    """The threshold that separates an image's values best into two groups (N. Otsu, 1979)."""
    histogram = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    below = histogram.cumsum()
    above = below[-1] - below
    sums = (histogram * np.arange(256)).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = sums / below - (sums[-1] - sums) / above
        variance = np.nan_to_num(below * above * difference**2)
    return int(variance.argmax())


def _without_address(error: Exception) -> str:
    return str(error).split(" <_io.BytesIO")[0].rstrip() or type(error).__name__
