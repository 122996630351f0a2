"""A person's own data set: every kind of file is read, and what is wrong with it is said."""

import gzip
import io
import json
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tenfold.trainer.data.datasets import Dataset, load_dataset, write_idx
from tenfold.trainer.data.files import FILES
from tenfold.trainer.data.importing import Imported, Wanted, import_dataset, refusals, save_dataset
from tenfold.trainer.errors import DatasetInvalid

TRAIN, TEST = 150, 100
HEADER = ",".join(["label", *(f"pixel{index}" for index in range(784))])

Import = Callable[[bytes], Imported]


@pytest.fixture(scope="module")
def few(mnist: Dataset) -> Dataset:
    """The first images of MNIST; all ten digits are in both parts."""
    return mnist.head(TRAIN, TEST)


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """Imports a file of these bytes, whose name says nothing."""

    def run(data: bytes, wanted: Wanted = Wanted()) -> Imported:  # noqa: B008
        path = tmp_path / "upload"
        path.write_bytes(data)
        return import_dataset(path, "own", wanted=wanted)

    return run


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def png(image: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png", **options)
    return buffer.getvalue()


def csv_of(images: np.ndarray, labels: Any) -> bytes:
    rows = [
        f"{label},{','.join(map(str, image.ravel().tolist()))}" for image, label in zip(images, labels, strict=True)
    ]
    return "\n".join([HEADER, *rows]).encode()


def keras_layout(dataset: Dataset) -> dict[str, Any]:
    return {
        "x_train": dataset.train_images,
        "y_train": dataset.train_labels,
        "x_test": dataset.test_images,
        "y_test": dataset.test_labels,
    }


def idx_files(dataset: Dataset, directory: Path) -> dict[str, bytes]:
    for name, values in zip(FILES, keras_layout(dataset).values(), strict=True):
        write_idx(directory / name, values)
    return {name: (directory / name).read_bytes() for name in FILES}


def folders(dataset: Dataset) -> dict[str, bytes]:
    return {
        f"{part}/{label}/{index}.png": png(image)
        for part, images, labels in (
            ("Train", dataset.train_images, dataset.train_labels),
            ("test", dataset.test_images, dataset.test_labels),
        )
        for index, (image, label) in enumerate(zip(images, labels, strict=True))
    }


def same(found: Dataset, expected: Dataset) -> bool:
    pairs = zip(keras_layout(found).values(), keras_layout(expected).values(), strict=True)
    return found.class_names == expected.class_names and all(
        left.dtype == right.dtype and np.array_equal(left, right) for left, right in pairs
    )


def by_label(images: np.ndarray, labels: np.ndarray) -> list[tuple[int, bytes]]:
    return sorted((int(label), image.tobytes()) for image, label in zip(images, labels, strict=True))


# The kinds


def test_class_folders_with_train_and_test_are_read(imported: Import, few: Dataset) -> None:
    files = {"__MACOSX/Train/7/._0.png": b"x", "notes.txt": b"hello", "Train/7/": b""}
    result = imported(zipped(files | folders(few)))

    found = result.dataset
    assert (found.name, found.class_names) == ("own", tuple("0123456789"))
    assert by_label(found.train_images, found.train_labels) == by_label(few.train_images, few.train_labels)
    assert by_label(found.test_images, found.test_labels) == by_label(few.test_images, few.test_labels)
    assert result.report.unreadable_count == 0


def test_class_folders_come_shuffled_not_class_by_class(imported: Import, few: Dataset) -> None:
    found = imported(zipped(folders(few))).dataset

    assert len(set(found.train_labels[:20].tolist())) > 5


def test_class_folders_without_a_split_get_one(imported: Import, few: Dataset) -> None:
    files = {
        f"my scans\\{'odd' if label % 2 else 'even'}\\{index}.png": png(image)
        for index, (image, label) in enumerate(zip(few.train_images, few.train_labels, strict=True))
    }
    report = imported(zipped(files)).report

    odd = int(np.sum(few.train_labels % 2))
    assert report.per_class["odd"] == {"train": odd - round(odd / 6), "test": round(odd / 6)}
    assert list(report.per_class) == ["even", "odd"]


def test_scans_in_class_folders_are_brought_to_the_form_of_mnist(imported: Import, few: Dataset) -> None:
    files = {}
    for index, (image, label) in enumerate(zip(few.train_images, few.train_labels, strict=True)):
        scan = Image.fromarray(255 - image).resize((112, 112)).convert("RGB")
        files[f"{label % 2}/{index}.png"] = png(np.asarray(scan))
    result = imported(zipped(files))

    assert result.dataset.train_images.shape[1:] == (28, 28)
    assert 0.05 < result.report.mean_ink < 0.3


@pytest.mark.parametrize(
    "name",
    [
        lambda file: file,
        lambda file: f"mnist/{file}",
        lambda file: f"data/{file.replace('-idx', '.idx')}",
    ],
    ids=["plain", "in a folder", "with a dot"],
)
@pytest.mark.parametrize("gzipped", [False, True])
def test_idx_files_are_read_as_they_are(
    imported: Import, few: Dataset, tmp_path: Path, name: Callable[[str], str], gzipped: bool
) -> None:
    files = {
        name(file) + ".gz" * gzipped: gzip.compress(data) if gzipped else data
        for file, data in idx_files(few, tmp_path).items()
    }

    assert same(imported(zipped(files)).dataset, few)


def test_the_npz_of_keras_is_read_as_it_is(imported: Import, few: Dataset) -> None:
    assert same(imported(npz(**keras_layout(few))).dataset, few)


@pytest.mark.parametrize(
    "form",
    [
        lambda images: images[..., np.newaxis],
        lambda images: images.reshape(-1, 784),
        lambda images: np.asfortranarray(images),
        lambda images: images.astype(np.int64),
        lambda images: images.astype(np.float32),
        lambda images: images / 255,
        lambda images: (images / 255).astype(np.float32),
        lambda images: np.stack([images] * 3, axis=-1),
    ],
    ids=["channel", "flat", "fortran", "int64", "whole floats", "float64", "float32", "color"],
)
def test_every_form_of_the_same_images_gives_the_same_pixels(
    imported: Import, few: Dataset, form: Callable[[np.ndarray], np.ndarray]
) -> None:
    arrays = keras_layout(few)
    arrays |= {name: form(arrays[name]) for name in ("x_train", "x_test")}

    assert same(imported(npz(**arrays)).dataset, few)


def test_masks_are_ink_where_true(imported: Import, few: Dataset) -> None:
    found = imported(npz(images=few.train_images > 128, labels=few.train_labels)).dataset

    assert set(np.unique(found.train_images).tolist()) == {0, 255}


def test_images_of_another_size_are_scaled_if_asked(imported: Import, few: Dataset) -> None:
    arrays = keras_layout(few)
    arrays |= {name: arrays[name].repeat(2, axis=1).repeat(3, axis=2) for name in ("x_train", "x_test")}

    assert same(imported(npz(**arrays), wanted=Wanted(size=(28, 28))).dataset, few)


def test_text_labels_become_sorted_class_names(imported: Import, few: Dataset) -> None:
    words = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    for labels in (words[few.train_labels], words[few.train_labels].astype("S")):
        found = imported(npz(images=few.train_images, labels=labels)).dataset

        assert found.class_names == tuple(sorted(words.tolist()))
        names = [found.class_names[label] for label in found.train_labels]
        truth = {image.tobytes(): words[label] for image, label in zip(few.train_images, few.train_labels, strict=True)}
        assert names == [truth[image.tobytes()] for image in found.train_images]


@pytest.mark.parametrize("kind", [np.int8, np.float32, np.str_, np.bytes_])
def test_whole_numbers_are_sorted_as_numbers(imported: Import, few: Dataset, kind: Any) -> None:
    labels = np.array([-3, 5, 10, 100])[few.train_labels % 4].astype(np.int8).astype(kind)

    found = imported(npz(images=few.train_images, labels=labels.reshape(-1, 1))).dataset

    assert found.class_names == ("-3", "5", "10", "100")


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_csv_gets_a_split(imported: Import, few: Dataset, pack: Callable[[bytes], bytes]) -> None:
    found = imported(pack(csv_of(few.train_images, few.train_labels))).dataset

    images, labels = np.concatenate([found.train_images, found.test_images]), [*found.train_labels, *found.test_labels]
    assert by_label(images, np.array(labels)) == by_label(few.train_images, few.train_labels)
    assert found.class_names == few.class_names


def test_a_csv_may_hold_fractions_blank_lines_a_byte_order_mark_and_text_labels(imported: Import, few: Dataset) -> None:
    whole = csv_of(few.train_images, [f'"class {label}"' for label in few.train_labels])
    fractions = csv_of(few.train_images / 255, [f"class {label}" for label in few.train_labels])
    first, second = imported(whole), imported(b"\xef\xbb\xbf" + fractions.replace(b"\n", b"\r\n\r\n"))

    assert first.dataset.class_names == tuple(f"class {digit}" for digit in range(10))
    assert same(first.dataset, second.dataset)


def test_a_zip_of_csvs_gives_the_split(imported: Import, few: Dataset) -> None:
    files = {
        "digits/train.csv": csv_of(few.train_images, few.train_labels),
        "digits/test.csv": csv_of(few.test_images, few.test_labels),
        "digits/sample_submission.csv": b"ImageId,Label\n1,0\n",
    }

    assert same(imported(zipped(files)).dataset, few)


def test_a_test_csv_without_labels_is_left_out_with_a_warning(imported: Import, few: Dataset) -> None:
    unlabeled = HEADER.partition(",")[2].encode() + b"\n" + b",".join([b"0"] * 784)
    train = csv_of(few.train_images, few.train_labels)
    result = imported(zipped({"train.csv": train, "test.csv": unlabeled}))

    assert result.report.images == TRAIN
    assert "Skipped test.csv, which has no label column" in result.report.warnings[0]


def test_an_empty_test_part_is_no_split(imported: Import, few: Dataset) -> None:
    arrays = keras_layout(few) | {"x_test": few.test_images[:0], "y_test": few.test_labels[:0]}

    assert imported(npz(**arrays)).report.test >= 10


# The split


def test_the_split_is_stratified_and_repeatable(imported: Import, mnist: Dataset, tmp_path: Path) -> None:
    data = npz(images=mnist.train_images[:2000], labels=mnist.train_labels[:2000])
    first, again = imported(data), imported(data)
    other = import_dataset(tmp_path / "upload", "own", test_share=0.5, seed=2)

    assert same(first.dataset, again.dataset)
    for label, count in enumerate(np.bincount(mnist.train_labels[:2000])):
        assert first.report.per_class[str(label)] == {"train": count - round(count / 6), "test": round(count / 6)}
        assert other.report.per_class[str(label)]["test"] == round(count / 2)


@given(
    st.lists(st.integers(2, 30), min_size=2, max_size=6),
    st.floats(0.01, 0.99),
    st.integers(0, 3),
)
@settings(max_examples=25, deadline=None)
def test_every_class_is_in_both_parts_of_the_split(counts: list[int], share: float, seed: int) -> None:
    counts = [*counts, 10]
    labels = np.repeat(np.arange(len(counts)), counts)
    images = np.random.default_rng(seed).integers(0, 256, (len(labels), 28, 28), np.uint8)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "upload")
        path.write_bytes(npz(images=images, labels=labels))
        found = import_dataset(path, "own", test_share=share, seed=seed).dataset

    train, test = np.bincount(found.train_labels), np.bincount(found.test_labels)
    assert (train + test).tolist() == counts
    assert train.min() >= 1
    assert test.min() >= 1


