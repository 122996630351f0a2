"""Files to begin with: small good ones of every kind, which the fuzzer then damages."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from tests.sources import member, tar_bytes
from tests.uploads import npz, zipped

PICTURE = np.add.outer(np.arange(12), np.arange(10)).astype(np.uint8) * 11


def write_seeds(target: str, directory: Path) -> None:
    for number, data in enumerate(SEEDS[target]()):
        (directory / f"seed-{number}").write_bytes(data)


def picture(format: str, mode: str = "L") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).convert(mode).save(buffer, format)
    return buffer.getvalue()


def pictures() -> list[bytes]:
    modes = {
        "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
        "JPEG": ("L", "RGB", "CMYK"),
        "GIF": ("P", "L"),
        "BMP": ("1", "L", "P", "RGB"),
        "TIFF": ("1", "L", "P", "RGB", "RGBA", "CMYK", "F", "I;16"),
        "WEBP": ("RGB", "RGBA"),
        "AVIF": ("RGB",),
        "JPEG2000": ("L", "RGB"),
        "PPM": ("1", "L", "RGB"),
        "ICO": ("RGB", "RGBA"),
    }
    return [picture(format, mode) for format, found in modes.items() for mode in found]


def archives() -> list[bytes]:
    files = {"7/a.png": picture("PNG"), "b.jpg": b"x" * 40, "manifest.csv": b"name,truth\nb.jpg,3\n"}
    deflated = io.BytesIO()
    with zipfile.ZipFile(deflated, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    members = [member(name, data) for name, data in files.items()]
    formats = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)
    return [
        zipped(files),
        deflated.getvalue(),
        *(tar_bytes(members, format=format) for format in formats),
        tar_bytes([member("x" * 200 + ".png", b"long name")]),
        tar_bytes(members, "gz"),
        tar_bytes(members, "bz2"),
    ]


def datasets() -> list[bytes]:
    images, labels = np.zeros((4, 28, 28), np.uint8), np.array([0, 1, 0, 1], np.uint8)
    line = ",".join(["label", *(f"pixel{index}" for index in range(784))])
    return [
        npz(images=images, labels=labels),
        npz(x_train=images, y_train=labels, x_test=images, y_test=labels.astype(str)),
        zipped({"cats/1.png": picture("PNG"), "dogs/2.png": picture("GIF")}),
        f"{line}\n3,{','.join(['7'] * 784)}\n".encode(),
    ]


SEEDS = {"archive": archives, "image": pictures, "dataset": datasets}
