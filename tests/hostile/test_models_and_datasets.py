"""Models and data sets that bring code along, or names that lead elsewhere: nothing of theirs is run or written."""

import io
import json
import pickle
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from tenfold.trainer.data.importing import refusals
from tenfold.trainer.data.importing.building import LEFT_TO_THE_IMAGES
from tenfold.trainer.data.importing.kinds import read_upload
from tenfold.trainer.errors import DatasetInvalid
from tenfold.trainer.serving.inference import Classifier
from tests.hostile.archives import write_zip_of_empty_members
from tests.hostile.measured import measured
from tests.uploads import npz, zipped

MEBIBYTE = 2**20


class Touches:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self._path,)  # type: ignore[return-value]


def read(path: Path) -> str:
    try:
        read_upload(path, lambda: None, LEFT_TO_THE_IMAGES)
    except DatasetInvalid as error:
        return str(error)
    return ""


def test_a_model_with_a_function_of_its_own_is_not_loaded(tmp_path: Path) -> None:
    layers = [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Lambda(lambda values: values[:, :10])]
    keras.Sequential(layers).save(tmp_path / "model.keras")

    with pytest.raises(ValueError, match=r"[Ll]ambda"):
        Classifier.load(tmp_path / "model.keras")


@pytest.mark.parametrize(("module", "name"), [("os", "system"), ("builtins", "eval"), ("subprocess", "Popen")])
def test_a_model_of_foreign_classes_is_not_loaded(tmp_path: Path, module: str, name: str) -> None:
    keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten()]).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        files = {member: archive.read(member) for member in archive.namelist()}
    config = json.loads(files["config.json"])
    config["config"]["layers"][1] = {
        "module": module,
        "class_name": name,
        "config": {"command": f"touch {tmp_path / 'ran'}"},
        "registered_name": None,
    }
    files["config.json"] = json.dumps(config).encode()
    files["../../outside"] = b"x"
    (tmp_path / "model.keras").write_bytes(zipped(files))

    with pytest.raises((TypeError, ValueError)):
        Classifier.load(tmp_path / "model.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
    assert not (tmp_path.parent.parent / "outside").exists()


def test_pickles_are_not_unpacked(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    objects = np.empty(2, object)
    objects[:] = [Touches(touched), Touches(touched)]
    arrays = io.BytesIO()
    np.savez(arrays, images=objects, labels=np.array([0, 1]), allow_pickle=True)
    plain = pickle.dumps(Touches(touched))
    # Only the header says numbers.
    disguised = zipped({"images.npy": npz(images=np.zeros(2))[:0] + plain, "labels.npy": plain})
    for content in (arrays.getvalue(), plain, disguised):
        (tmp_path / "upload").write_bytes(content)
        assert read(tmp_path / "upload")

    assert not touched.exists()


@pytest.mark.parametrize("name", ["../../cats/1.png", "/cats/1.png", "C:\\cats\\1.png", "cats/../../../1.png"])
def test_names_that_lead_outside_write_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / "inside" / "upload"
    path.parent.mkdir()
    path.write_bytes(zipped({name: b"no image", "dogs/2.png": b"no image"}))

    read(path)
    assert list(tmp_path.rglob("*.png")) == []


def test_a_shape_of_terabytes_is_refused_from_the_header(tmp_path: Path) -> None:
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000, 65536, 65536), }"
    array = b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little") + header + b"\n"
    (tmp_path / "upload").write_bytes(zipped({"images.npy": array, "labels.npy": array}))

    found = measured(read, tmp_path / "upload")

    assert "MiB; the maximum is" in found.value
    assert found.grown_bytes < 50 * MEBIBYTE


def test_a_zip_of_more_files_than_fit_into_memory_is_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_zip_of_empty_members(tmp_path / "upload", 1000)
    assert "damaged" in read(tmp_path / "upload") or "no" in read(tmp_path / "upload")

    monkeypatch.setattr(refusals, "MAX_DIRECTORY_BYTES", 50_000)

    assert "too many files" in read(tmp_path / "upload")