# The report


def test_the_report_counts_what_is_there(imported: Import, few: Dataset) -> None:
    report = imported(npz(**keras_layout(few))).report

    assert (report.images, report.train, report.test) == (TRAIN + TEST, TRAIN, TEST)
    assert report.per_class["7"] == {
        "train": int(np.sum(few.train_labels == 7)),
        "test": int(np.sum(few.test_labels == 7)),
    }
    both = np.concatenate([few.train_images, few.test_images])
    assert report.mean_ink == pytest.approx(both.mean() / 255, abs=1e-4)
    assert (report.duplicates_across_split, report.constant_images, report.warnings) == (0, 0, ())
    assert json.loads(json.dumps(report.as_dict())) == report.as_dict()


def test_unreadable_images_are_counted_and_the_first_are_named(imported: Import, few: Dataset) -> None:
    damaged = {f"train/7/damaged {index:02}.png": b"no image" for index in range(25)}
    report = imported(zipped(folders(few) | damaged)).report

    assert report.unreadable_count == 25
    assert len(report.unreadable) == 20
    assert report.unreadable[0].startswith("train/7/damaged 00.png: can't be read as an image: it is a text file")
    assert report.images == TRAIN + TEST
    assert any("Skipped unreadable images: 25" in warning for warning in report.warnings)


