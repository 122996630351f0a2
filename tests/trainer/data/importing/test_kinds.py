"""Data sets as people find and pack them: read rightly whatever the packing, and told what was skipped and assumed."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import polars as pl
import py7zr
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd
from PIL import Image

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.importing import Imported, import_dataset, refusals
from tenfold.trainer.errors import DatasetInvalid

TRAIN, TEST = 150, 100
JAPANESE = ("零", "表", "ソ", "能")

Import = Callable[[bytes], Imported]


@pytest.fixture(scope="module")
def few(mnist: Dataset) -> Dataset:
    """The first images of MNIST; all ten digits are in both parts."""
    return mnist.head(TRAIN, TEST)


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """Imports a file of these bytes, whose name says nothing."""

    def run(data: bytes) -> Imported:
        path = tmp_path / "upload"
        path.write_bytes(data)
        result = import_dataset(path, "own")
        assert [entry.name for entry in tmp_path.iterdir()] == ["upload"]
        return result

    return run


def encoded(image: np.ndarray, kind: str = "png", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


def in_folders(
    few: Dataset, form: str = "{part}/{label}/{index}.png", train: str = "train", test: str = "test"
) -> dict[str, bytes]:
    return {
        form.format(part=part, label=label, index=index): encoded(image)
        for part, images, labels in (
            (train, few.train_images, few.train_labels),
            (test, few.test_images, few.test_labels),
        )
        for index, (image, label) in enumerate(zip(images, labels, strict=True))
    }


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


class WithoutFlag(zipfile.ZipInfo):
    """A member whose name is written as it is, and not said to be UTF-8."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("cp437"), 0


