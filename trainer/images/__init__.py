"""Reads image files as grey pictures, upright, on paper. `normalisation` brings those to MNIST's form.

`reading` is where a file comes in: by its kind it goes to `pillow_files`, `pngs`, `tiff_pages`, `icons` or `pdfs`.
`transparency` lays it on paper, `depth` makes bytes of more bits, `orientation` sets it upright.
"""

from trainer.images.pillow_files import MOST_PIXELS, MOST_WHOLE_PIXELS
from trainer.images.reading import page_count, read_image, read_pages
from trainer.normalisation import BOX, CENTRE, SIDE, Normalised, NormaliseMode, normalise, normalise_all, steps

__all__ = [
    "BOX",
    "CENTRE",
    "MOST_PIXELS",
    "MOST_WHOLE_PIXELS",
    "SIDE",
    "NormaliseMode",
    "Normalised",
    "normalise",
    "normalise_all",
    "page_count",
    "read_image",
    "read_pages",
    "steps",
]
