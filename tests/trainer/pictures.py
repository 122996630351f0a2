"""Looking into the pictures that were drawn."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor


def pixels(path: Path) -> npt.NDArray[np.int64]:
    """(h, w, 3) of a picture."""
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB"), np.int64)


def has(path: Path, color: str) -> bool:
    """Whether there is a pixel of a color (#rrggbb)."""
    return bool((pixels(path) == ImageColor.getrgb(color)).all(axis=2).any())
