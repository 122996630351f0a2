"""Draws sample images of a data set as a PNG file."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.images.thumbnails import PAPER, as_on_paper

DPI = 110
MAX_CLASSES = 30
MAX_NAME_CHARACTERS = 24

# The longer side of an image, and the gap between two, in pixels of the picture.
SHOWN_SIDE, GAP = 56, 8

MARGIN = 0.2
TITLE, NOTE = 0.5, 0.3
NAME_FONT, COUNT_FONT = FontProperties(size=11, weight="bold"), FontProperties(size=9)
FAINT = "#666666"


def plot_samples(dataset: Dataset, path: Path | IO[bytes], per_class: int = 10) -> None:
    """Draw a row of training images for each of the first 30 classes, evenly spaced among the class's images."""
    names = [_shortened(name) for name in dataset.class_names[:MAX_CLASSES]]
    counts = np.bincount(dataset.train_labels, minlength=len(dataset.class_names))
    captions = [f"{count:,}" for count in counts[: len(names)]]
    left_out = len(dataset.class_names) - len(names)

    scale = SHOWN_SIDE / max(dataset.input.height, dataset.input.width)
    cell_height = (dataset.input.height * scale + GAP) / DPI
    cell_width = (dataset.input.width * scale + GAP) / DPI
    caption_end = MARGIN + _inches(names, NAME_FONT) + MARGIN + _inches(captions, COUNT_FONT)
    sheet_start = caption_end + MARGIN / 2
    title = f"{len(dataset.train_images):,} training images of {len(dataset.class_names)} classes"
    width = MARGIN + max(sheet_start + per_class * cell_width, MARGIN + _inches([title], NAME_FONT))
    below = MARGIN + (NOTE if left_out else 0)
    height = TITLE + len(names) * cell_height + below

    figure = Figure(figsize=(width, height))
    across, up = per_class * cell_width, len(names) * cell_height
    axes = figure.add_axes((sheet_start / width, below / height, across / width, up / height))
    axes.imshow(_sheet(dataset, len(names), per_class, GAP / scale), cmap="gray", vmin=0, vmax=PAPER, aspect="auto")
    axes.axis("off")

    def write(text: str, x: float, y: float, font: FontProperties, color: str = "black", align: str = "left") -> None:
        place: dict[str, Any] = {
            "ha": align,
            "va": "center",
            "fontproperties": font,
            "color": color,
            "parse_math": False,
        }
        figure.text(x / width, y / height, text, **place)

    write(title, MARGIN, height - TITLE / 2, FontProperties(size=11))
    for row, (name, caption) in enumerate(zip(names, captions, strict=True)):
        middle = height - TITLE - (row + 0.5) * cell_height
        write(name, MARGIN, middle, NAME_FONT)
        write(caption, caption_end, middle, COUNT_FONT, FAINT, "right")
    if left_out:
        write(f"and {left_out} more class{'es' if left_out > 1 else ''}", MARGIN, below / 2, COUNT_FONT, FAINT)
    figure.savefig(path, dpi=DPI)


def _sheet(dataset: Dataset, rows: int, columns: int, gap: float) -> Bytes:
    """The images in rows by class; `gap` in their pixels."""
    height, width, *channels = dataset.input.shape
    down, across = height + round(gap), width + round(gap)
    chosen: list[npt.NDArray[np.int64]] = []
    for row in range(rows):
        members = np.flatnonzero(dataset.train_labels == row)
        places = np.linspace(0, max(len(members) - 1, 0), min(columns, len(members)), dtype=np.int64)
        chosen.append(members[places])
    images = as_on_paper(dataset.train_images[np.concatenate(chosen)])
    sheet = np.full((rows * down, columns * across, *channels), PAPER, np.uint8)
    positions = ((row, column) for row, members in enumerate(chosen) for column in range(len(members)))
    for (row, column), image in zip(positions, images, strict=True):
        top, left = row * down + round(gap / 2), column * across + round(gap / 2)
        sheet[top : top + height, left : left + width] = image
    return sheet


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_NAME_CHARACTERS else name[: MAX_NAME_CHARACTERS - 1] + "…"


def _inches(texts: Sequence[str], font: FontProperties) -> float:
    measure = TextToPath().get_text_width_height_descent
    return max(float(measure(text, font, ismath=False)[0]) for text in texts) / 72
