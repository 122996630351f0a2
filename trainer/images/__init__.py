"""Reads image files as upright gray images without transparency; `normalization` converts those to MNIST's format.

`reading` dispatches by file type to `pillow_files`, `pngs`, `tiffs`, `icons` or `pdfs`. `transparency` composites onto
paper, `depth` converts more than 8 bits, `orientation` rotates.
"""

from tenfold.trainer.images.normalization import (
    BOX,
    CENTER,
    SIDE,
    Normalized,
    NormalizeMode,
    normalize,
    normalize_all,
    steps,
)
from tenfold.trainer.images.pillow_files import MAX_PIXELS, MAX_WHOLE_PIXELS
from tenfold.trainer.images.reading import page_count, read_image, read_pages

__all__ = [
    "BOX",
    "CENTER",
    "MAX_PIXELS",
    "MAX_WHOLE_PIXELS",
    "SIDE",
    "NormalizeMode",
    "Normalized",
    "normalize",
    "normalize_all",
    "page_count",
    "read_image",
    "read_pages",
    "steps",
]
