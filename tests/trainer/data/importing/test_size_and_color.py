"""An imported data set keeps the size and color of its images, unless a person says otherwise."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.catalog import count_classes, read_entry
from tenfold.trainer.data.datasets import load_dataset
from tenfold.trainer.data.importing import Imported, Wanted, import_dataset, save_dataset
from tenfold.trainer.errors import DatasetInvalid
from tests.trainer.data.importing.test_importing import npz, png, zipped

Import = Callable[..., Imported]

LABELS = np.arange(40) % 2


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    def run(data: bytes, **wanted: Any) -> Imported:
        (tmp_path / "upload").write_bytes(data)
        return import_dataset(tmp_path / "upload", "own", wanted=Wanted(**wanted))

    return run


def patches(height: int, width: int, colors: bool = True) -> Bytes:
    """Forty noisy patches: the odd ones are red, or light."""
    random = np.random.default_rng(3)
    images = random.integers(0, 60, (40, height, width, 3), np.uint8)
    images[LABELS == 1, :, :, 0] += 180
    return images if colors else images[..., 0]


def folders(images: Bytes) -> bytes:
    pictures = zip(images, LABELS, strict=True)
    return zipped({f"{('sky', 'rust')[label]}/{n}.png": png(image) for n, (image, label) in enumerate(pictures)})


def arrays(images: Bytes) -> bytes:
    return npz(images=images, labels=LABELS)


def kept(result: Imported, images: Bytes) -> bool:
    known = {image.tobytes() for image in images}
    found = np.concatenate([result.dataset.train_images, result.dataset.test_images])
    return len(found) == 40 and all(image.tobytes() in known for image in found)


@pytest.mark.parametrize("pack", [folders, arrays])
@pytest.mark.parametrize("colors", [True, False], ids=["color", "gray"])
def test_images_of_one_size_keep_size_color_and_pixels_and_the_notes_say_so(imported, pack, colors):
    images = patches(32, 40, colors)
    result = imported(pack(images))

    assert result.dataset.input.shape == images.shape[1:]
    assert result.dataset.input.preprocessing == "resize"
    assert kept(result, images)
    size = f"32×40 {'color' if colors else 'gray'}"
    assert any(f"keep their size and color: {size}" in note for note in result.report.notes)


@pytest.mark.parametrize("pack", [folders, arrays])
def test_a_person_chooses_size_and_color(imported, pack):
    result = imported(pack(patches(32, 32)), size=(16, 24), channels=1)

    assert result.dataset.train_images.shape[1:] == (16, 24)
    assert not any("keep their size" in note for note in result.report.notes)


@pytest.mark.parametrize("pack", [folders, arrays])
def test_large_images_are_resized_and_the_notes_say_so(imported, pack):
    result = imported(pack(patches(150, 140)))

    assert result.dataset.input.size == "64×64 color"
    assert any("150×140 pixels: they were resized to 64×64 color" in note for note in result.report.notes)


def test_gray_images_that_are_stored_in_color_are_gray(imported):
    stored = patches(20, 20, colors=False)[..., np.newaxis].repeat(3, axis=3)

    assert imported(arrays(stored)).dataset.input.size == "20×20 gray"


def test_without_preprocessing_images_of_another_size_are_skipped_with_the_reason(imported):
    images = patches(24, 24)
    odd = zipped({"sky/odd.png": png(images[0][:20])} | {f"{LABELS[n]}/{n}.png": png(images[n]) for n in range(40)})
    result = imported(odd, preprocessing="none", size=(24, 24))

    assert result.report.images == 40
    assert "20×24 color; the model takes only 24×24 color" in result.report.unreadable[0]


def test_without_preprocessing_different_sizes_are_refused_unless_one_is_chosen(imported):
    images = patches(24, 24)
    odd = zipped({"sky/odd.png": png(images[0][:20])} | {f"{LABELS[n]}/{n}.png": png(images[n]) for n in range(40)})

    with pytest.raises(DatasetInvalid, match="Choose a size"):
        imported(odd, preprocessing="none")


def test_digits_get_a_field_of_the_chosen_size(imported, mnist):
    few = mnist.head(60, 0)
    result = imported(npz(images=few.train_images, labels=few.train_labels), preprocessing="digit", size=(42, 42))
    inked = np.argwhere(result.dataset.train_images[0])

    assert result.dataset.input.shape == (42, 42)
    assert 26 <= (inked.max(axis=0) - inked.min(axis=0) + 1).max() <= 30


@pytest.mark.parametrize("classes", [2, 256, 257, 1000])
def test_labels_of_up_to_a_thousand_classes_and_any_characters_are_kept(imported, tmp_path, classes):
    names = [f"«{n}»|,;\"'é漢👩‍🚀🛜" for n in range(classes)]
    labels = np.array([names[n % classes] for n in range(5 * max(classes, 10))])
    images = np.random.default_rng(1).integers(0, 256, (len(labels), 8, 8), np.uint8)
    result = imported(npz(images=images, labels=labels))
    (tmp_path / "own").mkdir()
    save_dataset(result, tmp_path / "own")
    loaded = load_dataset("own", tmp_path)

    assert sorted(loaded.class_names) == sorted(names)
    assert loaded.content_sha256 == result.dataset.content_sha256
    of_pixels = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    for image, label in zip(loaded.test_images, loaded.test_labels, strict=True):
        assert loaded.class_names[label] == of_pixels[image.tobytes()]
    counts = count_classes(read_entry("own", tmp_path), tmp_path)
    assert sum(count.train + count.test for count in counts) == len(labels)


def test_a_set_of_color_images_survives_the_volume(imported, tmp_path):
    result = imported(arrays(patches(8, 12)))
    (tmp_path / "own").mkdir()
    save_dataset(result, tmp_path / "own")

    loaded = load_dataset("own", tmp_path)
    assert (loaded.train_images == result.dataset.train_images).all()
    assert loaded.input == result.dataset.input
    assert read_entry("own", tmp_path).train == len(loaded.train_images)