def test_an_image_too_large_when_unpacked_is_unreadable(
    imported: Import, few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MAX_IMAGE_BYTES", 2**20)
    report = imported(zipped(folders(few) | {"train/7/bomb.png": bytes(2**21)})).report

    assert report.unreadable == ["train/7/bomb.png: is larger than 1 MiB when unpacked"]


def test_images_in_no_class_folder_are_left_out_with_a_warning(imported: Import, few: Dataset) -> None:
    loose = {"cover.png": png(few.train_images[0]), "train/cover.png": png(few.train_images[0])}
    report = imported(zipped(folders(few) | loose)).report

    assert report.images == TRAIN + TEST
    assert report.warnings == ("Skipped images in no class folder: 2 (cover.png, train/cover.png).",)
    assert report.skipped == {"images in no class folder": 2}


def test_duplicates_across_the_split_and_blank_images_are_counted(imported: Import, few: Dataset) -> None:
    arrays = keras_layout(few)
    arrays["x_test"] = np.concatenate([few.train_images[:3], few.test_images[3:]])
    arrays["x_train"] = np.concatenate([few.train_images[:-2], np.full((2, 28, 28), 9, np.uint8)])
    report = imported(npz(**arrays)).report

    assert (report.duplicates_across_split, report.constant_images) == (3, 2)
    assert any("also training images: 3" in warning for warning in report.warnings)
    assert any("Blank images (all pixels are equal): 2" in warning for warning in report.warnings)


def test_uneven_classes_and_classes_without_test_images_are_warned_about(imported: Import, few: Dataset) -> None:
    labels = (np.arange(TRAIN) < 10).astype(int)
    report = imported(npz(**keras_layout(few) | {"y_train": labels, "y_test": np.zeros(TEST, int)})).report

    assert report.warnings == (
        "The classes are imbalanced: 240 images of '0', only 10 of '1'. Accuracy on small classes may be low.",
        "No test images of '1': the accuracy of these classes can't be measured.",
    )


def test_images_that_look_dark_on_light_or_nearly_black_are_warned_about(imported: Import, few: Dataset) -> None:
    light = imported(npz(images=255 - few.train_images, labels=few.train_labels)).report
    black = imported(npz(images=few.train_images // 128, labels=few.train_labels)).report

    assert "look dark on light" in light.warnings[0]
    assert "the brightest pixel is 1 of 255" in black.warnings[0]


# Stopping


class Stopped(Exception):
    pass


@pytest.mark.parametrize("kind", ["npz", "csv", "folders"])
def test_check_stops_the_import(few: Dataset, tmp_path: Path, kind: str) -> None:
    images, labels = few.train_images.repeat(5, axis=0), few.train_labels.repeat(5)
    data = {
        "npz": lambda: npz(images=images, labels=labels),
        "csv": lambda: csv_of(images, labels),
        "folders": lambda: zipped(folders(few)),
    }[kind]()
    path = tmp_path / "upload"
    path.write_bytes(data)
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Stopped

    with pytest.raises(Stopped):
        import_dataset(path, "own", check=check)


# What is refused


def header_of(shape: str, descr: str = "'|u1'") -> bytes:
    """A .npy file that ends after its header."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n", "one image; pack the images into a zip"),
        (b"\x93NUMPY\x01\x00", "one .npy array"),
        (b"\0\0\x08\x03\0\0\0\0", "one IDX file; pack all four"),
        (gzip.compress(b"\0\0\x08\x03\0\0\0\0", mtime=0), "one IDX file; pack all four"),
        (b"%PDF-1.4\xff\xfe\0", "a PDF document"),
        (
            b"Dear reader,\nthis is a letter.",
            "found 'dear reader, '… in its first line, which should name one column `label`",
        ),
        (gzip.compress(HEADER.encode())[:-9], "damaged"),
        (b"PK\x03\x04" + bytes(50), "The zip is damaged"),
        (zipped({}), "found nothing"),
        (zipped({"word/document.xml": b"x"}), "found word/document.xml"),
        (zipped({"1.png": b"x", "2.png": b"x"}), "2 images, but none in a class folder"),
        (zipped({"train/1.png": b"x"}), "none in a class folder"),
        (zipped({"cats/1.png": b"x"}), "no readable images. 1 images are unreadable; the first: cats/1.png"),
        (zipped({"c\aats/1.png": b"x"}), "not a valid class name"),
        (zipped({"a.csv": b"label", "b.csv": b"label"}), "expected one train.csv"),
        (zipped({FILES[0]: b"x", FILES[3] + ".gz": b"x"}), f"lacks {FILES[1]}, {FILES[2]}"),
        (zipped(dict.fromkeys(FILES, b"x")), f"{FILES[0]} is not an IDX file"),
        (zipped(dict.fromkeys(FILES, b"\0\0\x08\x02")), "has 2 dimensions"),
        (zipped(dict.fromkeys(FILES, b"\0\0\x08\x01\0\0\0")), "damaged|ends within its header"),
        (zipped(dict.fromkeys(FILES, b"\0\0\x08\x01\0\0\0\2A")), "should have 2 values .* but has 1"),
        (zipped(dict.fromkeys(FILES, b"\0\0\x08\x01\0\0\0\1AA")), "but has more"),
        (zipped(dict.fromkeys(FILES, b"\0\0\x08\x03" + b"\xff" * 12)), "more than 1,000,000 images"),
        (zipped(dict.fromkeys(FILES, b"\0\0\x08\x03\0\0\0\1" + b"\xff" * 8)), "the maximum is 2,048 MiB"),
        (npz(pictures=np.zeros(3), truth=np.zeros(3)), "arrays pictures, truth; expected x_train"),
        (npz(x_train=np.zeros(3)), "expected x_train, y_train, x_test and y_test"),
        (npz(x_train=np.zeros(3), X_train=np.zeros(3)), "contains both X_train and x_train"),
        (zipped({"images.npy": b"x", "labels.npy": b"x"}), "images is damaged"),
        (zipped({"images.npy": header_of("(10**9, 28, 28)"), "labels.npy": b""}), "images is damaged"),
        (zipped({"images.npy": header_of("(1000000000, 28, 28)"), "labels.npy": b""}), "more than 1,000,000 images"),
        (zipped({"images.npy": header_of("(1000000, 9999, 9999)"), "labels.npy": b""}), "the maximum is 2,048 MiB"),
        (zipped({"images.npy": header_of("(1000, 28, 28)"), "labels.npy": b""}), "the file is shorter"),
        (zipped({"images.npy": header_of("(-1, 28, 28)"), "labels.npy": b""}), r"has shape \(-1, 28, 28\)"),
        (zipped({"images.npy": header_of("()"), "labels.npy": b""}), r"has shape \(\); expected a row for each"),
        (
            zipped({"images.npy": header_of("(0, 28, 28)"), "labels.npy": header_of("(0,)")}),
            "contains no readable images",
        ),
        (zipped({"images.npy": header_of("(3,)", "'|O'"), "labels.npy": b""}), "pickled Python objects"),
    ],
)
def test_what_is_no_whole_data_set_is_refused(imported: Import, data: bytes, complaint: str) -> None:
    with pytest.raises(DatasetInvalid, match=complaint):
        imported(data)


LABELS = np.arange(20) % 2
IMAGES = np.random.default_rng(1).integers(0, 256, (20, 28, 28), np.uint8)


@pytest.mark.parametrize(
    ("images", "labels", "complaint"),
    [
        (IMAGES, np.zeros(20), "only one class, '0'"),
        (IMAGES[:9], LABELS[:9], "only 9 images; expected at least 10"),
        (IMAGES, np.where(np.arange(20) == 3, 7, LABELS), "Only one image of '7'"),
        (IMAGES, np.arange(20), "Only one image of '0', '1', '2', '3', '4' and 15 more classes"),
        (
            IMAGES / 255 * np.where(np.arange(20) == 3, np.nan, 1)[:, None, None],
            LABELS,
            "images contains NaN or infinite",
        ),
        (np.where(IMAGES, IMAGES / 255, np.inf), LABELS, "images contains NaN or infinite"),
        (IMAGES.astype(np.int16) - 1, LABELS, "values from -1 to 254; expected integers 0–255"),
        (IMAGES.astype(np.uint16) * 257, LABELS, "values from 0 to 65535"),
        (IMAGES / 100, LABELS, "values from 0 to 2.55, with fractions"),
        (IMAGES / 255 - 0.5, LABELS, "undo any standardization"),
        (IMAGES.astype(str), LABELS, "images is of type <U3; expected numbers"),
        (IMAGES.astype(complex), LABELS, "images is of type complex128"),
        (IMAGES, LABELS[:-1], "images has 20 images, but labels has 19 labels"),
        (IMAGES, LABELS / 2, "labels contains the label 0.5; expected integers or text"),
        (IMAGES, LABELS * np.nan, "labels contains NaN or infinite labels"),
        (IMAGES, LABELS.astype(np.uint64) * 2**63, "beyond 64 bits"),
        (IMAGES, LABELS.astype("datetime64[s]"), r"labels is of type datetime64\[s\]"),
        (IMAGES, np.eye(2)[LABELS], r"labels has shape \(20, 2\).* one-hot, store labels.argmax"),
        (IMAGES, np.array([b"\xff", b"cat"])[LABELS], "not text.*Store them as UTF-8"),
        (IMAGES, np.array([0x110000, 65], np.uint32).view("<U1")[LABELS], "not text"),
        (IMAGES, np.array(["", "cat"])[LABELS], "A label is '', which is not a valid class name"),
        (IMAGES, np.array(["x" * 101, "cat"])[LABELS], "not a valid class name"),
        (IMAGES, np.array([None, "cat"])[LABELS], "labels contains pickled Python objects"),
        (
            IMAGES.reshape(20, 16, 49)[:, :, 0],
            LABELS,
            r"images has shape \(20, 16\); expected \(n, 28, 28\), \(n, 784\)",
        ),
        (IMAGES.reshape(20, 1, 28, 28), LABELS, r"\(20, 1, 28, 28\).* The channels come last"),
        (IMAGES.reshape(20, 14, 14, 4), LABELS, r"\(20, 14, 14, 4\)"),
        (IMAGES[:, :0], LABELS, r"\(20, 0, 28\)"),
        (np.zeros((2002, 28, 28)), np.arange(2002) // 2, "1,001 classes; the maximum is 1,000. Is it the right label"),
    ],
)
def test_images_and_labels_that_do_not_fit_are_refused(
    imported: Import, images: np.ndarray, labels: np.ndarray, complaint: str
) -> None:
    with pytest.raises(DatasetInvalid, match=complaint):
        imported(npz(images=images, labels=labels))


def test_a_class_without_training_images_is_refused(imported: Import, few: Dataset) -> None:
    with pytest.raises(DatasetInvalid, match="Test images but no training images of '7'"):
        imported(npz(**keras_layout(few) | {"y_train": few.train_labels % 7, "y_test": few.test_labels % 8}))


def test_unreadable_images_are_named_when_too_few_are_left(imported: Import) -> None:
    files = {f"{index % 2}/{index}.png": png(image) for index, image in enumerate(IMAGES[:9])} | {"1/x.png": b"x"}

    with pytest.raises(
        DatasetInvalid, match=r"only 9 images.* 1 images are unreadable; the first: 1/x.png: can't be read"
    ):
        imported(zipped(files))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda lines: [lines[0].replace("label", "digit"), *lines[1:]], "should name one column `label`"),
        (lambda lines: [line.rpartition(",")[0] for line in lines], "has 783 columns beside `label`; expected 784"),
        (lambda lines: [*lines[:5], lines[5] + ",0", *lines[6:]], "line 6: 786 columns; the header has 785"),
        (lambda lines: [*lines[:5], lines[5].rpartition(",")[0]], "line 6: 784 columns"),
        (lambda lines: [*lines[:5], lines[5][1:]], "label in The file, line 6, is ''"),
        (lambda lines: [*lines[:5], lines[5][:2] + "x" + lines[5][2:]], "line 6: pixel 0 is 'x"),
        (lambda lines: [*lines[:5], lines[5].rpartition(",")[0] + ","], "line 6: pixel 783 is ''"),
        (lambda lines: [*lines[:5], lines[5].rpartition(",")[0] + ",nan"], "line 6: pixel 783 is 'nan'"),
        (lambda lines: [*lines[:5], lines[5].rpartition(",")[0] + ",300"], "values from 0 to 300"),
        (lambda lines: [lines[0], *(line[0] + ".5" + line[1:] for line in lines[1:])], "contains the label 0.5"),
        (lambda lines: lines[:1], "contains no readable images"),
        (lambda lines: [lines[0], '"' + "x" * 200_000], "field larger than field limit"),
        (lambda lines: [lines[0], "x" * 300_000], "line 2: longer than 262,144 characters"),
        (lambda lines: [lines[0], "x" * 200 + lines[1]], "line 2, is 'xxx.*not a valid class name"),
    ],
)
def test_a_csv_that_is_wrong_is_refused_with_the_line(
    imported: Import, change: Callable[[list[str]], list[str]], complaint: str
) -> None:
    lines = csv_of(IMAGES, LABELS).decode().split("\n")

    with pytest.raises(DatasetInvalid, match=complaint):
        imported("\n".join(change(lines)).encode())


def test_a_csv_that_is_no_utf8_is_refused(imported: Import) -> None:
    with pytest.raises(DatasetInvalid, match="can't decode byte"):
        imported(csv_of(IMAGES, LABELS) + b"\n\xff")


@pytest.mark.parametrize("kind", ["csv", "folders", "npz"])
def test_too_many_images_are_refused(
    imported: Import, few: Dataset, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(refusals, "MAX_IMAGES", TRAIN + TEST - 1)
    data = {
        "csv": lambda: csv_of(few.train_images.repeat(3, axis=0), few.train_labels.repeat(3)),
        "folders": lambda: zipped(folders(few)),
        "npz": lambda: npz(**keras_layout(few)),
    }[kind]()

    with pytest.raises(DatasetInvalid, match="more than 249 images"):
        imported(data)


STARTS = [
    b"",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b\x08\x00",
    b"\0\0\x08\x03",
    b"label,",
    b"\x93NUMPY\x01\x00v\x00",
    HEADER.encode() + b"\n",
]


@given(st.sampled_from(STARTS), st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_refused_with_dataset_invalid(start: bytes, data: bytes) -> None:
    refuse(start + data)


@given(
    st.sampled_from(["images.npy", "labels.npy", FILES[0], FILES[1] + ".gz", "train.csv", "cats/1.png"]),
    st.sampled_from(STARTS),
    st.binary(max_size=200),
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_in_a_zip_are_refused_with_dataset_invalid(name: str, start: bytes, data: bytes) -> None:
    if name in FILES or name.endswith(".gz"):
        rest = dict.fromkeys(FILES, start + data)
    else:
        rest = {"images.npy": header_of("(0, 28, 28)")} if name == "labels.npy" else {}
        rest |= {"labels.npy": header_of("(0,)")} if name == "images.npy" else {}
    refuse(zipped(rest | {name: start + data}))


WHOLE = npz(images=IMAGES, labels=np.full(20, "cat"))


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_damaged_npz_is_refused_with_dataset_invalid(place: int, change: int, cut: bool) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] ^= change
    refuse(bytes(damaged[: place + 1]) if cut else bytes(damaged))


@given(st.text("()0123456789,-'{}[]|uifO<>SUV: \n", max_size=40), st.text("|<>uifcmMOSUV0123456789", max_size=8))
@settings(max_examples=150, deadline=None)
def test_any_npy_header_is_refused_with_dataset_invalid(shape: str, kind: str) -> None:
    for header in (header_of(shape, repr(kind)), header_of("(20, 28, 28)", repr(kind)), header_of(f"(20, {shape})")):
        refuse(zipped({"images.npy": header + IMAGES.tobytes(), "labels.npy": header}))


def refuse(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "upload")
        path.write_bytes(data)
        with pytest.raises(DatasetInvalid):
            import_dataset(path, "own")


# On the volume


def test_what_is_saved_is_loaded(imported: Import, few: Dataset, tmp_path: Path) -> None:
    words = np.array(["été", "zwölf", "cat"])
    result = imported(npz(images=few.train_images, labels=words[few.train_labels % 3]))
    directory = tmp_path / "own"
    directory.mkdir()
    save_dataset(result, directory)

    loaded = load_dataset("own", tmp_path)
    assert loaded.class_names == ("cat", "zwölf", "été")
    assert same(loaded, result.dataset)
    about = json.loads((directory / "about.json").read_text("utf-8"))
    assert about["name"] == "own"
    assert about["report"] == result.report.as_dict()


@pytest.mark.parametrize(
    ("about", "complaint"),
    [
        ("{", "about.json is damaged"),
        ("[]", "about.json is damaged"),
        ("{}", "about.json is damaged"),
        ('{"class_names": []}', "expected a list of strings"),
        ('{"class_names": [1]}', "expected a list of strings"),
        ('{"class_names": ["cat"]}', "label 1 is out of range; labels are 0 to 0"),
    ],
)
def test_names_that_do_not_fit_are_refused(imported: Import, tmp_path: Path, about: str, complaint: str) -> None:
    save_dataset(imported(npz(images=IMAGES, labels=LABELS)), tmp_path)
    (tmp_path / "about.json").write_text(about)

    with pytest.raises(DatasetInvalid, match=complaint):
        load_dataset(tmp_path.name, tmp_path.parent)


def test_importing_loads_no_tensorflow_keras_or_matplotlib() -> None:
    code = (
        "import sys, tenfold.trainer.data.importing; print(*({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
