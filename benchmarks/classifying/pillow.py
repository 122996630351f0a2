"""How a script reads a digit with Pillow alone: gray, light on dark, cropped to its ink and put into the middle."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from tenfold.trainer.input_spec import SIDE

BOX = 20


def read_digit(data: bytes) -> npt.NDArray[np.float32]:
    """The digit in a file's bytes as (28, 28) float32 in 0–1. An image of 28×28 is taken for MNIST's own."""
    image = Image.open(io.BytesIO(data)).convert("L")
    if image.size != (SIDE, SIDE):
        image = _to_mnist(image)
    return np.asarray(image, np.float32) / np.float32(255)


def _to_mnist(image: Image.Image) -> Image.Image:
    image = ImageOps.autocontrast(image)
    if image.getpixel((0, 0)) > 127:  # type: ignore[operator]
        image = ImageOps.invert(image)
    image = image.crop(image.point(lambda value: 255 * (value > 128)).getbbox())
    image.thumbnail((BOX, BOX))
    field = Image.new("L", (SIDE, SIDE))
    field.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
    return field