def tarred(files: Mapping[str, bytes], kind: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def in_7z(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return buffer.getvalue()


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def idx(values: np.ndarray, code: int = 8) -> bytes:
    header = bytes([0, 0, code, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(values.dtype.newbyteorder(">")).tobytes()


def table(rows: Any, header: str = "", mark: str = ",") -> bytes:
    return "\n".join([*([header] if header else []), *(mark.join(map(str, row)) for row in rows)]).encode()


def is_split_as(found: Dataset, few: Dataset) -> bool:
    def content(images: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> list[tuple[str, bytes]]:
        return sorted((names[label], image.tobytes()) for image, label in zip(images, labels, strict=True))

    return all(
        content(getattr(found, f"{part}_images"), getattr(found, f"{part}_labels"), found.class_names)
        == content(getattr(few, f"{part}_images"), getattr(few, f"{part}_labels"), few.class_names)
        for part in ("train", "test")
    )


# Class folders


@pytest.mark.parametrize(
    ("train", "test"),
    [("training", "testing"), ("train_set", "test_set"), ("Train data", "Test data"), ("train", "val")],
)
@pytest.mark.parametrize("form", ["set/{part}/{label}/{index}.png", "{label}/{part}/{index}.png"])
def test_the_split_of_the_folders_is_taken_and_told(
    imported: Import, few: Dataset, train: str, test: str, form: str
) -> None:
    result = imported(zipped(in_folders(few, form, train, test)))

    assert is_split_as(result.dataset, few)
    assert any(train in note and test in note for note in result.report.notes)


def test_where_there_is_no_split_it_is_told_that_one_was_drawn(imported: Import, few: Dataset) -> None:
    report = imported(zipped(in_folders(few, "{label}/{part}{index}.png"))).report

    assert report.notes[0] == "The file has no split: a random 17% of each class became the test images."


def test_an_unlabeled_test_folder_is_left_out_and_counted(imported: Import, few: Dataset) -> None:
    files = in_folders(few, "trainingSet/{label}/{part}{index}.png")
    report = imported(zipped(files | {f"testSet/{n}.png": encoded(few.test_images[n]) for n in range(20)})).report

    assert list(report.per_class) == list("0123456789")
    assert sum(report.skipped.values()) == 20
    assert any("20 (testSet/0.png" in warning for warning in report.warnings)


def test_a_refusal_tells_of_the_images_that_were_left_out(imported: Import, few: Dataset) -> None:
    files = {f"{index}.png": encoded(image) for index, image in enumerate(few.train_images[:20])}

    with pytest.raises(DatasetInvalid, match=r"only 2 images.* Skipped images in no class folder: 20 \(0.png"):
        imported(zipped(files | {f"{label}/1.png": encoded(few.train_images[0]) for label in (1, 2)}))


def test_hidden_and_system_folders_are_counted_and_never_classes(imported: Import, few: Dataset) -> None:
    picture = encoded(few.test_images[0])
    left_behind = (
        "train/7/.ipynb_checkpoints/1-checkpoint.png",
        "test/@eaDir/1.png",
        ".thumbnails/1.png",
        "train/Thumbs.db",
    )
    result = imported(zipped(in_folders(few) | dict.fromkeys(left_behind, picture)))

    assert is_split_as(result.dataset, few)
    assert result.report.skipped == {"hidden and system files": 4}
    assert any(note.startswith("Skipped hidden and system files: 4 (") for note in result.report.notes)


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".pgm", "", ".dat"])
def test_an_image_is_told_by_its_content(imported: Import, few: Dataset, suffix: str) -> None:
    kind = {".pgm": "ppm", ".jfif": "jpeg", ".jpe": "jpeg"}.get(suffix, "png")
    files = {
        f"{label}/{index}{suffix if label > 4 else '.png'}": encoded(image, kind if label > 4 else "png")
        for index, (image, label) in enumerate(zip(few.train_images, few.train_labels, strict=True))
    }
    report = imported(zipped(files)).report

    assert (report.images, report.unreadable_count) == (TRAIN, 0)
    assert list(report.per_class) == list("0123456789")


def test_what_is_no_image_is_counted_by_its_kind(imported: Import, few: Dataset) -> None:
    others = {
        "train/7/notes.txt": b"seven",
        "train/model.h5": b"\x89HDF\r\n\x1a\n",
        "x.bin": b"\0\1\2",
        "train/7/empty": b"",
    }
    report = imported(zipped(in_folders(few) | others)).report

    assert report.skipped == {
        "files that are not images: text file": 1,
        "files that are not images: HDF5 file (.h5, .hdf5, MATLAB 7.3)": 1,
        "files of unknown type": 1,
        "empty files": 1,
    }
    assert len([note for note in report.notes if note.startswith("Skipped")]) == 4


def test_each_page_of_a_file_is_an_image(imported: Import, few: Dataset) -> None:
    files = {}
    for label in range(10):
        pages = [Image.fromarray(image) for image in few.train_images[few.train_labels == label][:4]]
        buffer = io.BytesIO()
        pages[0].save(buffer, "tiff", save_all=True, append_images=pages[1:])
        files[f"{label}/pages.tif"] = buffer.getvalue()
    report = imported(zipped(files)).report

    assert report.images == 40
    assert any("Files with several pages or frames: 10; each of their 40 pages" in note for note in report.notes)


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_names_without_a_flag_are_read_and_no_member_is_lost(imported: Import, few: Dataset, encoding: str) -> None:
    files = {
        f"{JAPANESE[label % 4]}/検{index}.png": encoded(image)
        for index, (image, label) in enumerate(zip(few.train_images, few.train_labels, strict=True))
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(WithoutFlag(name.encode(encoding).decode("cp437")), data)
    report = imported(buffer.getvalue()).report

    assert set(report.per_class) == set(JAPANESE)
    assert report.images == TRAIN


# Packing


@pytest.mark.parametrize(
    "pack",
    [
        tarred,
        lambda files: tarred(files, tarfile.GNU_FORMAT),
        lambda files: tarred(files, tarfile.USTAR_FORMAT),
        lambda files: gzip.compress(tarred(files)),
        lambda files: bz2.compress(tarred(files)),
        lambda files: lzma.compress(tarred(files)),
        lambda files: zstd.compress(tarred(files)),
        in_7z,
        lambda files: b"#!/bin/sh\nexec unzip $0\n\0" + zipped(files),
    ],
    ids=["pax", "gnu", "ustar", "gz", "bz2", "xz", "zst", "7z", "prefix"],
)
@pytest.mark.parametrize("content", ["class folders", "IDX"])
def test_every_packing_gives_the_same(
    imported: Import, few: Dataset, pack: Callable[[Mapping[str, bytes]], bytes], content: str
) -> None:
    files = in_folders(few, "digits/{part}/{label}/{index}.png") if content == "class folders" else idx_files(few)

    assert is_split_as(imported(pack(files)).dataset, few)


@pytest.mark.parametrize(("method", "name"), [(9, "Deflate64"), (95, "XZ"), (98, "PPMd"), (93, "Zstandard")])
def test_a_method_of_packing_that_is_not_read_is_named(imported: Import, few: Dataset, method: int, name: str) -> None:
    data = bytearray(zipped(in_folders(few, "{label}/{part}{index}.png")))
    record = data.index(b"PK\1\2")
    header = int.from_bytes(data[record + 42 : record + 46], "little")
    for at in (record + 10, header + 8):
        data[at : at + 2] = method.to_bytes(2, "little")
    report = imported(bytes(data)).report

    assert report.unreadable_count == 1
    assert f"uses {name} compression, which isn't supported; pack the zip with Deflate" in report.unreadable[0]


def test_names_of_another_encoding_in_a_tar_are_read(imported: Import, few: Dataset) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, encoding="cp932") as archive:
        for index, (image, label) in enumerate(zip(few.train_images, few.train_labels, strict=True)):
            data = encoded(image)
            info = tarfile.TarInfo(f"{JAPANESE[label % 4]}/検{index}.png")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    report = imported(buffer.getvalue()).report

    assert set(report.per_class) == set(JAPANESE)
    assert json.dumps(report.as_dict(), ensure_ascii=False).encode()


def test_links_and_devices_in_a_tar_are_counted(imported: Import, few: Dataset) -> None:
    buffer = io.BytesIO(tarred(in_folders(few)))
    with tarfile.open(fileobj=buffer, mode="a") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo("train/7/link.png")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    result = imported(buffer.getvalue())

    assert is_split_as(result.dataset, few)
    assert result.report.skipped == {"links and devices": 3}


# IDX


def idx_files(few: Dataset, form: str = "{part}-{role}-idx{dimensions}-ubyte", test: str = "t10k") -> dict[str, bytes]:
    arrays = {("train", "images"): few.train_images, ("train", "labels"): few.train_labels}
    arrays |= {(test, "images"): few.test_images, (test, "labels"): few.test_labels}
    return {
        form.format(part=part, role=role, dimensions=values.ndim): idx(values)
        for (part, role), values in arrays.items()
    }


@pytest.mark.parametrize(
    ("form", "test"),
    [
        ("{part}-{role}-idx{dimensions}-ubyte/{part}-{role}-idx{dimensions}-ubyte", "t10k"),
        ("{part}-{role}.idx{dimensions}-ubyte", "t10k"),
        ("digits/qmnist-{part}-{role}-idx{dimensions}-ubyte", "test"),
        ("{part}_{role}.idx", "test"),
    ],
)
def test_idx_files_are_told_by_what_their_names_say(imported: Import, few: Dataset, form: str, test: str) -> None:
    assert is_split_as(imported(zipped(idx_files(few, form, test))).dataset, few)


def test_the_labels_of_qmnist_are_their_first_column(imported: Import, few: Dataset) -> None:
    files = idx_files(few, "qmnist-{part}-{role}-idx{dimensions}-ubyte", "test")
    for part, labels in (("train", few.train_labels), ("test", few.test_labels)):
        del files[f"qmnist-{part}-labels-idx1-ubyte"]
        columns = np.stack([labels, labels + 100, labels * 7], axis=1).astype(np.int32)
        files[f"qmnist-{part}-labels-idx2-int.gz"] = gzip.compress(idx(columns, 0x0C))

    assert is_split_as(imported(zipped(files)).dataset, few)


def exchanged(few: Dataset) -> Dataset:
    return Dataset(
        "exchanged",
        few.train_images.transpose(0, 2, 1),
        few.train_labels,
        few.test_images.transpose(0, 2, 1),
        few.test_labels,
    )


def test_emnist_is_set_upright_and_called_by_its_mapping(imported: Import, few: Dataset) -> None:
    files = idx_files(exchanged(few), "gzip/emnist-letters-{part}-{role}-idx{dimensions}-ubyte", "test")
    files["gzip/emnist-letters-mapping.txt"] = "".join(
        f"{label} {65 + label} {97 + label}\n" for label in range(10)
    ).encode()
    result = imported(zipped(files))

    assert result.dataset.class_names == tuple("ABCDEFGHIJ")
    named = Dataset(**{**vars(few), "class_names": tuple("ABCDEFGHIJ")})
    assert is_split_as(result.dataset, named)
    assert any("were transposed back" in note for note in result.report.notes)


def test_digits_that_lie_on_their_side_are_set_upright_with_a_warning(imported: Import, few: Dataset) -> None:
    result = imported(zipped(idx_files(exchanged(few))))

    assert is_split_as(result.dataset, few)
    assert any("they were transposed back" in warning for warning in result.report.warnings)


def test_a_small_part_is_set_upright_with_the_large_one(imported: Import, few: Dataset) -> None:
    side = exchanged(few)
    rows = {
        "train": [[y, *x.ravel()] for x, y in zip(side.train_images, side.train_labels, strict=True)],
        "test": [[y, *x.ravel()] for x, y in zip(side.test_images[:20], side.test_labels[:20], strict=True)],
    }
    result = imported(zipped({f"emnist-mnist-{part}.csv": table(values) for part, values in rows.items()}))

    assert is_split_as(result.dataset, few.head(TRAIN, 20))


def test_tables_of_emnist_are_set_upright_by_their_name_unless_they_are(imported: Import, few: Dataset) -> None:
    for dataset, turned in ((exchanged(few), True), (few, False)):
        # Too few to be measured as lying on their side.
        some = dataset.head(40, 10) if turned else dataset
        rows = [[y, *x.ravel()] for x, y in zip(some.train_images, some.train_labels, strict=True)]
        result = imported(zipped({"emnist-balanced-train.csv": table(rows)}))

        upright = {image.tobytes() for image in few.train_images}
        assert all(image.tobytes() in upright for image in result.dataset.train_images)
        assert any("were transposed back" in note for note in result.report.notes) == turned


def test_of_two_whole_data_sets_none_is_taken(imported: Import, few: Dataset) -> None:
    files = idx_files(few, "emnist-digits-{part}-{role}-idx{dimensions}-ubyte", "test")
    files |= idx_files(few, "emnist-mnist-{part}-{role}-idx{dimensions}-ubyte", "test")

    with pytest.raises(DatasetInvalid, match="contains 2 data sets: emnist-digits, emnist-mnist"):
        imported(zipped(files))


# Arrays


@pytest.mark.parametrize(
    "names",
    [
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("trainX", "trainY", "testX", "testY"),
        ("train_data", "train_target", "val_data", "val_target"),
    ],
)
def test_arrays_are_told_by_their_names(imported: Import, few: Dataset, names: tuple[str, ...]) -> None:
    arrays = (few.train_images, few.train_labels, few.test_images, few.test_labels)

    assert is_split_as(imported(npz(**dict(zip(names, arrays, strict=True)))).dataset, few)


def test_with_three_parts_validation_images_are_for_training_and_it_is_said(imported: Import, few: Dataset) -> None:
    report = imported(
        npz(
            train_images=few.train_images[:100],
            train_labels=few.train_labels[:100, None],
            val_images=few.train_images[100:],
            val_labels=few.train_labels[100:, None],
            test_images=few.test_images,
            test_labels=few.test_labels[:, None],
        )
    ).report

    assert (report.train, report.test) == (TRAIN, TEST)
    assert "validation images (val_images) were added to the training images" in report.notes[0]


@pytest.mark.parametrize(
    ("train", "test", "warning"),
    [
        (
            lambda x: x,
            lambda x: (x > 127).astype(np.uint8),
            "The test images are nearly black: the brightest pixel is 1",
        ),
        (lambda x: (x > 127).astype(np.int64), lambda x: x, "The training images are nearly black"),
        (lambda x: x.astype(np.float32), lambda x: x / 255, "x_train has values 0–255, x_test has fractions 0–1"),
        (lambda x: x, lambda x: 255 - x, "The test images look dark on light"),
        (lambda x: x, lambda x: x // 5, "Training and test images differ: their mean brightness is"),
    ],
    ids=["dark test", "dark training", "ranges", "inverted", "dim"],
)
def test_parts_that_differ_are_warned_about(
    imported: Import, few: Dataset, train: Callable[[Any], Any], test: Callable[[Any], Any], warning: str
) -> None:
    arrays = {"y_train": few.train_labels, "y_test": few.test_labels}
    report = imported(npz(x_train=train(few.train_images), x_test=test(few.test_images), **arrays)).report

    assert any(warning in said for said in report.warnings), report.warnings


def hdf5(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, values in arrays.items():
            file.create_dataset(name.replace("__", "/"), data=values, compression="gzip" if np.ndim(values) else None)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "names",
    [
        ("train__data", "train__target", "test__data", "test__target"),
        ("x_train", "y_train", "x_test", "y_test"),
        ("deep__er__train__images", "deep__er__train__labels", "deep__er__test__images", "deep__er__test__labels"),
    ],
)
def test_an_hdf5_file_is_read(imported: Import, few: Dataset, names: tuple[str, ...]) -> None:
    arrays = (
        few.train_images.reshape(-1, 784) / 255,
        few.train_labels,
        few.test_images.reshape(-1, 784) / 255,
        few.test_labels,
    )
    data = hdf5(**dict(zip(names, arrays, strict=True)))

    assert is_split_as(imported(data).dataset, few)
    assert is_split_as(imported(zipped({"digits/digits.h5": data})).dataset, few)


def test_an_hdf5_file_may_have_text_labels(imported: Import, few: Dataset) -> None:
    words = np.array(["even", "odd"], object)[few.train_labels % 2]
    found = imported(hdf5(images=few.train_images, labels=words.tolist())).dataset

    assert found.class_names == ("even", "odd")


# Tables of files and of pixels


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("column", "place"), [("label", 0), ("label", 784), ("class", 784), ("Target", 0), ("labels", 300)]
)
def test_a_table_names_its_label_column_anywhere(
    imported: Import, few: Dataset, mark: str, column: str, place: int
) -> None:
    names = [f"pixel{index}" for index in range(784)]
    names.insert(place, column)
    rows = [image.ravel().tolist() for image in few.train_images]
    for row, label in zip(rows, few.train_labels, strict=True):
        row.insert(place, int(label))
    report = imported(table(rows, mark.join(names), mark)).report

    assert (report.images, list(report.per_class)) == (TRAIN, list("0123456789"))


@pytest.mark.parametrize("last", [False, True])
def test_without_a_header_the_label_is_first_or_last_and_it_is_said(imported: Import, few: Dataset, last: bool) -> None:
    rows = [
        [*image.ravel(), label] if last else [label, *image.ravel()]
        for image, label in zip(few.train_images, few.train_labels, strict=True)
    ]
    report = imported(table(rows)).report

    assert (report.images, list(report.per_class)) == (TRAIN, list("0123456789"))
    assert any(f"the {'last' if last else 'first'} one was used" in warning for warning in report.warnings)


def test_a_table_may_hold_squares_of_another_size_line_numbers_and_a_last_comma(imported: Import, few: Dataset) -> None:
    small = few.train_images[:, 2:-2, 2:-2].reshape(-1, 8, 3, 8, 3).mean(axis=(2, 4)).astype(int)
    header = ",".join(["", "label", *(f"p{index}" for index in range(64)), ""])
    rows = [[index, few.train_labels[index], *image.ravel(), ""] for index, image in enumerate(small)]
    report = imported(table(rows, header)).report

    assert (report.images, list(report.per_class)) == (TRAIN, list("0123456789"))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("{index}.png", "filename,label"),
        ("train_images/{index}.png", "label,path"),
        ("{index}", "id_code,diagnosis"),
        ("C:\\data\\{index}.png", "image,writer,class"),
    ],
)
def test_images_are_labeled_by_a_table(imported: Import, few: Dataset, name: str, header: str) -> None:
    files = {f"train_images/{index}.png": encoded(image) for index, image in enumerate(few.train_images)}
    files |= {f"test_images/t{index}.png": encoded(image) for index, image in enumerate(few.test_images[:20])}
    columns = header.split(",")
    rows = []
    for index, label in enumerate(few.train_labels):
        cells = dict.fromkeys(columns, "anna") | {columns[-1]: label, columns[0]: name.format(index=index)}
        if header == "label,path":
            cells = {"label": label, "path": name.format(index=index)}
        rows.append([cells[column] for column in columns])
    report = imported(zipped(files | {"train.csv": table(rows, header)})).report

    assert (report.images, list(report.per_class)) == (TRAIN, list("0123456789"))
    assert report.skipped == {"images without a row in a table": 20}
    assert any("of train.csv: 150 of its 150 rows name an image" in note for note in report.notes)


def test_a_table_in_each_part_s_folder_gives_the_split(imported: Import, few: Dataset) -> None:
    files = {}
    for part, images, labels in (
        ("train", few.train_images, few.train_labels),
        ("test", few.test_images, few.test_labels),
    ):
        files |= {f"digits/{part}/{index}.png": encoded(image) for index, image in enumerate(images)}
        files[f"digits/{part}/metadata.csv"] = table([[f"{n}.png", y] for n, y in enumerate(labels)], "file_name,label")

    assert is_split_as(imported(zipped(files)).dataset, few)


def test_a_table_whose_class_column_is_not_clear_is_refused(imported: Import, few: Dataset) -> None:
    files = {f"images/{index}.png": encoded(image) for index, image in enumerate(few.train_images)}
    rows = [[f"{index}.png", "anna", label] for index, label in enumerate(few.train_labels)]

    with pytest.raises(DatasetInvalid, match=r"isn't clear which of its columns file, who, digit has their classes"):
        imported(zipped(files | {"train.csv": table(rows, "file,who,digit")}))


def hugging_face(images: np.ndarray, labels: np.ndarray, names: list[str] | None = None) -> bytes:
    buffer = io.BytesIO()
    pictures = [{"bytes": encoded(image), "path": None} for image in images]
    written = pa.table({"image": pictures, "label": labels.tolist()})
    if names:
        features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
        written = written.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(written, buffer)
    return buffer.getvalue()


def test_parquet_files_of_hugging_face_are_read_with_their_split_and_names(imported: Import, few: Dataset) -> None:
    files = {
        "data/train-00000-of-00001.parquet": hugging_face(few.train_images, few.train_labels),
        "data/test-00000-of-00001.parquet": hugging_face(few.test_images, few.test_labels),
    }
    assert is_split_as(imported(zipped(files)).dataset, few)

    names = [f"digit {digit}" for digit in range(10)]
    found = imported(hugging_face(few.train_images, few.train_labels, names))
    assert found.dataset.class_names == tuple(names)
    assert found.report.images == TRAIN


def test_a_parquet_file_may_have_a_column_for_each_pixel(imported: Import, few: Dataset) -> None:
    columns = {"label": few.train_labels} | {f"pixel{n}": few.train_images.reshape(-1, 784)[:, n] for n in range(784)}
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer)

    assert imported(buffer.getvalue()).report.images == TRAIN


