"""Distorts training images randomly in each epoch: rotation, shear, scale, shift and elastic distortion.

The distortions, a few numbers an image, are drawn on the host by a generator that seed and epoch determine; the pixels
are moved on the device, affine and elastic distortion in one bilinear sampling.

Lengths are in pixels of a 28×28 image; for other sizes they are scaled with height and width.

The elastic field follows Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to
visual document analysis", ICDAR 2003: random displacements smoothed by a Gaussian of 4 pixels. They draw one for each
pixel; here one for each point of a 7×7 grid, as fine as that Gaussian can show.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from tenfold.trainer.input_spec import SIDE

ROTATION_DEGREES = 8.0
SHEAR = 0.1
SCALE = 0.1
SHIFT_PIXELS = 1.5

ELASTIC_GRID = 7
ELASTIC_SIGMA_PIXELS = 4.0
# Standard deviation of the displacements.
ELASTIC_PIXELS = 0.8

Floats = npt.NDArray[np.float32]


def draw_distortions(kind: str, images: int, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw the distortions of so many images.

    Args:
        kind: `affine` or `elastic`; elastic includes affine.

    Returns:
        (n, 2, 3) affine maps from a pixel of the result (row, column, 1), relative to the center, to a pixel of the
        image; and (n, 2, 7, 7) displacements, zero for `affine`. Lengths are in pixels of a 28×28 image.
    """
    angle = np.radians(random.uniform(-ROTATION_DEGREES, ROTATION_DEGREES, images))
    shear = random.uniform(-SHEAR, SHEAR, images)
    scale = np.exp(random.uniform(-SCALE, SCALE, (2, images)))
    cos, sin = np.cos(angle), np.sin(angle)
    affine = np.empty((images, 2, 3), np.float32)
    affine[:, 0, 0], affine[:, 0, 1] = scale[0] * cos, -scale[0] * sin
    affine[:, 1, 0], affine[:, 1, 1] = scale[1] * (sin + shear * cos), scale[1] * (cos - shear * sin)
    affine[:, :, 2] = random.uniform(-SHIFT_PIXELS, SHIFT_PIXELS, (images, 2))
    shape = (images, 2, ELASTIC_GRID, ELASTIC_GRID)
    displacements = random.standard_normal(shape, np.float32) * ELASTIC_PIXELS
    return affine, displacements if kind == "elastic" else np.zeros_like(displacements)


def distort(images: Any, affine: Any, displacements: Any, *, outside: float = 0.0) -> Any:
    """Distort float images (n, h, w) or (n, h, w, 3). Takes and returns backend tensors.

    Args:
        outside: the value of pixels outside a gray image: of paper. A color image continues with its border.
    """
    height, width, *channels = images.shape[1:]
    sides = np.array([[height], [width]], np.float32)
    middle = (sides - 1) / 2
    rows, columns = np.mgrid[:height, :width].astype(np.float32) - middle[..., None]
    grid = np.stack([rows, columns, np.ones_like(rows)]).reshape(3, -1)
    elastic = ops.matmul(ops.matmul(_smoothing(height), displacements), _smoothing(width).T)
    elastic = ops.reshape(elastic, (-1, 2, height * width))
    if (height, width) != (SIDE, SIDE):
        elastic = elastic * (sides / SIDE)
        affine = affine * np.concatenate([np.ones((2, 2), np.float32), sides / SIDE], axis=1)
    source = ops.matmul(affine, grid) + middle + elastic
    # A border around each image represents all pixels outside.
    source = ops.clip(source, *((0.0, sides - 1) if channels else (-1.0, sides))) + 1.0
    corner = ops.minimum(ops.floor(source), sides)
    index = ops.cast(corner[:, 0] * (width + 2) + corner[:, 1], "int32")
    if not channels:
        return _sampled(images, index, source - corner, outside)
    planes = [_sampled(images[..., channel], index, source - corner, outside) for channel in range(channels[0])]
    return ops.stack(planes, axis=-1)


def _sampled(images: Any, index: Any, part: Any, outside: float) -> Any:
    """Bilinear samples of (n, h, w) images with a border: `index` of the upper left pixel, and `part` of a pixel."""
    height, width = images.shape[1:]
    bordered = ops.pad(images, ((0, 0), (1, 1), (1, 1)), constant_values=outside)
    flat = ops.reshape(bordered, (-1, (height + 2) * (width + 2)))
    row, column = part[:, 0], part[:, 1]

    def pixel(offset: int) -> Any:
        return ops.take_along_axis(flat, index + offset, axis=1)

    top = pixel(0) * (1 - column) + pixel(1) * column
    bottom = pixel(width + 2) * (1 - column) + pixel(width + 3) * column
    return ops.reshape(top * (1 - row) + bottom * row, (-1, height, width))


def _smoothing(side: int) -> Floats:
    """(side, 7) weights of the grid lines for each pixel, scaled so that displacements keep their standard
    deviation."""
    lines = np.linspace(0, side - 1, ELASTIC_GRID)
    distance = np.arange(side)[:, None] - lines[None, :]
    weights = np.exp(-(distance**2) / (2 * (ELASTIC_SIGMA_PIXELS * side / SIDE) ** 2))
    return np.asarray(weights / np.sqrt((weights**2).sum(axis=1, keepdims=True)), np.float32)
