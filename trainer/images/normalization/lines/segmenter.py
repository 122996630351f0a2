"""A small convolutional network that tells a digit's strokes from all other ink: lines, ticks, a neighbor's tail.

`python -m benchmarks.fit_line_model` fits it on MNIST's training digits in random frames and writes `weights.npz`. It
is a U-Net (O. Ronneberger, P. Fischer, T. Brox, 2015) of ten 3×3 convolutions, which takes half a millisecond in NumPy.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes

Values = npt.NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("weights.npz")

# The network sees every picture at this many pixels a side, each 2×2 of them as the channels of one place.
SIDE = 48
BLOCK = 2

LAYERS = 10


def segment(ink: Bytes) -> Values:
    """Of each pixel of the ink (h, w) uint8 how probably it is the digit's, 0–1; without meaning where no ink is."""
    height, width = ink.shape
    probable = _sigmoid(_from_blocks(logits(ink)))
    return np.asarray(cv2.resize(probable, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def as_input(ink: Bytes) -> Values:
    """The ink (h, w) uint8 as (24, 24, 4) float32, 0–1, faint ink brought out by a square root."""
    shrinking = min(ink.shape) >= SIDE
    small = cv2.resize(ink, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)
    return to_blocks(np.sqrt(small.astype(np.float32) / np.float32(255)))


def to_blocks(values: Values) -> Values:
    """(48, 48) as (24, 24, 4)."""
    places = SIDE // BLOCK
    blocks = values.reshape(places, BLOCK, places, BLOCK).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(blocks).reshape(places, places, BLOCK * BLOCK)


def logits(ink: Bytes) -> Values:
    """What the network says of the ink (h, w) uint8: (24, 24, 4) float32, above 0 where it is the digit's."""
    layer = _layers()
    wide = _convolved(_convolved(as_input(ink), layer[0]), layer[1])
    middle = _convolved(_convolved(wide, layer[2], stride=2), layer[3])
    narrow = _convolved(_convolved(_convolved(middle, layer[4], stride=2), layer[5]), layer[6])
    middle = _convolved(np.concatenate([_doubled(narrow), middle], axis=2), layer[7])
    wide = _convolved(np.concatenate([_doubled(middle), wide], axis=2), layer[8])
    return _convolved(wide, layer[9], rectified=False)


def _from_blocks(values: Values) -> Values:
    places = SIDE // BLOCK
    return values.reshape(places, places, BLOCK, BLOCK).transpose(0, 2, 1, 3).reshape(SIDE, SIDE)


@cache
def _layers() -> list[tuple[Values, Values]]:
    """Of each convolution the kernel (9 times channels in, channels out) and the bias (channels out)."""
    with np.load(WEIGHTS) as stored:
        kernels = [stored[f"kernel{layer}"].astype(np.float32) for layer in range(LAYERS)]
        biases = [stored[f"bias{layer}"].astype(np.float32) for layer in range(LAYERS)]
    return [(kernel.reshape(-1, kernel.shape[-1]), bias) for kernel, bias in zip(kernels, biases, strict=True)]


def _convolved(values: Values, layer: tuple[Values, Values], stride: int = 1, rectified: bool = True) -> Values:
    """A 3×3 convolution of (h, w, channels) with as many zeros around as Keras' `same` lays there."""
    kernel, bias = layer
    height, width, channels = values.shape
    padded = np.zeros((height + 2, width + 2, channels), np.float32)
    first = 2 - stride  # at a stride of 2 Keras pads an even side at its end only
    padded[first : first + height, first : first + width] = values
    down, across, deep = padded.strides
    rows, columns = height // stride, width // stride
    windows = np.lib.stride_tricks.as_strided(
        padded, (rows, columns, 3, 3, channels), (down * stride, across * stride, down, across, deep), writeable=False
    )
    # Row by row: larger products BLAS shares among threads, which wait for each other on a busy machine.
    result = windows.reshape(rows, columns, -1) @ kernel + bias
    return np.maximum(result, 0, out=result) if rectified else result


def _doubled(values: Values) -> Values:
    return values.repeat(2, axis=0).repeat(2, axis=1)


def _sigmoid(logits: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)
