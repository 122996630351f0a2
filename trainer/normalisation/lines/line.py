"""A line along a border of a picture, and where it lies."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes

Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Line:
    """A line that runs along the top of a picture, or of a turned view of it.

    Attributes:
        side: `t`, `b`, `l` or `r`.
        top, bottom: (w,) of each column the first row of the line and the first after it.
        present: (w,) whether the line has ink in that column; a dotted line has gaps.
        touched: (w,) whether a stroke touches or crosses it there.
        width: the line's, in pixels.
        bend: by how many pixels its edges stray from a straight line, as a root mean square.
    """

    side: str
    top: npt.NDArray[np.int64]
    bottom: npt.NDArray[np.int64]
    present: Chosen
    touched: Chosen
    width: float
    bend: float

    @property
    def depth(self) -> float:
        """How far from its border the line is, in pixels."""
        return float(self.top.mean())

    @property
    def extent(self) -> tuple[int, int]:
        columns = np.flatnonzero(self.present)
        return int(columns[0]), int(columns[-1]) + 1


def seen_from(picture: npt.NDArray[np.uint8], side: str) -> npt.NDArray[np.uint8]:
    """A view of the picture in which the side is the top."""
    if side == "t":
        return picture
    if side == "b":
        return picture[::-1]
    return picture.T if side == "l" else picture.T[::-1]


def bands_of(lines: list[Line], shape: tuple[int, ...]) -> Chosen:
    bands = np.zeros(shape, np.uint8)
    for line in lines:
        view = seen_from(bands, line.side)
        rows = np.arange(view.shape[0])[:, None]
        first, last = line.extent
        inside = (rows >= line.top) & (rows < line.bottom)
        inside[:, :first] = inside[:, last:] = False
        view[inside] = 1
    return bands > 0


def contact(digit: Bytes, line: Line) -> int:
    """In how many columns the digit touches the line."""
    height, columns = digit.shape[0], np.arange(digit.shape[1])
    above = (line.top > 0) & (digit[np.clip(line.top - 1, 0, height - 1), columns] > 0)
    below = (line.bottom < height) & (digit[np.clip(line.bottom, 0, height - 1), columns] > 0)
    return int((above | below).sum())


def groups(chosen: Chosen) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(np.int8), [0]])))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]
