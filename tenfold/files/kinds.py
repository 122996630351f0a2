"""Tells from a file's first bytes what kind of file it is, whatever its name. Standard library only: the web asks too.

Signatures: each format's own specification, and the database of the program `file` (libmagic) where that has none.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

# Enough for every signature below; fewer bytes tell less. A tar's is at byte 257, a PDF's anywhere in the first 1,024.
START_BYTES = 1024

Group = Literal["image", "document", "archive", "data", "text", "other"]

SAVE_AS_PNG = "save it as PNG, JPEG or TIFF"

# Beside what begins with a vowel: names that are spelled out, letter by letter.
SPELLED_WITH_A_VOWEL = ("HDF5", "HTML", "LZ4", "R data", "RTF", "SGI", "SVG", "XBM", "XML", "XPM", "xz")


class FileKind(NamedTuple):
    """A kind of file.

    Attributes:
        name: as people call it, without an article: `HEIC image`, `7-Zip archive`.
        group: what one can do with it. A PDF is an `image` where it is readable: its pages are pictures.
        readable: whether `tenfold.trainer.images` reads it as a picture.
        remedy: what to do about one that is not readable, as the end of a sentence; empty where nothing can be said.
    """

    name: str
    group: Group
    readable: bool = False
    remedy: str = ""

    @property
    def with_article(self) -> str:
        """`a PDF document`, `an HTML page`."""
        vowel = self.name[0] in "aeioAEIO" or self.name.startswith(SPELLED_WITH_A_VOWEL)
        return f"{'an' if vowel else 'a'} {self.name}"


def kind_of_file(start: bytes) -> FileKind | None:
    """The kind of a file that begins with these bytes, best 1,024 or all of it; None where it is of no known kind."""
    for signature, kind in SIGNATURES:
        if start.startswith(signature):
            return kind
    return _by_container(start) or _by_layout(start) or _by_text(start)


def is_readable_image(start: bytes) -> bool:
    """Whether a file that begins with these bytes is of a kind that `tenfold.trainer.images` reads."""
    kind = kind_of_file(start)
    return kind is not None and kind.readable


def may_have_pages(start: bytes) -> bool:
    """Whether a file that begins with these bytes could hold several pages or frames: if not, there is one picture.

    It costs nothing to ask, so that most files need not be opened to count their pages.
    """
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        beginning = start[:START_BYTES]
        return b"acTL" in beginning or b"IDAT" not in beginning
    if start.startswith(b"RIFF"):
        return start[12:16] == b"VP8X" and len(start) > 20 and bool(start[20] & 0x02)
    kind = kind_of_file(start)
    return kind in (TIFF, GIF, PDF, HEIC, AVIF)


def _image(name: str) -> FileKind:
    return FileKind(f"{name} image", "image", readable=True)


def _unread(name: str, remedy: str = SAVE_AS_PNG) -> FileKind:
    return FileKind(name, "image", remedy=remedy)


def _archive(name: str, remedy: str = "pack the images into a zip or a tar") -> FileKind:
    return FileKind(f"{name} archive", "archive", remedy=remedy)


PNG, JPEG, GIF, BMP, TIFF, WEBP = map(_image, ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WebP"))
HEIC, AVIF, JPEG_2000, PNM, ICON = map(_image, ("HEIC", "AVIF", "JPEG 2000", "PNM (PGM, PPM, PBM)", "icon"))
PDF = FileKind("PDF document", "image", readable=True)

ZIP = _archive("zip", "")
GZIP, BZIP2, XZ, ZSTD = (
    FileKind(f"{name} compressed file", "archive") for name in ("gzip", "bzip2", "xz", "Zstandard")
)
TAR = _archive("tar", "")
SEVEN_ZIP, RAR = _archive("7-Zip"), _archive("RAR")
SPLIT_ZIP = FileKind(
    "part of a split zip archive", "archive", remedy="join the parts into one zip: zip -s 0 in.zip --out all.zip"
)

JPEG_XL = _unread("JPEG XL image", "save it as PNG or JPEG: djxl in.jxl out.png")
# ImageMagick 6 writes them upside down, against their own header: what reads by the header then sees a 2 for a 5.
TGA = _unread("TGA image", "programs disagree which way up these are: save it as PNG")
SVG = _unread("SVG drawing, not a picture of pixels", "save it as PNG")
POSTSCRIPT = _unread("PostScript file", "save it as PDF or PNG")
CAMERA_RAW = _unread("camera's raw image", "develop it, and save it as JPEG or PNG")

HDF5 = FileKind("HDF5 file (.h5, .hdf5, MATLAB 7.3)", "data")
MATLAB = FileKind("MATLAB file", "data")
PARQUET = FileKind("Parquet file", "data")
ARROW = FileKind("Arrow or Feather file", "data")
NPY = FileKind("NumPy array (.npy)", "data")
PICKLE = FileKind(
    "Python pickle", "data", remedy="pickles can run programs and are never opened; save the data as .npz"
)
IDX = FileKind("IDX file", "data")
SQLITE = FileKind("SQLite database", "data")

HTML = FileKind("HTML page, not a picture", "text", remedy="perhaps it was saved instead of the image that it shows")
XML = FileKind("XML file", "text")
JSON = FileKind("JSON file", "text")
TEXT = FileKind("text file", "text")
OFFICE = FileKind("Microsoft Office file", "document", remedy="save its pages as PDF")
OLD_OFFICE = FileKind("old Microsoft Office file or a Thumbs.db", "document", remedy="save its pages as PDF")
VIDEO = FileKind("video", "other", remedy="save the frames that count as images")
AUDIO = FileKind("sound file", "other")
PROGRAM = FileKind("program", "other")
APPLE_DOUBLE = FileKind(
    "macOS attributes file (._name), not the picture itself", "other", remedy="send the file without ._"
)
FONT = FileKind("font", "other")

# Longer ones first where one begins like another.
SIGNATURES: Sequence[tuple[bytes, FileKind]] = (
    (b"\x89PNG", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II\x2a\0\x10\0\0\0CR", CAMERA_RAW),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"\0\0\0\x0cjP  \r\n\x87\n", JPEG_2000),
    (b"\xff\x4f\xff\x51", JPEG_2000),
    (b"\xff\x0a", JPEG_XL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", JPEG_XL),
    (b"8BPS", _unread("Photoshop image (PSD)")),
    (b"gimp xcf", _unread("GIMP image (XCF)")),
    (b"AT&TFORM", _unread("DjVu document", "save its pages as PDF or PNG")),
    (b"%!PS", POSTSCRIPT),
    (b"\xc5\xd0\xd3\xc6", POSTSCRIPT),
    (b"FUJIFILMCCD-RAW", CAMERA_RAW),
    (b"IIRO", CAMERA_RAW),
    (b"IIU\0", CAMERA_RAW),
    (b"FOVb", CAMERA_RAW),
    (b"II\xbc", _unread("JPEG XR image")),
    (b"\x76\x2f\x31\x01", _unread("OpenEXR image")),
    (b"#?RADIANCE", _unread("Radiance HDR image")),
    (b"DDS ", _unread("DDS texture")),
    (b"qoif", _unread("QOI image")),
    (b"icns", _unread("Apple icon (ICNS)")),
    (b"\x97JB2\r\n\x1a\n", _unread("JBIG2 image")),
    (b"FLIF", _unread("FLIF image")),
    (b"BPG\xfb", _unread("BPG image")),
    (b"SIMPLE  =", _unread("FITS image")),
    (b"\x59\xa6\x6a\x95", _unread("Sun raster image")),
    (b"\xd7\xcd\xc6\x9a", _unread("Windows metafile (WMF)")),
    (b"/* XPM */", _unread("XPM image")),
    (b"\x01\xda\x01", _unread("SGI image")),
    (b"\x01\xda\0", _unread("SGI image")),
    (b"PK\x07\x08PK", SPLIT_ZIP),
    (b"PK00PK\x03\x04", ZIP),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"PK\x06\x06", ZIP),
    (b"\x1f\x8b", GZIP),
    (b"BZh", BZIP2),
    (b"\xfd7zXZ\0", XZ),
    (b"\x28\xb5\x2f\xfd", ZSTD),
    (b"7z\xbc\xaf\x27\x1c", SEVEN_ZIP),
    (b"Rar!\x1a\x07", RAR),
    (b"\x1f\x9d", _archive("compress (.Z)")),
    (b"\x04\x22\x4d\x18", _archive("LZ4")),
    (b"LZIP", _archive("lzip")),
    (b"MSCF", _archive("Windows cabinet (CAB)")),
    (b"!<arch>\n", _archive("ar")),
    (b"\x89HDF\r\n\x1a\n", HDF5),
    (b"MATLAB 5.0", MATLAB),
    (b"PAR1", PARQUET),
    (b"ARROW1", ARROW),
    (b"FEA1", ARROW),
    (b"\x93NUMPY", NPY),
    (b"SQLite format 3\0", SQLITE),
    (b"RDX", FileKind("R data file", "data")),
    (b"Obj\x01", FileKind("Avro file", "data")),
    (b"ORC", FileKind("ORC file", "data")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLD_OFFICE),
    (b"{\\rtf", FileKind("RTF document", "document", remedy="save its pages as PDF")),
    (b"\0\x05\x16\x07", APPLE_DOUBLE),
    (b"\0\x05\x16\0", APPLE_DOUBLE),
    (b"\0\0\0\x01Bud1", FileKind("macOS folder settings file (.DS_Store)", "other")),
    (b"\x7fELF", PROGRAM),
    (b"MZ", PROGRAM),
    (b"\xca\xfe\xba\xbe", PROGRAM),
    (b"\xcf\xfa\xed\xfe", PROGRAM),
    (b"\0asm", PROGRAM),
    (b"\x1aE\xdf\xa3", VIDEO),
    (b"\0\0\x01\xba", VIDEO),
    (b"\0\0\x01\xb3", VIDEO),
    (b"FLV\x01", VIDEO),
    (b"ID3", AUDIO),
    (b"OggS", AUDIO),
    (b"fLaC", AUDIO),
    (b"\0\x01\0\0\0", FONT),
    (b"OTTO\0", FONT),
    (b"wOFF", FONT),
    (b"wOF2", FONT),
)

# The brands of ISO/IEC 23008-12 (HEIF) and of AVIF; the generic ones say AVIF where that is among the others they name.
HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}
)
AVIF_BRANDS = frozenset({b"avif", b"avis"})


def _by_container(start: bytes) -> FileKind | None:
    """RIFF and ISO media files, whose first bytes are a length, then a name."""
    if start.startswith(b"RIFF"):
        return {b"WEBP": WEBP, b"AVI ": VIDEO, b"WAVE": AUDIO}.get(start[8:12])
    if start[4:8] != b"ftyp":
        return VIDEO if start[4:8] in (b"moov", b"mdat", b"wide") else None
    size = min(int.from_bytes(start[:4], "big"), len(start))
    brand, others = start[8:12], {start[at : at + 4] for at in range(16, size - 3, 4)}
    if brand in AVIF_BRANDS or (brand in HEIF_BRANDS and others & AVIF_BRANDS):
        return AVIF
    if brand in HEIF_BRANDS:
        return HEIC
    return CAMERA_RAW if brand == b"crx " else VIDEO


def _by_layout(start: bytes) -> FileKind | None:
    """Kinds without a signature, told by fields that must have one of few values."""
    if start[257:262] == b"ustar":
        return TAR
    if start[128:132] == b"DICM":
        return _unread("DICOM image")
    if b"%PDF-" in start[:START_BYTES]:
        return PDF
    if start.startswith(b"BM") and int.from_bytes(start[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124):
        return BMP
    if re.match(rb"P[1-6]\s", start) or re.match(rb"P[fF]\s+-?\d", start):
        return PNM
    if re.match(rb"P7\s", start):
        return _unread("PAM image (P7)")
    if re.match(rb"\x0a[\x00-\x05]\x01[\x01\x02\x04\x08]", start):
        return _unread("PCX image")
    if re.match(rb"\0\0[\x08\x09\x0b-\x0e][\x01-\x05]\0", start):
        return IDX
    if re.match(rb"\0\0\x01\0[\x01-\x40]\0", start):
        return ICON
    if re.match(rb"\0\0\x02\0[\x01-\x40]\0", start):
        return _unread("mouse pointer (CUR)")
    if re.match(rb"\x80[\x02-\x05][\x95}\]()cKXU\x8a\x8c]", start):
        return PICKLE
    return TGA if _is_tga(start) else None


def _is_tga(start: bytes) -> bool:
    """A TGA has no signature: of its 18 bytes of header, most can have few values."""
    if len(start) < 18:
        return False
    color_map, picture = start[1], start[2]
    width, height = int.from_bytes(start[12:14], "little"), int.from_bytes(start[14:16], "little")
    if not width or not height or start[17] & 0xC0:
        return False
    if picture in (1, 9):
        return color_map == 1 and start[7] in (15, 16, 24, 32) and start[16] in (8, 16)
    depths = {2: (15, 16, 24, 32), 10: (15, 16, 24, 32), 3: (8, 16), 11: (8, 16)}.get(picture, ())
    return color_map == 0 and start[3:8] == bytes(5) and start[16] in depths


def _by_text(start: bytes) -> FileKind | None:
    beginning = start[:START_BYTES].lower().lstrip(b"\xef\xbb\xbf").lstrip()
    if b"<svg" in beginning:
        return SVG
    if b"<html" in beginning or b"<!doctype html" in beginning:
        return HTML
    if not _is_text(start[:START_BYTES]):
        return None
    if beginning.startswith(b"<?xml"):
        return XML
    if re.match(rb"#define \w+_width ", beginning):
        return _unread("XBM image")
    return JSON if re.match(rb"[\[{]\s*([\"\[{}\]\d-]|true|false|null)", beginning) else TEXT


def _is_text(start: bytes) -> bool:
    """Whether these bytes are UTF-8, or an old code page, without control characters."""
    return bool(start) and not re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]", start)
