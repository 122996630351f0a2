"""Images that nobody would save who means well."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 40

HEIC = Path(__file__).with_name("picture.heic")

# All modes that Pillow's formats can be asked to save, and a format that takes each.
MODES = {
    "1": "PNG",
    "L": "PNG",
    "LA": "PNG",
    "P": "PNG",
    "RGB": "PNG",
    "RGBA": "PNG",
    "I;16": "PNG",
    "I": "TIFF",
    "F": "TIFF",
    "CMYK": "TIFF",
    "YCbCr": "TIFF",
    "I;16B": "TIFF",
    "PA": "WEBP",
    "La": "WEBP",
    "RGBa": "WEBP",
    "RGBX": "TIFF",
    "HSV": "WEBP",
}


def saved(mode: str, format: str, **options: object) -> bytes:
    """A digit-like picture, in this mode as far as the format keeps it."""
    if format == "HEIF":  # which is read and not written here
        return HEIC.read_bytes()
    buffer = io.BytesIO()
    gray = np.full((SIDE, SIDE), 255, np.uint8)
    gray[8:32, 18:22] = 0
    picture = Image.fromarray(gray)
    if mode in ("La", "RGBa"):
        picture = picture.convert("RGBA" if mode == "RGBa" else "LA").convert(mode)
        picture = picture.convert("RGBA" if mode == "RGBa" else "LA")
    elif mode == "I;16B":
        picture = Image.frombytes("I;16B", (SIDE, SIDE), (gray.astype(">u2") * 257).tobytes())
    else:
        through = {"PA": "P", "HSV": "RGB", "YCbCr": "RGB", "CMYK": "RGB", "RGBX": "RGB", "I;16": "I"}.get(mode, "L")
        picture = picture.convert(through).convert(mode)
        if mode in ("PA", "HSV"):
            picture = picture.convert("RGBA" if mode == "PA" else "RGB")
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def png(width: int, height: int, *more: bytes, pixels: bytes = b"") -> bytes:
    """A PNG of gray bytes that says it has this size, whatever is in it."""
    header = chunk(b"IHDR", struct.pack(">2L5B", width, height, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b"")
    )


def large_chunks() -> Iterator[tuple[str, bytes]]:
    """PNGs of a few bytes, one of whose chunks claims to hold four billion, behind the pixels or before them."""
    plain = png(SIDE, SIDE, pixels=bytes(SIDE + 1) * SIDE)
    before, end = plain.index(b"IDAT") - 4, len(plain) - 12
    for kind in (b"IEND", b"IDAT", b"tEXt", b"zTXt", b"iCCP", b"pHYs", b"PLTE", b"eXIf", b"acTL", b"fcTL", b"fdAT"):
        claim = struct.pack(">L", 2**32 - 16) + kind
        yield f"{kind.decode()} before", plain[:before] + claim + plain[before:]
        yield f"{kind.decode()} behind", plain[:end] + claim


def too_large() -> Iterator[tuple[str, bytes]]:
    """Files of a few bytes that claim billions of pixels."""
    yield "png", png(2**31 - 1, 2**31 - 1)
    yield "wide png", png(2**31 - 1, 1)
    yield "png just beyond", png(50_000_001, 1)
    yield "bmp", b"BM" + struct.pack("<LHHLLllHHLLllLL", 54, 0, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0)
    yield "gif", b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b",\0\0\0\0\xff\xff\xff\xff\0\x02\0;"
    yield "tiff", tiff({256: 2**20, 257: 2**20, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 2**20, 279: 2**30})
    jpeg = saved("L", "JPEG")
    at = jpeg.index(b"\xff\xc0")
    yield "jpeg", jpeg[: at + 5] + b"\xff\xff\xff\xff" + jpeg[at + 9 :]
    webp = saved("RGB", "WEBP", lossless=True)
    at = webp.index(b"VP8L")
    yield "webp", webp[: at + 9] + b"\xff\xff\xff\x0f" + webp[at + 13 :]


def tiff(tags: dict[int, int]) -> bytes:
    entries = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b"II*\0" + struct.pack("<L", 8) + struct.pack("<H", len(tags)) + entries + bytes(4)


def many_frames(format: str, count: int) -> bytes:
    """An animation; the first frame is the picture."""
    first = Image.open(io.BytesIO(saved("RGB", "PNG")))
    others = [Image.new("RGB", first.size, (n % 256, n // 256, 7)) for n in range(count - 1)]
    buffer = io.BytesIO()
    first.save(buffer, format, save_all=True, append_images=others)
    return buffer.getvalue()


def tiff_in_a_circle() -> bytes:
    """A TIFF whose next directory is its first."""
    whole = tiff({256: 4, 257: 4, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 4, 279: 16})
    return whole[:-4] + struct.pack("<L", 8)


def texts_that_unpack(bytes_each: int, count: int) -> bytes:
    """A PNG with compressed texts, profiles and EXIF of zeros."""
    packed = zlib.compress(bytes(bytes_each), 9)
    texts = [chunk(b"zTXt", b"k%d\0\0" % number + packed) for number in range(count)]
    profile = chunk(b"iCCP", b"p\0\0" + packed)
    return png(SIDE, SIDE, profile, *texts, pixels=(b"\0" + bytes(SIDE)) * SIDE)


def broken(whole: bytes) -> Iterator[bytes]:
    """The file cut off in many places, and with a byte changed in many."""
    step = max(1, len(whole) // 40)
    for at in range(0, len(whole), step):
        yield whole[:at]
        yield whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        yield whole[:at] + whole[at + step :]


# What Pillow opens as well, under the name of an image: one of its readers starts Ghostscript.
OTHER_KINDS = {
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\n"
    b"(/tmp/tenfold-was-here) (w) file\n%%EOF\n",
    "pdf": b"%PDF-1.4\n",
    "psd": b"8BPS\0\1" + bytes(6) + b"\0\1\0\0\0\x28\0\0\0\x28\0\x08\0\1" + bytes(1700),
    "xbm": b"#define x_width 8\n#define x_height 1\nstatic char x_bits[] = { 0x00 };\n",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
}


def claiming_other_sizes(whole: bytes) -> Iterator[bytes]:
    """The file, saying in each place where its size could stand that it is millions of pixels wide."""
    size = struct.pack(">L", SIDE)
    at = whole.find(size)
    while at >= 0:
        yield whole[:at] + struct.pack(">L", 2**30) + whole[at + 4 :]
        yield whole[:at] + struct.pack(">L", 30_000) + whole[at + 4 :]
        at = whole.find(size, at + 1)
    yield whole.replace(size, struct.pack(">L", 7_000))


def pdf(content: bytes, side: int = SIDE, *more: bytes) -> bytes:
    """A PDF of one page; its objects from the fifth on are `more`."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>"
        % (side, side),
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        *more,
    ]
    numbered = b"".join(b"%d 0 obj%s endobj\n" % (number, text) for number, text in enumerate(objects, 1))
    return b"%PDF-1.7\n" + numbered + b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF" % (len(objects) + 1)


def pdf_that_draws_without_end() -> bytes:
    """A page that draws a form many times, that draws another one many times, and so on: 10^18 lines in 30 KB."""
    forms = []
    for number in range(5, 10):
        content = b"/F Do " * 1000 if number < 9 else b"0 0 m 40 40 l S " * 1000
        inner = b"/Resources<</XObject<</F %d 0 R>>>>" % (number + 1) if number < 9 else b""
        forms.append(
            b"<</Type/XObject/Subtype/Form/BBox[0 0 40 40]%s/Length %d>>stream\n%s\nendstream"
            % (inner, len(content), content)
        )
    return pdf(b"/F Do " * 1000, SIDE, *forms)


def pdf_of_a_page_as_large_as(side: int) -> bytes:
    return pdf(b"0 0 m 40 40 l S", side)
