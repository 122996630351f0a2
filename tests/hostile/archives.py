"""Archives that nobody would pack who means well."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from tests.sources import member, tar_bytes

GOOD = b"a good image"

# What a name may hold in a zip or a tar, and no page, log or table may trip over.
NAMES = (
    "new\nline.png",
    "carriage\rreturn.png",
    "tab\t.png",
    "\x1b[31mescape\x07.png",
    "right\u202egnp.left.png",
    "isolate\u2066\u2067.png",
    "zero\u200bwidth\ufeff.png",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") + ".png",
    "combining" + "\u0301" * 200 + ".png",
    "<img src=x onerror=alert(1)>.png",
    "'; DROP TABLE jobs; --.png",
    "=cmd|' /C calc'!A0.png",
    "%00%2e%2e%2f.png",
    "CON.png",
    " .png",
    "x" * 60_000 + ".png",
)


def zip_of(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(plain(name), data)
    return buffer.getvalue()


def plain(name: str) -> zipfile.ZipInfo:
    """`ZipInfo` cuts names at NUL; a stranger's packer does not."""
    info = zipfile.ZipInfo("x")
    info.filename, info.compress_type = name, zipfile.ZIP_DEFLATED
    return info


def tar_of(files: dict[str, bytes]) -> bytes:
    return tar_bytes([member(name, data) for name, data in files.items()], format=tarfile.PAX_FORMAT)


def cut_at_every_header(archive: bytes) -> Iterator[bytes]:
    """The zip cut off before, within and behind each of its headers."""
    for signature in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"):
        at = archive.find(signature)
        while at >= 0:
            yield from (archive[: at + more] for more in (0, 2, 4, 15, 29, 45))
            at = archive.find(signature, at + 1)


# Fields of a record in the central directory: where they lie in it, and how long they are.
RECORD_FIELDS = {
    "flags": (8, 2),
    "method": (10, 2),
    "crc": (16, 4),
    "packed size": (20, 4),
    "unpacked size": (24, 4),
    "name length": (28, 2),
    "extra length": (30, 2),
    "comment length": (32, 2),
    "disk": (34, 2),
    "header offset": (42, 4),
}
END_FIELDS = {
    "disk": (4, 2),
    "entries here": (8, 2),
    "entries": (10, 2),
    "directory size": (12, 4),
    "directory offset": (16, 4),
    "comment length": (20, 2),
}


def lies(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """The zip with each field of its directory's first record, and of its end, set to other values."""
    for signature, fields in ((b"PK\x01\x02", RECORD_FIELDS), (b"PK\x05\x06", END_FIELDS)):
        start = archive.find(signature)
        for name, (offset, size) in fields.items():
            for value in (0, 1, 0x7F, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFE, 0xFFFF_FFFF):
                at = start + offset
                wrong = (value & (256**size - 1)).to_bytes(size, "little")
                yield f"{name}={value:#x}", archive[:at] + wrong + archive[at + size :]


def write_zip_of_empty_members(path: Path, count: int) -> None:
    """A zip of so many empty images, one record after the other: `zipfile` would take minutes to write it."""
    with path.open("wb") as file:
        local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 11, 0)
        for number in range(count):
            file.write(local + b"%07d.png" % number)
        start = file.tell()
        for number in range(count):
            fields = (20, 20, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, number * 41)
            file.write(struct.pack("<4s6H3L5H2L", b"PK\1\2", *fields) + b"%07d.png" % number)
        size = file.tell() - start
        at = file.tell()
        file.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start))
        file.write(struct.pack("<4sLQL", b"PK\6\7", 0, at, 1))
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0))


def zip_bomb(unpacked_bytes: int) -> bytes:
    """One image of zeros, a thousandth of its size when packed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block, crc, packed = bytes(2**20), 0, b""
    for _ in range(unpacked_bytes // len(block)):
        packed += packer.compress(block)
        crc = zlib.crc32(block, crc)
    packed += packer.flush()
    name = b"bomb.png"
    sizes = (crc, len(packed), unpacked_bytes)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, *sizes, len(name), 0) + name + packed
    record = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0, *sizes, len(name), 0, 0, 0, 0, 0, 0) + name
    return local + record + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(record), len(local), 0)


def nested_bombs() -> bytes:
    """A zip in a zip in a zip: nobody opens the inner ones."""
    inner = zip_of({"0.png": bytes(2**20)})
    for _ in range(4):
        inner = zip_of({f"{number}.zip": inner for number in range(8)})
    return zip_of({"inside.zip": inner, "1.png": GOOD})


def tar_bomb(unpacked_bytes: int) -> bytes:
    """A tar of one image of zeros, gzipped twice as densely as a zip packs it."""
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb") as packed:
        info = tarfile.TarInfo("bomb.png")
        info.size = unpacked_bytes
        packed.write(info.tobuf())
        for _ in range(unpacked_bytes // 2**20):
            packed.write(bytes(2**20))
        packed.write(bytes(1024))
    return buffer.getvalue()


def tar_of_specials() -> bytes:
    """Every kind of member that is no file, named like images."""
    kinds = {
        "symbolic.png": (tarfile.SYMTYPE, "/etc/passwd"),
        "hard.png": (tarfile.LNKTYPE, "../../etc/passwd"),
        "character.png": (tarfile.CHRTYPE, ""),
        "block.png": (tarfile.BLKTYPE, ""),
        "pipe.png": (tarfile.FIFOTYPE, ""),
        "sparse.png": (tarfile.GNUTYPE_SPARSE, ""),
        "unknown.png": (b"Z", ""),
    }
    members = [member(name, type=kind, linkname=target) for name, (kind, target) in kinds.items()]
    outside = [member(name, GOOD) for name in ("/etc/cron.d/x.png", "../../x.png", "C:\\x.png")]
    return tar_bytes([*members, *outside, member("good.png", GOOD)])
