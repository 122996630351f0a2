"""Decompresses gzip, bzip2, xz and Zstandard files, and converts 7-Zip archives to tars.

Imports and classifications need random access, which none of these formats allows. Memory is bounded whatever the file
claims; the caller must bound the output.
"""

import bz2
import gzip
import lzma
import struct
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from tenfold.files.kinds import BZIP2, GZIP, XZ, ZSTD, FileKind
from tenfold.trainer.errors import UnpackingFailed

PIECE_BYTES = 2**20

# The maximum memory for decompression: the best settings of 7-Zip and xz need 256 MiB.
MAX_MEMORY_BYTES = 512 * 2**20

COMPRESSED = (GZIP, BZIP2, XZ, ZSTD)

ENCRYPTED = "The 7-Zip archive is encrypted. Pack the images without a password."

# The beginning of py7zr's message about a name that leads out of the archive.
BAD_PATH = "Specified path is bad: "

# Signature, version and checksum, then the list of files' offset behind these, its size and its checksum.
SEVEN_ZIP_START = struct.Struct("<12s2Q4x")

# IDs of 7-Zip's methods whose properties say how much memory they need (7zFormat.txt, Methods.txt).
LZMA, LZMA2, PPMD = b"\x03\x01\x01", b"\x21", b"\x03\x04\x01"


def unpacked(path: Path, kind: FileKind) -> Iterator[bytes]:
    """Decompress a file, piece by piece.

    Args:
        kind: one of `COMPRESSED`.

    Raises:
        UnpackingFailed: it is damaged or truncated, or needs too much memory.
    """
    try:
        with path.open("rb") as file:
            if kind is XZ:
                yield from _unpacked_xz(file)
                return
            with _open(file, kind) as content:
                while piece := content.read(PIECE_BYTES):
                    yield piece
    except UnpackingFailed:
        raise
    except ImportError as error:
        raise UnpackingFailed(f"This server can't read a {kind.name}: {error}. Pack it with gzip instead.") from error
    except Exception as error:  # each library raises error types of its own
        raise UnpackingFailed(
            f"The {kind.name} is damaged or truncated ({str(error) or type(error).__name__}). Upload it again."
        ) from error


def tar_of_7z(path: Path, target: IO[bytes], check: Callable[[int], None]) -> None:
    """Write the files of a 7-Zip archive as a plain tar.

    Args:
        target: an empty file that can be written and sought.
        check: called for each piece with the number of bytes written so far; may raise to stop.

    Raises:
        UnpackingFailed: it is truncated, damaged, encrypted, uses an unsupported method, has a name that leads out of
            it, or needs too much memory.
    """
    try:
        import py7zr
    except ImportError as error:
        raise UnpackingFailed(
            "This server can't read 7-Zip archives: the package py7zr isn't installed. Upload a zip or tar.gz instead."
        ) from error
    refuse_cut_7z(path)
    writer = _TarWriter(target, check)
    try:
        # With an open file, py7zr works in one thread, one file after another.
        with path.open("rb") as file, py7zr.SevenZipFile(file) as archive:
            if archive.needs_password():
                raise UnpackingFailed(ENCRYPTED)
            _refuse_memory(archive)
            archive.extractall(factory=writer)  # nosec B202: no tarfile; what is written goes to `writer` alone
    except py7zr.PasswordRequired as error:  # the list of files is encrypted too
        raise UnpackingFailed(ENCRYPTED) from error
    except Exception as error:  # py7zr, lzma and the packages of other methods each raise error types of their own
        if isinstance(error, (UnpackingFailed, *writer.stopped)):
            raise
        if str(error).startswith(BAD_PATH):
            name = str(error).removeprefix(BAD_PATH)[:200]
            raise UnpackingFailed(
                f"The 7-Zip archive contains a file named {name!r}, which leads out of the archive. Use names without "
                "'..' and without a leading slash."
            ) from error
        raise UnpackingFailed(
            f"The 7-Zip archive is damaged or can't be read ({str(error) or type(error).__name__}). Upload it "
            "again, or upload a zip instead."
        ) from error
    writer.finish()