# What is refused by name


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(200), "a MATLAB file; save its arrays as .npz"),
        (pickle.dumps([1, 2], protocol=4), "a Python pickle, which can run programs and is never opened"),
        (b"Rar!\x1a\x07\1\0" + bytes(50), "a RAR archive; pack the images into a zip or a tar"),
        (b"ARROW1\0\0" + bytes(50), "an Arrow or Feather file; save it as Parquet"),
        (b"PAR1" + bytes(50) + b"PAR1", "is damaged"),
        (b"\x89HDF\r\n\x1a\n" + bytes(90), "The HDF5 file is damaged"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(90), "The 7-Zip archive is damaged"),
        (gzip.compress(tarred({"cifar/data_batch_1": pickle.dumps({"data": 1}, protocol=2)})), "a Python pickle"),
        (hdf5(weights=np.zeros((3, 3))), "contains the arrays weights; expected x_train"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_named_with_what_to_do(imported: Import, data: bytes, says: str) -> None:
    with pytest.raises(DatasetInvalid) as refused:
        imported(data)
    assert says in str(refused.value)


def test_an_archive_that_unpacks_to_too_much_is_refused(
    imported: Import, few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MAX_UNPACKED_BYTES", 100_000)
    files = {"7/zeros.png": bytes(2_000_000)}

    for data in (gzip.compress(tarred(files)), lzma.compress(tarred(files)), in_7z(files)):
        with pytest.raises(DatasetInvalid, match="unpacks to more than"):
            imported(data)
