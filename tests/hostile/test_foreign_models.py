"""Models from hostile people, or damaged ones: each is refused with the field and the remedy, and none is run."""

import io
import os
import pickle
import socket
import stat
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from tenfold.trainer.errors import ModelRefused
from tenfold.trainer.importing.isolation import Limits, run_isolated
from tenfold.trainer.importing.keras_files import open_h5, open_keras
from tenfold.trainer.importing.keras_opening import write_keras
from tenfold.trainer.importing.onnx_files import open_onnx
from tenfold.trainer.importing.onnx_opening import write_onnx
from tenfold.trainer.importing.opening import detect_format
from tenfold.trainer.importing.savedmodels import open_savedmodel
from tenfold.trainer.input_spec import InputSpec
from tests.foreign_models import (
    LAMBDA,
    h5_with_config,
    linear_onnx,
    onnx_file,
    repacked,
    saved,
    untrained,
    with_layer,
    zipped_folder,
)

MAX_BYTES = 2**26
GRAY = InputSpec("resize")
OPENING = "tenfold.trainer.importing.opening"


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch evil",)


class Doubling(keras.layers.Layer):  # type: ignore[misc]
    def call(self, images: Any) -> Any:
        return images * 2


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(untrained(), tmp_path_factory.mktemp("keras") / "model.keras")