def refuse_cut_7z(path: Path) -> None:
    """
    Raises:
        UnpackingFailed: the 7-Zip archive is shorter than its first 32 bytes say (7zFormat.txt).
    """
    with path.open("rb") as file:
        start = file.read(SEVEN_ZIP_START.size)
    if len(start) == SEVEN_ZIP_START.size:
        _, offset, size = SEVEN_ZIP_START.unpack(start)
        if path.stat().st_size >= len(start) + offset + size:
            return
    raise UnpackingFailed("The 7-Zip archive is truncated. Upload it again.")


def _open(file: IO[bytes], kind: FileKind) -> IO[bytes]:
    if kind is GZIP:
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    if kind is BZIP2:
        return cast(IO[bytes], bz2.BZ2File(file))
    from backports import zstd

    return cast(IO[bytes], zstd.ZstdFile(file))


def _unpacked_xz(file: IO[bytes]) -> Iterator[bytes]:
    """As `lzma.LZMAFile`, which has no memory limit."""
    decompressor = lzma.LZMADecompressor(memlimit=MAX_MEMORY_BYTES)
    packed = file.read(PIECE_BYTES)
    while True:
        if decompressor.eof:
            packed = (decompressor.unused_data or file.read(PIECE_BYTES)).lstrip(b"\0")
            if not packed:
                return
            decompressor = lzma.LZMADecompressor(memlimit=MAX_MEMORY_BYTES)
        elif decompressor.needs_input and not packed:
            raise EOFError("unexpected end of file")
        if piece := decompressor.decompress(packed, PIECE_BYTES):
            yield piece
        packed = file.read(PIECE_BYTES) if decompressor.needs_input and not decompressor.eof else b""


def _refuse_memory(archive: Any) -> None:
    """Refuse an archive whose methods would allocate too much memory, which its header says."""
    streams = archive.header.main_streams
    for folder in streams.unpackinfo.folders if streams is not None else ():
        for coder in folder.coders:
            if _memory_of(coder["method"], coder["properties"] or b"") > MAX_MEMORY_BYTES:
                raise UnpackingFailed(
                    f"The 7-Zip archive needs more than {MAX_MEMORY_BYTES // 2**20} MiB of memory. Pack it again "
                    "with a smaller dictionary."
                )


def _memory_of(method: bytes, properties: bytes) -> int:
    if method == LZMA2 and properties:
        bits = properties[0] & 0x3F
        return 2**32 if bits >= 40 else (2 | bits & 1) << (bits // 2 + 11)
    if method in (LZMA, PPMD):
        return int.from_bytes(properties[1:5], "little")
    return 0


class _TarWriter:
    """The factory that py7zr calls for a file to write to; each tar header is written when the size is known."""

    def __init__(self, target: IO[bytes], check: Callable[[int], None]) -> None:
        self._target = target
        self._check = check
        self._header_at = 0
        self._name = ""
        self.stopped: tuple[type[BaseException], ...] = ()

    def create(self, filename: str) -> "_TarWriter":
        self._name, self._header_at = filename, self._target.tell()
        self.write(bytes(len(_tar_header(filename, 0))))
        return self

    def write(self, data: bytes) -> int:
        try:
            self._check(self._target.tell() + len(data))
        except BaseException as error:
            self.stopped = (type(error),)
            raise
        return self._target.write(data)

    def close(self) -> None:
        end = self._target.tell()
        header = _tar_header(self._name, 0)
        size = end - self._header_at - len(header)
        self._target.seek(self._header_at)
        self._target.write(_tar_header(self._name, size))
        self._target.seek(end)
        self._target.write(bytes(-size % tarfile.BLOCKSIZE))

    def finish(self) -> None:
        self._target.write(bytes(tarfile.RECORDSIZE))
        self._target.flush()

    def seekable(self) -> bool:
        return False

    def flush(self) -> None: ...


def _tar_header(name: str, size: int) -> bytes:
    """In GNU format, whose length depends on the name only."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
