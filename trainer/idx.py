"""The IDX format of the MNIST files: a big-endian header of type and shape, then the values.

Format: "THE IDX FILE FORMAT" on Yann LeCun's MNIST page. Only unsigned bytes, which is all that MNIST uses.
"""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainer.errors import DatasetInvalid

UNSIGNED_BYTE = 0x08

Bytes = npt.NDArray[np.uint8]


def read_idx(path: Path) -> Bytes:
    """The array in an IDX file of unsigned bytes, of the shape that its header says.

    Raises:
        DatasetInvalid: the file is not such a file, or is longer or shorter than its header says.
    """
    data = path.read_bytes()
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != UNSIGNED_BYTE:
        raise DatasetInvalid(f"{path} is no IDX file of unsigned bytes; remove it, so that it is fetched again.")
    dimensions = data[3]
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise DatasetInvalid(f"{path} ends within its header; remove it, so that it is fetched again.")
    shape = struct.unpack(f">{dimensions}I", data[4:start])
    values = np.frombuffer(data, np.uint8, offset=start)
    if values.size != np.prod(shape, dtype=np.int64):
        raise DatasetInvalid(
            f"{path} holds {values.size} values, its header says {shape}; remove it, so that it is fetched again."
        )
    return values.reshape(shape)


def write_idx(path: Path, values: Bytes) -> None:
    """Write an array of unsigned bytes, of any shape up to 255 dimensions."""
    path.write_bytes(idx_header(values) + values.tobytes())


def idx_header(values: Bytes) -> bytes:
    """What precedes the values in their file."""
    return bytes([0, 0, UNSIGNED_BYTE, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
