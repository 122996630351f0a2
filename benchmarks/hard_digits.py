"""Hard cases made of real MNIST digits: each takes a digit (28, 28) uint8, light on dark, and a generator, and gives
a picture (h, w) uint8 as people bring them. They are renderings, no scans."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes

Values = npt.NDArray[np.float64]
Rendering = Callable[[Bytes, np.random.Generator], Bytes]


def pencil(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """Gray strokes on grainy paper, as JPEG."""
    ink = np.pad(_grown(digit, 5), 30) / 255
    return _jpeg(_bytes(215 + _grain(rng, ink.shape, 5) - ink * rng.uniform(35, 70)), 85)


def uneven_light(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """Paper from bright to dark from one side to the other, the ink 60 % darker than it."""
    ink = np.pad(_grown(digit, 4), 20) / 255
    return _bytes((170 + 140 * _ramp(rng, ink.shape) + _grain(rng, ink.shape, 3)) * (1 - 0.6 * ink))


def speckle(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """One pixel in fifty black or white, at three times the size."""
    return _specked(np.pad(_grown(digit, 3), 10), rng, 0.01)


def speckle_small(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """Three pixels in a hundred black or white, at 28×28."""
    return _specked(digit, rng, 0.015)


def ruled(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """A gray line along one of the four edges, or close to it."""
    paper = _bytes(240 - np.pad(_grown(digit, 4), 12) * 0.8)
    wide, off = int(rng.integers(1, 4)), int(rng.integers(0, 7))
    turned = np.rot90(paper, int(rng.integers(4)))  # a view: the line is drawn on `paper` itself
    turned[off : off + wide] = 110
    return paper


def slanted(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """Sheared to the right by 11 to 27 degrees."""
    ink = _grown(np.pad(digit, 8), 4)
    height, width = ink.shape
    shear = rng.uniform(0.2, 0.5)
    matrix = np.array([[1, -shear, shear * height / 2], [0, 1, 0]])
    return _bytes(230 - np.asarray(cv2.warpAffine(ink, matrix, (width, height))) * 0.7)


def tiny(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """14×14 pixels in all."""
    return 255 - np.asarray(cv2.resize(digit, (14, 14), interpolation=cv2.INTER_AREA), np.uint8)


def bits(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """One bit a pixel, cut close, of either polarity."""
    return _either(_grown(_cut(digit), rng.uniform(1, 3)) > 110, rng)


def stretched_bits(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """One bit a pixel, stretched to all borders of 16×16, of either polarity: Semeion's form."""
    return _either(np.asarray(cv2.resize(_cut(digit), (16, 16), interpolation=cv2.INTER_AREA)) > 90, rng)


def photo_corner(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """A small digit in a corner of a large, noisy, unevenly lit photo, as JPEG."""
    ink, height, width = _grown(digit, 6), 750, 1000
    sheet = np.zeros((height, width))
    top, left = rng.choice([0, height - ink.shape[0]]), rng.choice([0, width - ink.shape[1]])
    sheet[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return _jpeg(_bytes(200 + 60 * _ramp(rng, (height, width)) + rng.normal(0, 5, (height, width)) - sheet * 0.5), 80)


def chalk(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """Light on a noisy dark board."""
    return _bytes(30 + np.pad(_grown(digit, 3), 8) * 0.7 + rng.normal(0, 4, (100, 100)))


def jpeg(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """Dark on white, saved as JPEG of quality 15."""
    return _jpeg(255 - _grown(digit, 2), 15)


def faint(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """Ink 30 of 255 darker than gray paper, with noise."""
    return _bytes(130 - digit * 0.12 + rng.normal(0, 1.5, digit.shape))


def touching(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """Four times as large, cut close."""
    return _bytes(250 - _grown(_cut(digit), 4) * 0.85)


def thin(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """A fine pen: strokes a pixel thinner, of MNIST's."""
    strokes = (_grown(digit, 8) > 128).astype(np.uint8)
    return 255 - np.pad(np.asarray(cv2.erode(strokes, np.ones((3, 3)), iterations=4), np.uint8) * np.uint8(255), 10)


def thick(digit: Bytes, rng: np.random.Generator) -> Bytes:
    """A broad marker: strokes nearly two pixels wider, of MNIST's."""
    strokes, disc = (_grown(digit, 6) > 128).astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
    return 255 - np.pad(np.asarray(cv2.dilate(strokes, disc), np.uint8) * np.uint8(255), 10)


RENDERINGS: dict[str, Rendering] = {
    rendering.__name__: rendering
    for rendering in (
        pencil,
        uneven_light,
        speckle,
        speckle_small,
        ruled,
        slanted,
        tiny,
        bits,
        stretched_bits,
        photo_corner,
        chalk,
        jpeg,
        faint,
        touching,
        thin,
        thick,
    )
}


def _bytes(values: npt.NDArray[np.floating]) -> Bytes:
    return np.asarray(values.clip(0, 255), np.uint8)


def _grown(digit: Bytes, times: float) -> Bytes:
    return np.asarray(cv2.resize(digit, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC), np.uint8)


def _cut(digit: Bytes) -> Bytes:
    rows, columns = np.flatnonzero(digit.max(axis=1) > 64), np.flatnonzero(digit.max(axis=0) > 64)
    return digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _grain(rng: np.random.Generator, shape: tuple[int, ...], strength: float) -> Values:
    height, width = shape
    coarse = rng.normal(0, strength, (height // 4 + 1, width // 4 + 1))
    fibres = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float64)
    return fibres + rng.normal(0, strength / 2, (height, width))


def _ramp(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """From -0.5 to 0.5 or a little more, in any direction."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.linspace(-0.5, 0.5, shape[0])[:, None], np.linspace(-0.5, 0.5, shape[1])
    return np.asarray(np.cos(angle) * columns + np.sin(angle) * rows, np.float64)


def _specked(ink: Bytes, rng: np.random.Generator, share: float) -> Bytes:
    paper, chance = _bytes(255 - ink * 0.9), rng.random(ink.shape)
    paper[chance < share], paper[chance > 1 - share] = 0, 255
    return paper


def _either(light: npt.NDArray[np.bool_], rng: np.random.Generator) -> Bytes:
    return np.asarray((light ^ (rng.random() < 0.5)) * 255, np.uint8)


def _jpeg(gray: Bytes, quality: int) -> Bytes:
    _, data = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
