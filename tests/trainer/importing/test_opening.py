"""What is written of a network takes Tenfold's images, in whatever form the network took them, and gives the same."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from onnx import TensorProto, helper

from tenfold.trainer.errors import ModelRefused
from tenfold.trainer.importing.keras_opening import write_keras
from tenfold.trainer.importing.onnx_opening import write_onnx
from tenfold.trainer.input_spec import InputSpec
from tenfold.trainer.serving.inference import Classifier
from tests.foreign_models import linear_onnx, onnx_file, saved, untrained, zipped_folder

GRAY, COLOR = InputSpec("resize", 12, 12), InputSpec("resize", 12, 10, 3)
RANDOM = np.random.default_rng(2)
MAX_BYTES = 2**26


def softmax(logits: Any) -> Any:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("shape", [(12, 12), (12, 12, 1), (1, 12, 12), (144,)])
def test_a_keras_network_takes_gray_images_in_each_usual_form(shape: tuple[int, ...], tmp_path: Path) -> None:
    model = untrained(shape=shape)
    opened = write_keras(saved(model, tmp_path / "any.keras"), False, GRAY, None, tmp_path, MAX_BYTES)
    images = RANDOM.integers(0, 256, (5, 12, 12), np.uint8)
    answers = Classifier.load(tmp_path / opened["file"], spec=GRAY).classify(images)
    expected = model.predict_on_batch(images.reshape(5, *shape) / np.float32(255))
    np.testing.assert_allclose(answers, expected, atol=1e-6)
    assert (opened["classes"], opened["output"]) == (10, "probabilities")


def test_a_legacy_h5_file_is_opened(tmp_path: Path) -> None:
    model = untrained(keras.layers.Conv2D(2, 3, activation="relu"), shape=(12, 12, 1))
    opened = write_keras(saved(model, tmp_path / "old.h5"), True, GRAY, 10, tmp_path, MAX_BYTES)
    images = RANDOM.integers(0, 256, (5, 12, 12), np.uint8)
    answers = Classifier.load(tmp_path / opened["file"], spec=GRAY).classify(images)
    np.testing.assert_allclose(answers, model.predict_on_batch(images[..., None] / np.float32(255)), atol=1e-6)


def test_a_functional_network_for_color_is_opened(tmp_path: Path) -> None:
    image = keras.Input((12, 10, 3))
    one = keras.layers.Conv2D(4, 3, padding="same")(keras.layers.Rescaling(2, offset=-1)(image))
    scores = keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(keras.layers.Add()([one, one])))
    model = keras.Model(image, scores)
    model.compile("adam", "mse")
    opened = write_keras(saved(model, tmp_path / "color.keras"), False, COLOR, None, tmp_path, MAX_BYTES)
    images = RANDOM.integers(0, 256, (5, 12, 10, 3), np.uint8)
    answers = Classifier.load(tmp_path / opened["file"], spec=COLOR).classify(images)
    np.testing.assert_allclose(answers, softmax(model.predict_on_batch(images / np.float32(255))), atol=1e-5)
    assert (opened["output"], opened["measured"]) == ("logits", True)


def color_onnx(shape: tuple[Any, ...], **options: Any) -> Any:
    """Flattened color times weights."""
    weights = RANDOM.normal(0, 0.1, (360, 4)).astype(np.float32)
    return weights, linear_onnx(shape=shape, weights=weights, **options)


@pytest.mark.parametrize("batch", ["n", 1, 3])
def test_an_onnx_network_takes_color_with_channels_first(batch: Any, tmp_path: Path) -> None:
    weights, model = color_onnx((batch, 3, 12, 10))
    opened = write_onnx(onnx_file(model, tmp_path / "c.onnx"), False, COLOR, None, tmp_path, MAX_BYTES)
    images = RANDOM.integers(0, 256, (5, 12, 10, 3), np.uint8)
    answers = Classifier.load(tmp_path / opened["file"], spec=COLOR).classify(images)
    flat = images.transpose(0, 3, 1, 2).reshape(5, 360) / np.float32(255)
    np.testing.assert_allclose(answers, softmax(flat @ weights), atol=1e-5)
    assert (opened["batch"], opened["layout"]) == (None, "(3, height, width)")


def test_an_onnx_network_that_can_only_take_one_image_is_called_for_each(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Reshape", ["image", "row"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
    ]
    row = helper.make_tensor("row", TensorProto.INT64, [2], [1, 360])
    weights, model = color_onnx((1, 12, 10, 3), nodes=nodes, initializers=[row])
    opened = write_onnx(onnx_file(model, tmp_path / "one.onnx"), False, COLOR, None, tmp_path, MAX_BYTES)
    images = RANDOM.integers(0, 256, (5, 12, 10, 3), np.uint8)
    answers = Classifier.load(tmp_path / opened["file"], spec=COLOR).classify(images)
    np.testing.assert_allclose(answers, softmax(images.reshape(5, 360) / np.float32(255) @ weights), atol=1e-5)
    assert opened["batch"] == 1


def test_an_onnx_network_that_ends_in_a_softmax_is_left_as_it_is(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"]),
    ]
    _, model = color_onnx(("n", 12, 10, 3), nodes=nodes)
    opened = write_onnx(onnx_file(model, tmp_path / "soft.onnx"), False, COLOR, 4, tmp_path, MAX_BYTES)
    assert (opened["output"], opened["measured"]) == ("probabilities", False)


def test_a_savedmodel_becomes_onnx_with_the_same_answers(tmp_path: Path) -> None:
    model = untrained(
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.MaxPooling2D(),
        shape=(12, 10, 3),
    )
    model.export(tmp_path / "saved", verbose=False)
    (tmp_path / "saved.zip").write_bytes(zipped_folder(tmp_path / "saved"))
    opened = write_onnx(tmp_path / "saved.zip", True, COLOR, None, tmp_path, MAX_BYTES)
    images = RANDOM.integers(0, 256, (5, 12, 10, 3), np.uint8)
    answers = Classifier.load(tmp_path / opened["file"], spec=COLOR).classify(images)
    np.testing.assert_allclose(answers, model.predict_on_batch(images / np.float32(255)), atol=1e-5)
    assert opened["file"] == "model.onnx"


def test_a_transposed_network_gets_its_images_transposed(tmp_path: Path) -> None:
    spec = InputSpec("resize", 12, 10, orientation="transposed")
    model = untrained(shape=(10, 12, 1))
    opened = write_keras(saved(model, tmp_path / "emnist.keras"), False, spec, None, tmp_path, MAX_BYTES)
    images = RANDOM.integers(0, 256, (5, 12, 10), np.uint8)
    answers = Classifier.load(tmp_path / opened["file"], spec=spec).classify(images)
    expected = model.predict_on_batch(images.swapaxes(1, 2)[..., None] / np.float32(255))
    np.testing.assert_allclose(answers, expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(100,), (12, 12, 4), (2, 12, 12, 1), (12,)])
def test_any_other_form_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    path = saved(untrained(shape=shape), tmp_path / "other.keras")
    with pytest.raises(ModelRefused, match=r"^input: The network takes images of shape \("):
        write_keras(path, False, GRAY, None, tmp_path, MAX_BYTES)
