"""A program that renders one page of the PDF on its standard input, with limits on time and memory.

`trainer.images.pdfs` runs it as a separate process, so that a hostile file can harm only that. It prints the number of
pages, or the width, height and pixels of a page, in gray or (with `color`) BGR. It imports nothing from this project.
"""

import resource
import struct
import sys

# Handwriting needs at least 150; scanners default to 200 or 300.
DOTS_PER_INCH = 200
POINTS_PER_INCH = 72

# An A3 page at 300 dpi has 17 million.
MAX_PIXELS = 16_000_000

# A page of a form, with its fonts, takes a tenth of a second, and a photo of 50 million pixels three.
CPU_SECONDS = 10
MEMORY_BYTES = 1 << 30

NO_PDFIUM, REFUSED = 3, 4


def main(page: str, color: str = "gray") -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        import pypdfium2
    except ImportError:
        return NO_PDFIUM
    try:
        document = pypdfium2.PdfDocument(sys.stdin.buffer)
        if page == "count":
            print(len(document))
            return 0
        drawn = document[int(page)]
        width, height = drawn.get_size()
        scale = min(DOTS_PER_INCH / POINTS_PER_INCH, (MAX_PIXELS / max(width * height, 1)) ** 0.5)
        bitmap = drawn.render(scale=scale, grayscale=color == "gray")
    except (pypdfium2.PdfiumError, IndexError, MemoryError, ValueError) as error:
        print(error, file=sys.stderr)
        return REFUSED
    sys.stdout.buffer.write(struct.pack("<3I", bitmap.width, bitmap.height, bitmap.stride) + bytes(bitmap.buffer))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
