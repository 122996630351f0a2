"""Renders the pages of a PDF with PDFium, in a separate process with limited time and memory."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images.pdf_drawing import NO_PDFIUM, REFUSED

PROGRAM = Path(__file__).with_name("pdf_drawing.py")
HEADER = struct.Struct("<3I")

# The program stops after 10 seconds of CPU time, which may take longer on a busy machine.
TIMEOUT_SECONDS = 300


def pdf_pages(data: bytes) -> int:
    """The number of pages.

    Raises:
        ImageUnreadable: the PDF is damaged, needs a password, or takes too much time or memory.
    """
    return int(_run(data, "count"))


def draw_page(data: bytes, page: int, *, color: bool = False) -> Bytes:
    """Render the page with this index as gray (h, w) uint8, at 200 dpi or fewer for at most 16 million pixels.

    Args:
        color: whether to render it as RGB (h, w, 3).

    Raises:
        ImageUnreadable: the PDF is damaged, needs a password, lacks this page, or takes more than 10 seconds or 1 GiB.
    """
    drawn = _run(data, str(page), "color" if color else "gray")
    width, height, stride = HEADER.unpack_from(drawn)
    rows = np.frombuffer(drawn, np.uint8, offset=HEADER.size).reshape(height, stride)
    if not color:
        return rows[:, :width].copy()
    return np.ascontiguousarray(rows[:, : 3 * width].reshape(height, width, 3)[:, :, ::-1])


def _run(data: bytes, *arguments: str) -> bytes:
    with open(os.memfd_create("page.pdf"), "w+b") as file:
        file.write(data)
        file.flush()
        try:
            done = subprocess.run(
                [sys.executable, "-P", PROGRAM, *arguments], stdin=file, capture_output=True, timeout=TIMEOUT_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise _takes_too_much() from error
    if done.returncode == 0:
        return done.stdout
    if done.returncode == NO_PDFIUM:
        raise ImageUnreadable(
            "is a PDF; to read it, the worker needs the package pypdfium2: pip install pypdfium2", "missing_package"
        )
    if done.returncode == REFUSED:
        reason = done.stderr.decode(errors="replace").strip()
        raise ImageUnreadable(f"is a PDF that can't be read ({reason}); save its pages as PNG", "damaged")
    raise _takes_too_much()


def _takes_too_much() -> ImageUnreadable:
    return ImageUnreadable(
        "is a PDF that takes more than 10 seconds or 1 GiB to render; save its pages as PNG", "too_large"
    )
