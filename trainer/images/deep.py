"""Reads with OpenCV what Pillow knows the upper 8 bits of, or nothing: color of 16 bits, fractions of color."""

import cv2
import numpy as np

from trainer.errors import ImageUnreadable
from trainer.idx import Bytes
from trainer.images.depth import to_bytes
from trainer.images.transparency import on_paper

UNCHANGED = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION


def read_deep(data: bytes, page: int, *, halved: bool) -> Bytes:
    """A page of a PNG or TIFF, whose size has been checked, as grey (h, w) uint8, not yet turned.

    Raises:
        ImageUnreadable: OpenCV cannot read it.
    """
    try:
        read, pages = cv2.imdecodemulti(np.frombuffer(data, np.uint8), UNCHANGED, range=(page, page + 1))
    except cv2.error as error:
        raise ImageUnreadable("is no image that can be read: it is damaged", "damaged") from error
    if not read or not pages:
        raise ImageUnreadable(
            "is no image that can be read: it is damaged, or has an unknown kind of pixels", "damaged"
        )
    values = pages[0][::2, ::2] if halved else pages[0]
    if values.ndim == 2:
        return to_bytes(values)
    channels = values.shape[2]
    if channels in (1, 2):
        grey = values[:, :, 0]
    elif channels in (3, 4):
        grey = cv2.cvtColor(values[:, :, :3], cv2.COLOR_BGR2GRAY)
    else:
        raise ImageUnreadable(f"has {channels} channels, which are no colors; save it as a grey PNG", "damaged")
    return on_paper(to_bytes(grey), to_bytes(values[:, :, -1])) if channels in (2, 4) else to_bytes(grey)
