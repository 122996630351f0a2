"""Data sets that are made to do harm: memory and disk stay bounded, and no file but the one that was sent is read."""

import gzip
import io
import tarfile
import tempfile
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import py7zr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold.trainer.data.importing import refusals
from tenfold.trainer.data.importing.building import LEFT_TO_THE_IMAGES
from tenfold.trainer.data.importing.kinds import read_upload
from tenfold.trainer.errors import DatasetInvalid
from tests.hostile.measured import measured
from tests.uploads import zipped

MEBIBYTE = 2**20
LABELS = np.arange(20) % 2


def read(path: Path) -> str:
    try:
        read_upload(path, lambda: None, LEFT_TO_THE_IMAGES)
    except DatasetInvalid as error:
        return str(error)
    return ""


def damaged_is_refused(whole: bytes, place: int, change: int, cut: bool) -> None:
    place %= len(whole)
    damaged = bytearray(whole)
    damaged[place] ^= change
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "upload")
        path.write_bytes(damaged[: place + 1] if cut else damaged)
        read(path)
        assert list(Path(directory).iterdir()) == [path]


def test_an_hdf5_file_that_leads_to_another_reads_nothing_of_it(tmp_path: Path) -> None:
    secret, upload = tmp_path / "secret", tmp_path / "upload"
    with h5py.File(secret, "w") as file:
        file["images"], file["labels"] = np.full((20, 28, 28), 7, np.uint8), LABELS
    raw = tmp_path / "raw"
    raw.write_bytes(bytes(20 * 784))

    def links(file: h5py.File) -> None:
        file["images"] = h5py.ExternalLink(str(secret), "images")

    def external(file: h5py.File) -> None:
        file.create_dataset("images", (20, 28, 28), np.uint8, external=[(str(raw), 0, h5py.h5f.UNLIMITED)])

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((20, 28, 28), np.uint8)
        layout[:] = h5py.VirtualSource(str(secret), "images", (20, 28, 28))
        file.create_virtual_dataset("images", layout)

    for make, says in (
        (links, "expected x_train"),
        (external, "is stored in another file"),
        (virtual, "is stored in another file"),
    ):
        upload.unlink(missing_ok=True)
        with h5py.File(upload, "w") as file:
            file["labels"] = LABELS
            make(file)
        assert says in read(upload)


def test_arrays_of_terabytes_are_refused_from_their_headers(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    with h5py.File(path, "w") as file:
        file.create_dataset("images", (900_000, 4096, 4096), np.uint8, chunks=(1, 64, 64))
        file["labels"] = LABELS

    found = measured(read, path)

    assert "MiB; the maximum is" in found.value
    assert found.grown_bytes < 50 * MEBIBYTE


def test_a_tar_s_header_of_gigabytes_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("PaxHeaders")
    info.type, info.size = tarfile.XHDTYPE, 2**30
    path = tmp_path / "upload"
    path.write_bytes(info.tobuf(tarfile.USTAR_FORMAT))
    with path.open("r+b") as file:
        file.truncate(2**30 + 4096)

    found = measured(read, path)

    assert "has an oversized header" in found.value
    assert found.grown_bytes < 50 * MEBIBYTE


def test_a_tar_of_more_files_than_allowed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MAX_FILES", 100)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for index in range(101):
            archive.addfile(tarfile.TarInfo(f"{index}.png"))
    (tmp_path / "upload").write_bytes(buffer.getvalue())

    assert "more than 100 files" in read(tmp_path / "upload")


def read_8_mebibytes(path: Path) -> str:
    refusals.MAX_UNPACKED_BYTES = 8 * MEBIBYTE
    return read(path)


def test_what_unpacks_to_too_much_fills_neither_memory_nor_disk(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(gzip.compress(bytes(200 * MEBIBYTE), compresslevel=1))

    found = measured(read_8_mebibytes, path)

    assert "unpacks to more than 8 MiB" in found.value
    assert found.grown_bytes < 50 * MEBIBYTE
    assert list(tmp_path.iterdir()) == [path]


def test_names_that_lead_outside_are_left_out_and_counted(tmp_path: Path) -> None:
    files = {f"{index % 2}/{index}.png": b"no image" for index in range(20)}
    (tmp_path / "upload").write_bytes(zipped(files | {"../../etc/1.png": b"x", "7/../../2.png": b"x"}))

    found = read_upload(tmp_path / "upload", lambda: None, LEFT_TO_THE_IMAGES)

    assert found.skipped["files whose names lead out of the archive"] == 2


def whole_7z() -> bytes:
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w") as archive:
        archive.writestr(b"no image" * 50, "7/1.png")
    return buffer.getvalue()


def whole_parquet() -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"image": [b"no image"] * 20, "label": LABELS}).write_parquet(buffer)
    return buffer.getvalue()


SEVEN_ZIP, PARQUET = whole_7z(), whole_parquet()


@pytest.mark.parametrize("whole", [SEVEN_ZIP, PARQUET], ids=["7z", "parquet"])
@given(place=st.integers(0, 2**16), change=st.integers(1, 255), cut=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_is_refused_or_read_and_leaves_nothing(whole: bytes, place: int, change: int, cut: bool) -> None:
    damaged_is_refused(whole, place, change, cut)