@pytest.fixture(scope="module")
def savedmodel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a SavedModel."""
    folder = tmp_path_factory.mktemp("savedmodel") / "model"
    untrained().export(folder, verbose=False)
    return folder


def refused(error: pytest.ExceptionInfo[ModelRefused], field: str, *words: str) -> None:
    message = str(error.value)
    assert message.startswith(f"{field}: ")
    for word in words:
        assert word in message


def test_a_keras_file_with_a_lambda_is_refused(keras_file: Path, tmp_path: Path) -> None:
    path = repacked(keras_file, lambda config: with_layer(config, LAMBDA))
    with pytest.raises(ModelRefused) as error:
        open_keras(path, tmp_path, MAX_BYTES)
    refused(error, "file", "keras.layers.Lambda", "never run", "ONNX")


def test_a_keras_file_with_a_class_of_another_module_is_refused(keras_file: Path, tmp_path: Path) -> None:
    layer = {"module": "os", "class_name": "system", "config": {"command": "touch evil"}, "registered_name": None}
    path = repacked(keras_file, lambda config: with_layer(config, layer))
    with pytest.raises(ModelRefused) as error:
        open_keras(path, tmp_path, MAX_BYTES)
    refused(error, "file", "os.system", "Replace it")


def test_a_keras_file_with_a_custom_layer_is_refused(tmp_path: Path) -> None:
    path = saved(untrained(Doubling()), tmp_path / "custom.keras")
    with pytest.raises(ModelRefused) as error:
        open_keras(path, tmp_path, MAX_BYTES)
    refused(error, "file", "Doubling", "Replace it")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keras.layers", "TFSMLayer"),
        ("keras.layers", "StringLookup"),
        ("keras.config", "enable_unsafe_deserialization"),
        ("builtins", "function"),
        ("keras.src.models.model", "model_from_json"),
    ],
)
def test_a_way_around_safe_mode_is_refused(module: str, name: str, keras_file: Path, tmp_path: Path) -> None:
    layer = {"module": module, "class_name": name, "config": {}, "registered_name": None}
    path = repacked(keras_file, lambda config: config["config"]["layers"][1]["config"].update(activation=layer))
    with pytest.raises(ModelRefused) as error:
        open_keras(path, tmp_path, MAX_BYTES)
    refused(error, "file", name)


def test_a_keras_file_with_further_members_is_refused(keras_file: Path, tmp_path: Path) -> None:
    path = repacked(keras_file, lambda config: None, {"assets/vocabulary.pkl": pickle.dumps(Evil())})
    with pytest.raises(ModelRefused) as error:
        open_keras(path, tmp_path, MAX_BYTES)
    refused(error, "file", "vocabulary.pkl", "Save the whole model again")


def test_how_a_model_was_compiled_is_not_read(keras_file: Path, tmp_path: Path) -> None:
    path = repacked(keras_file, lambda config: config.update(compile_config={"loss": LAMBDA}))
    assert open_keras(path, tmp_path, MAX_BYTES).count_params() == 7850


def test_an_h5_file_with_a_lambda_is_refused(tmp_path: Path) -> None:
    layers = [{"class_name": "Lambda", "config": {"name": "evil", "function": ["4wAAAAAAAAA=", None, None]}}]
    path = h5_with_config(tmp_path / "evil.h5", {"class_name": "Sequential", "config": {"layers": layers}})
    with pytest.raises(ModelRefused) as error:
        open_h5(path)
    refused(error, "file", "Lambda", "never run")


def test_an_h5_file_with_weights_only_is_refused(tmp_path: Path) -> None:
    model = untrained()
    model.save_weights(tmp_path / "only.weights.h5")
    with pytest.raises(ModelRefused) as error:
        open_h5(tmp_path / "only.weights.h5")
    refused(error, "file", "weights only", "model.save")


def test_an_h5_file_that_reads_another_is_refused(tmp_path: Path) -> None:
    path = saved(untrained(), tmp_path / "model.h5")
    with h5py.File(path, "a") as file:
        file["model_weights/stolen"] = h5py.ExternalLink("/etc/hostname", "/")
    with pytest.raises(ModelRefused) as error:
        open_h5(path)
    refused(error, "file", "link 'stolen'")


def test_an_h5_file_whose_data_lie_elsewhere_is_refused(tmp_path: Path) -> None:
    path = saved(untrained(), tmp_path / "model.h5")
    (tmp_path / "secret").write_bytes(bytes(400))
    with h5py.File(path, "a") as file:
        file["model_weights"].create_dataset(
            "stolen", (100,), np.float32, external=[(str(tmp_path / "secret"), 0, 400)]
        )
    with pytest.raises(ModelRefused) as error:
        open_h5(path)
    refused(error, "file", "'stolen'", "outside")


@pytest.mark.parametrize("suffix", ["keras", "h5", "onnx"])
def test_a_truncated_file_is_refused(suffix: str, keras_file: Path, tmp_path: Path) -> None:
    whole = {
        "keras": lambda: keras_file,
        "h5": lambda: saved(untrained(), tmp_path / "whole.h5"),
        "onnx": lambda: onnx_file(linear_onnx(), tmp_path / "whole.onnx"),
    }[suffix]().read_bytes()
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelRefused) as error:
        match detect_format(path, MAX_BYTES):
            case "keras":
                open_keras(path, tmp_path, MAX_BYTES)
            case "h5":
                open_h5(path)
            case _:
                open_onnx(path)
    refused(error, "file", "truncated", "again")


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_renamed_pickle_is_refused(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(pickle.dumps(Evil(), protocol))
    with pytest.raises(ModelRefused) as error:
        assert detect_format(path, MAX_BYTES) == "onnx"
        open_onnx(path)
    refused(error, "file", "ONNX")
    assert not (tmp_path / "evil").exists()


def test_a_file_of_pytorch_is_refused_with_the_way_to_onnx(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps(Evil()))
    with pytest.raises(ModelRefused) as error:
        detect_format(path, MAX_BYTES)
    refused(error, "file", "never opened", "torch.onnx.export")


def test_weights_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    model = untrained()
    model.layers[-1].bias.assign([np.nan] * 10)
    with pytest.raises(ModelRefused) as error:
        open_keras(saved(model, tmp_path / "nan.keras"), tmp_path, MAX_BYTES)
    refused(error, "file", "NaN", "diverged")
    weights = np.zeros((784, 10), np.float32)
    weights[0, 0] = np.inf
    with pytest.raises(ModelRefused) as error:
        open_onnx(onnx_file(linear_onnx(weights=weights), tmp_path / "inf.onnx"))
    refused(error, "file", "'weights'", "infinite")


def test_an_onnx_with_operators_of_its_own_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Evil", ["image"], ["scores"], domain="com.example")
    path = onnx_file(linear_onnx([node], opsets={"": 17, "com.example": 1}), tmp_path / "own.onnx")
    with pytest.raises(ModelRefused) as error:
        open_onnx(path)
    refused(error, "file", "'Evil'", "com.example", "standard")


def test_an_onnx_with_weights_in_another_file_is_refused(tmp_path: Path) -> None:
    tensor = TensorProto(name="secret", data_type=TensorProto.FLOAT, dims=[100])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/hostname")
    path = onnx_file(linear_onnx(initializers=[tensor]), tmp_path / "external.onnx")
    with pytest.raises(ModelRefused) as error:
        open_onnx(path)
    refused(error, "file", "'secret'", "external_data=False")


def test_an_onnx_with_a_loop_is_refused(tmp_path: Path) -> None:
    body = helper.make_graph([], "body", [], [])
    node = helper.make_node("Loop", ["image"], ["scores"], body=body)
    with pytest.raises(ModelRefused) as error:
        open_onnx(onnx_file(linear_onnx([node]), tmp_path / "loop.onnx"))
    refused(error, "file", "'Loop'", "loops")


def test_an_onnx_whose_memory_depends_on_the_pixels_is_refused(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("ReduceSum", ["image"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["sum"], ["count"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["count", "one"], ["length"]),
        helper.make_node("Expand", ["image", "length"], ["huge"], name="bomb"),
        helper.make_node("Flatten", ["huge"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
    ]
    one = numpy_helper.from_array(np.array([1], np.int64), "one")
    with pytest.raises(ModelRefused) as error:
        open_onnx(onnx_file(linear_onnx(nodes, initializers=[one]), tmp_path / "bomb.onnx"))
    refused(error, "file", "'bomb'", "no limit")


@pytest.mark.parametrize("what", ["inputs", "outputs"])
def test_an_onnx_with_two_inputs_or_outputs_is_refused(what: str, tmp_path: Path) -> None:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, 28, 28])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 10])
    more = {
        "inputs": [image, helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n", 784])],
        "outputs": [scores, helper.make_tensor_value_info("flat", TensorProto.FLOAT, ["n", 784])],
    }
    path = onnx_file(linear_onnx(**{what: more[what]}), tmp_path / "two.onnx")  # type: ignore[arg-type]
    with pytest.raises(ModelRefused) as error:
        write_onnx(path, False, GRAY, None, tmp_path, MAX_BYTES)
    refused(error, "input" if what == "inputs" else "classes", f"has 2 {what}", "must have one")


@pytest.mark.parametrize("what", ["inputs", "outputs"])
def test_a_keras_model_with_two_inputs_or_outputs_is_refused(what: str, tmp_path: Path) -> None:
    image, other = keras.Input((28, 28)), keras.Input((10,))
    scores = keras.layers.Dense(10)(keras.layers.Flatten()(image))
    model = (
        keras.Model([image, other], keras.layers.Add()([scores, other]))
        if what == "inputs"
        else keras.Model(image, [scores, keras.layers.Softmax()(scores)])
    )
    path = saved(model, tmp_path / "two.keras")
    with pytest.raises(ModelRefused) as error:
        write_keras(path, False, GRAY, None, tmp_path, MAX_BYTES)
    refused(error, "input" if what == "inputs" else "classes", f"has 2 {what}", "must have one")


def test_an_input_that_the_network_does_not_have_is_refused(keras_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelRefused) as error:
        write_keras(keras_file, False, InputSpec("resize", 32, 32, 3), None, tmp_path, MAX_BYTES)
    refused(error, "input", "(28, 28, 1)", "not the declared 32x32x3", "Declare what it takes: 28x28x1")


def test_another_number_of_classes_is_refused(keras_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelRefused) as error:
        write_keras(keras_file, False, GRAY, 26, tmp_path, MAX_BYTES)
    refused(error, "classes", "26 classes are declared", "10 outputs", "Name 10 classes")


def test_a_zip_bomb_as_savedmodel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("saved_model.pb", bytes(2**25))
        archive.writestr("variables/variables.data", bytes(2**25))
    with pytest.raises(ModelRefused) as error:
        detect_format(path, MAX_BYTES)
    refused(error, "file", "unpacks to 67,108,864", "Pack only the model")


def members(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_a_zip_with_a_way_out_a_link_or_too_many_members_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("variables/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for number, names in enumerate((["../saved_model.pb"], [link], [f"{count}" for count in range(2001)])):
        path = tmp_path / f"{number}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, b"/etc/passwd")  # type: ignore[arg-type]
        with pytest.raises(ModelRefused) as error:
            open_savedmodel(path, tmp_path, MAX_BYTES)
        refused(error, "file", ("leads out", "is a link", "2,001 members")[number])
    assert not (tmp_path.parent / "saved_model.pb").exists()


def test_a_savedmodel_that_reads_or_writes_files_is_refused(tmp_path: Path) -> None:
    class Writing(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec((None, 28, 28), tf.float32)])  # type: ignore[untyped-decorator]
        def serve(self, images: Any) -> Any:
            tf.io.write_file(str(tmp_path / "evil"), "written")
            return tf.reshape(images, (-1, 784))[:, :10]

    module = Writing()
    tf.saved_model.save(module, tmp_path / "model", signatures=module.serve)
    path = tmp_path / "model.zip"
    path.write_bytes(zipped_folder(tmp_path / "model"))
    with pytest.raises(ModelRefused) as error:
        open_savedmodel(path, tmp_path / "work", MAX_BYTES)
    refused(error, "file", "'WriteFile'", "ONNX")
    assert not (tmp_path / "evil").exists()


def test_a_savedmodel_that_restores_its_weights_from_another_file_is_refused(savedmodel: Path, tmp_path: Path) -> None:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    saved_model = SavedModel()
    saved_model.ParseFromString((savedmodel / "saved_model.pb").read_bytes())
    [meta] = saved_model.meta_graphs
    elsewhere = meta.graph_def.node.add(op="Const", name="elsewhere")
    elsewhere.attr["dtype"].type = tf.string.as_datatype_enum
    elsewhere.attr["value"].tensor.CopyFrom(tf.make_tensor_proto("/another/model"))
    [restore] = [node for node in meta.graph_def.node if node.name == meta.saver_def.restore_op_name]
    restore.input[0] = "elsewhere"
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("saved_model.pb", saved_model.SerializeToString())
    with pytest.raises(ModelRefused) as error:
        open_savedmodel(path, tmp_path / "work", MAX_BYTES)
    refused(error, "file", "names a file to read its weights from")


def test_a_savedmodel_with_a_damaged_graph_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("saved_model.pb", b"\xff" * 100)
    with pytest.raises(ModelRefused) as error:
        open_savedmodel(path, tmp_path / "work", MAX_BYTES)
    refused(error, "file", "damaged")


def test_a_network_that_takes_gigabytes_is_ended(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Expand", ["image", "much"], ["huge"]),
        helper.make_node("ReduceSum", ["huge", "axes"], ["image2"], keepdims=0),
        helper.make_node("Flatten", ["image2"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
    ]
    much = numpy_helper.from_array(np.array([100_000, 1, 1, 28, 28], np.int64), "much")
    axes = numpy_helper.from_array(np.array([0], np.int64), "axes")
    path = onnx_file(linear_onnx(nodes, initializers=[much, axes]), tmp_path / "huge.onnx")
    work = tmp_path / "work"
    work.mkdir()
    request = {"path": str(path), "input": GRAY.as_dict(), "classes": None}
    with pytest.raises(ModelRefused) as error:
        run_isolated(OPENING, request, Limits(2**30, 100, 2**28), work, lambda: None)
    refused(error, "file", "GiB of memory", "smaller network")


def test_a_network_that_takes_minutes_is_ended(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    path = onnx_file(linear_onnx(), tmp_path / "model.onnx")
    request = {"path": str(path), "input": GRAY.as_dict(), "classes": None}
    with pytest.raises(ModelRefused) as error:
        run_isolated(OPENING, request, Limits(2**32, 1, 2**28), work, lambda: None)
    refused(error, "file", "1 s of processor time", "smaller network")


PROBE = """
import json, os, socket
from pathlib import Path
from tenfold.trainer.importing.isolation import Limits
Limits(2**32, 10, 2**20).apply()
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=5)
    reached = True
