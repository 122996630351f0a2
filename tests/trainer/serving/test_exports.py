"""An exported model is read by plain loaders and answers as the trained one does."""

import sys
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import layers

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.errors import ModelUnfaithful
from tenfold.trainer.serving.exports import EXPORTS, ExportUnavailable, export_model
from tenfold.trainer.serving.inference import Classifier

NAMES = {"savedmodel": "savedmodel", "onnx": "model.onnx", "litert": "model.tflite"}


def dense(seed: int = 1) -> keras.Model:
    """Scores that do not sum to 1."""
    keras.utils.set_random_seed(seed)
    net = [layers.Flatten(), layers.Dense(32, "relu"), layers.Dropout(0.2), layers.Dense(10, "sigmoid")]
    return compiled([keras.Input((28, 28)), *net])


def conv(seed: int = 1) -> keras.Model:
    """Every kind of layer that a recipe may have, and batch norms whose moving statistics have moved."""
    keras.utils.set_random_seed(seed)
    net = [
        *(layers.Reshape((28, 28, 1)), layers.Conv2D(4, 3, use_bias=False), layers.BatchNormalization()),
        *(layers.Activation("relu"), layers.MaxPooling2D(), layers.Dropout(0.2)),
        *(layers.Conv2D(8, 3, padding="same"), layers.BatchNormalization(), layers.Activation("relu")),
        *(layers.GlobalAveragePooling2D(), layers.Dense(10, "softmax")),
    ]
    return compiled([keras.Input((28, 28)), *net])


def compiled(net: list[keras.layers.Layer]) -> keras.Model:
    model = keras.Sequential(net)
    model.compile("adam", "sparse_categorical_crossentropy")
    train_a_step(model)
    return model


def train_a_step(model: keras.Model) -> None:
    numbers = np.random.default_rng(3)
    model.train_on_batch(numbers.random((64, 28, 28), np.float32), numbers.integers(0, 10, 64))


def state(model: keras.Model) -> list[npt.NDArray[np.float32]]:
    """The weights, the moving statistics, the dropouts' seeds, and what the optimizer remembers."""
    return [variable.numpy() for variable in [*model.variables, *model.optimizer.variables]]


