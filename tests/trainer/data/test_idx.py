"""IDX files: what is written is read back, and what is damaged is named."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import read_idx, write_idx
from tenfold.trainer.errors import DatasetInvalid


@given(arrays(np.uint8, st.one_of(st.just((0, 28, 28)), array_shapes(max_dims=4, max_side=6))))
def test_any_array_is_read_as_it_was_written(values: Bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "values")
        write_idx(path, values)
        read = read_idx(path)

    assert read.shape == values.shape
    assert (read == values).all()


def test_the_bytes_are_those_of_the_format(tmp_path: Path) -> None:
    write_idx(tmp_path / "values", np.array([[1, 2, 3]], np.uint8))

    assert (tmp_path / "values").read_bytes() == bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3])


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "not an IDX file"),
        (b"\x1f\x8b\x08\x00", "not an IDX file"),
        (b"\0\0\x0d\1\0\0\0\1\0\0\0\0", "not an IDX file"),
        (b"\0\0\x08\3\0\0\0\1", "ends within its header"),
        (b"\0\0\x08\1\0\0\0\3\1\2", "holds 2 values"),
        (b"\0\0\x08\1\0\0\0\1\1\2", "holds 2 values"),
    ],
    ids=["empty", "gzip", "floats", "short header", "short", "long"],
)
def test_a_damaged_file_is_named(tmp_path: Path, data: bytes, complaint: str) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(data)

    with pytest.raises(DatasetInvalid, match=f"damaged.*{complaint}.*delete it, so that it is downloaded again"):
        read_idx(path)
