"""The lines of a box or a table in a picture of a digit, taken away.

Where ink lies along the borders as lines do, a small network tells the digit's strokes from all else; where it is
not clear what is line and what is stroke, that is said.
"""

from tenfold.trainer.images.normalization.lines.cleaning import MIN_SIDE, Cleaning, cleaning_of, is_framed, without

__all__ = ["MIN_SIDE", "Cleaning", "cleaning_of", "is_framed", "without"]
