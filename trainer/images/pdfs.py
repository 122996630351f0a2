"""Draws the pages of a PDF, with PDFium, in a process that may take so much time and memory and no more."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np

from trainer.errors import ImageUnreadable
from trainer.idx import Bytes
from trainer.images.pdf_drawing import NO_PDFIUM, REFUSED

PROGRAM = Path(__file__).with_name("pdf_drawing.py")
HEADER = struct.Struct("<3I")

# The program stops itself after 10 seconds of work; on a busy machine these may last longer.
PATIENCE_SECONDS = 300


def pdf_pages(data: bytes) -> int:
    """How many pages the PDF has.

    Raises:
        ImageUnreadable: it is damaged, asks for a password, or takes too much to open.
    """
    return int(_run(data, "count"))


def draw_page(data: bytes, page: int) -> Bytes:
    """A page, counted from 0, as grey (h, w) uint8: 200 dots an inch, or as many as make 16 million pixels.

    Raises:
        ImageUnreadable: it is damaged, asks for a password, has no such page, or takes more than 10 seconds or 1 GiB.
    """
    drawn = _run(data, str(page))
    width, height, stride = HEADER.unpack_from(drawn)
    return np.frombuffer(drawn, np.uint8, offset=HEADER.size).reshape(height, stride)[:, :width].copy()


def _run(data: bytes, page: str) -> bytes:
    with open(os.memfd_create("page.pdf"), "w+b") as file:
        file.write(data)
        file.flush()
        try:
            done = subprocess.run(
                [sys.executable, "-P", PROGRAM, page], stdin=file, capture_output=True, timeout=PATIENCE_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise _takes_too_much() from error
    if done.returncode == 0:
        return done.stdout
    if done.returncode == NO_PDFIUM:
        raise ImageUnreadable("is a PDF, which needs the package pypdfium2: pip install pypdfium2", "no reader")
    if done.returncode == REFUSED:
        said = done.stderr.decode(errors="replace").strip()
        raise ImageUnreadable(f"is a PDF that cannot be read ({said}); save its pages as PNG", "damaged")
    raise _takes_too_much()


def _takes_too_much() -> ImageUnreadable:
    return ImageUnreadable(
        "is a PDF whose page takes more than 10 seconds or 1 GiB to draw; save its pages as PNG", "too large"
    )
