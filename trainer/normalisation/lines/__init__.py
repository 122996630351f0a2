"""The lines of a box or a table in a picture of a digit: found along the borders, and taken away.

A line is told from a stroke by where it lies, how far it runs and how even it is. Where a stroke crosses a line, the
stroke stays; where it is not clear what is line and what is stroke, that is said.
"""

from trainer.normalisation.lines.cleaning import Cleaning, cleaning_of, without
from trainer.normalisation.lines.telling import LEAST_SIDE, is_framed

__all__ = ["LEAST_SIDE", "Cleaning", "cleaning_of", "is_framed", "without"]