@pytest.fixture(scope="module")
def images() -> Bytes:
    """More than one batch of them, the last one not full."""
    return np.random.default_rng(2).integers(0, 256, (300, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("build", [dense, conv])
@pytest.mark.parametrize("kind", EXPORTS)
def test_an_export_answers_as_the_model_does(kind: str, build: type, images: Bytes, tmp_path: Path) -> None:
    model = build()

    path = export_model(model, kind, tmp_path, images, Classifier(model).classify(images))

    assert path == tmp_path / NAMES[kind]
    assert list(tmp_path.iterdir()) == [path]


def test_tensorflow_reads_the_saved_model(images: Bytes, tmp_path: Path) -> None:
    model = conv()
    path = export_model(model, "savedmodel", tmp_path, images, Classifier(model).classify(images))

    scaled = images[:5].astype(np.float32) / 255
    loaded = tf.saved_model.load(path)
    (answers,) = loaded.signatures["serving_default"](images=tf.constant(scaled)).values()

    np.testing.assert_allclose(answers, model(scaled, training=False), atol=1e-5)


def test_onnxruntime_reads_the_onnx_file(images: Bytes, tmp_path: Path) -> None:
    model = conv()
    path = export_model(model, "onnx", tmp_path, images, Classifier(model).classify(images))

    scaled = images[:5].astype(np.float32) / 255
    (answers,) = onnxruntime.InferenceSession(path).run(None, {"images": scaled})

    np.testing.assert_allclose(answers, model(scaled, training=False), atol=1e-5)


def test_litert_reads_the_tflite_file(images: Bytes, tmp_path: Path) -> None:
    model = conv()
    path = export_model(model, "litert", tmp_path, images, Classifier(model).classify(images))

    scaled = images[:1].astype(np.float32) / 255
    run = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    (answers,) = run(images=scaled).values()

    np.testing.assert_allclose(answers, model(scaled, training=False), atol=1e-5)


@pytest.mark.parametrize("kind", EXPORTS)
def test_the_model_stays_as_it_was_and_trains_on(kind: str, images: Bytes, tmp_path: Path) -> None:
    model, twin = conv(), conv()

    export_model(model, kind, tmp_path, images, Classifier(model).classify(images))

    for ours, theirs in zip(state(model), state(twin), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for each in (model, twin):
        train_a_step(each)
    for ours, theirs in zip(state(model), state(twin), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", EXPORTS)
def test_nothing_is_printed(kind: str, images: Bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = dense()

    export_model(model, kind, tmp_path, images, Classifier(model).classify(images))

    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("kind", EXPORTS)
def test_an_export_that_answers_otherwise_is_refused_and_leaves_nothing(
    kind: str, images: Bytes, tmp_path: Path
) -> None:
    of_another_model = Classifier(dense(seed=2)).classify(images)

    with pytest.raises(ModelUnfaithful, match=rf"{NAMES[kind]} differs .* by up to 0\.\d+"):
        export_model(dense(), kind, tmp_path, images, of_another_model)

    assert list(tmp_path.iterdir()) == []


def test_a_difference_in_one_image_of_the_last_batch_is_seen(images: Bytes, tmp_path: Path) -> None:
    model = dense()
    expected = Classifier(model).classify(images)
    expected[-1, 0] += 2e-4

    with pytest.raises(ModelUnfaithful, match=r"0\.0002"):
        export_model(model, "onnx", tmp_path, images, expected)


def test_answers_that_are_no_numbers_are_refused(images: Bytes, tmp_path: Path) -> None:
    model = dense()
    expected = np.full_like(Classifier(model).classify(images), np.nan)

    with pytest.raises(ModelUnfaithful, match="nan"):
        export_model(model, "onnx", tmp_path, images, expected)


def test_an_export_of_other_classes_is_refused(images: Bytes, tmp_path: Path) -> None:
    model = dense()
    expected = Classifier(model).classify(images)[:, :1]

    with pytest.raises(ModelUnfaithful, match=r"\(300, 10\) instead of \(300, 1\)"):
        export_model(model, "onnx", tmp_path, images, expected)


@pytest.mark.parametrize("kind", EXPORTS)
def test_an_earlier_export_is_replaced_by_a_faithful_one_only(kind: str, images: Bytes, tmp_path: Path) -> None:
    earlier, later = dense(seed=1), dense(seed=2)
    expected = Classifier(earlier).classify(images)
    path = export_model(earlier, kind, tmp_path, images, expected)
    before = contents(path)

    with pytest.raises(ModelUnfaithful):
        export_model(later, kind, tmp_path, images, expected)
    assert contents(path) == before

    export_model(later, kind, tmp_path, images, Classifier(later).classify(images))
    assert contents(path) != before


def contents(path: Path) -> dict[Path, bytes]:
    """The bytes of a file, or of each file in a folder."""
    return {file: file.read_bytes() for file in [path, *path.rglob("*")] if file.is_file()}


@pytest.mark.parametrize(
    ("kind", "package"),
    [("onnx", "onnx"), ("onnx", "tf2onnx"), ("onnx", "onnxruntime"), ("litert", "ai_edge_litert")],
)
def test_a_missing_package_is_named_with_what_to_install(
    kind: str, package: str, images: Bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = dense()
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ExportUnavailable, match=rf"{kind} needs the package {package}.*pip install 'tenfold\[exports"):
        export_model(model, kind, tmp_path, images, Classifier(model).classify(images))

    assert list(tmp_path.iterdir()) == []


def test_a_saved_model_needs_none_of_these_packages(
    images: Bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("onnx", "tf2onnx", "onnxruntime", "ai_edge_litert"):
        monkeypatch.setitem(sys.modules, package, None)
    model = dense()

    assert export_model(model, "savedmodel", tmp_path, images, Classifier(model).classify(images)).is_dir()


@pytest.mark.parametrize("kind", EXPORTS)
def test_another_backend_says_where_to_export(
    kind: str, images: Bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = dense()
    expected = Classifier(model).classify(images)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")

    with pytest.raises(ExportUnavailable, match=rf"jax can't be exported as {kind}.*KERAS_BACKEND=tensorflow"):
        export_model(model, kind, tmp_path, images, expected)


def test_an_unknown_kind_is_refused_with_the_known_ones(images: Bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Unknown export 'pickle': choose one of savedmodel, onnx, litert"):
        export_model(dense(), "pickle", tmp_path, images, np.zeros((300, 10), np.float32))


def test_no_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        export_model(dense(), "onnx", tmp_path, np.zeros((0, 28, 28), np.uint8), np.zeros((0, 10), np.float32))