except OSError:
    reached = False
Path("answer.json").write_text(json.dumps(dict(reached=reached, names=sorted(os.environ))))
"""


def test_the_process_has_no_secrets_and_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_unshare = subprocess.run(["unshare", "--user", "--net", "true"], check=False).returncode == 0
    monkeypatch.setenv("TENFOLD_DATABASE_URL", "postgresql://tenfold:secret@db/tenfold")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    with socket.create_server(("127.0.0.1", 0)) as server:
        (tmp_path / "probe.py").write_text(PROBE.format(port=server.getsockname()[1]))
        answer = run_isolated("probe", {}, Limits(2**32, 10, 2**20), tmp_path, lambda: None)
    assert not any(name.startswith("TENFOLD") for name in answer["names"])
    assert not (answer["reached"] and may_unshare)


def test_the_process_is_killed_when_its_job_is_cancelled(tmp_path: Path) -> None:
    class Cancelled(Exception):
        pass

    def cancel() -> None:
        raise Cancelled

    path = onnx_file(linear_onnx(), tmp_path / "model.onnx")
    request = {"path": str(path), "input": GRAY.as_dict(), "classes": None}
    with pytest.raises(Cancelled):
        run_isolated(OPENING, request, Limits(2**32, 100, 2**28), tmp_path, cancel)
    assert not (tmp_path / "answer.json").exists()
