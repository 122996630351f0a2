"""Where along a picture's borders ink lies that may be lines: cheap enough to ask of every picture."""

import cv2
import numpy as np

from tenfold.trainer.arrays import Bytes

# A line lies in this share of the picture from its border.
ZONE = 0.25

# There, it has ink in at least this share of the border's columns or rows.
WORTH_A_LOOK = 0.5


def inked_shares(marks: Bytes) -> list[float]:
    """Along each border of the marks (h, w) of 0 and 1, what share of its columns, or rows, has any in the zone."""
    shares = []
    for view in (marks, cv2.transpose(marks)):
        zone = max(2, round(ZONE * len(view)))
        shares += [np.count_nonzero(part.max(axis=0)) / view.shape[1] for part in (view[:zone], view[-zone:])]
    return shares


def may_have_lines(marks: Bytes) -> bool:
    return max(inked_shares(marks)) >= WORTH_A_LOOK
