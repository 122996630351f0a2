"""Models as other people make them: plain Keras, ONNX written by hand, and what hostile people make of these."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from tenfold.trainer.data.datasets import Dataset


def trained(mnist: Dataset, shape: tuple[int, ...] = (28, 28, 1)) -> keras.Model:
    """A plain Keras network that knows most digits, and gives logits."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(10)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images = (mnist.train_images[:6000] / np.float32(255)).reshape(-1, *shape)
    model.fit(images, mnist.train_labels[:6000], epochs=4, batch_size=64, verbose=0)
    return model


def untrained(*layers: keras.Layer, shape: tuple[int, ...] = (28, 28, 1), classes: int = 10) -> keras.Model:
    return keras.Sequential(
        [keras.Input(shape), *layers, keras.layers.Flatten(), keras.layers.Dense(classes, activation="softmax")]
    )


def saved(model: keras.Model, path: Path) -> Path:
    model.save(path)
    return path


def repacked(path: Path, change: Callable[[dict[str, Any]], None], more: Mapping[str, bytes] | None = None) -> Path:
    """The `.keras` file with another configuration, and further members."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members |= {"config.json": json.dumps(config).encode(), **(more or {})}
    target = path.with_name(f"changed-{path.name}")
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target


def with_layer(config: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Put a layer after the input of a sequential model's configuration."""
    config["config"]["layers"].insert(1, layer)


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"name": "evil", "function": {"class_name": "__lambda__", "config": {"code": "4wAAAAAAAAA="}}},
    "registered_name": None,
}


def h5_with_config(path: Path, config: Any) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.create_group("model_weights")
    return path


def linear_onnx(
    nodes: list[NodeProto] | None = None,
    *,
    shape: tuple[Any, ...] = ("n", 1, 28, 28),
    weights: np.ndarray[Any, Any] | None = None,
    inputs: list[onnx.ValueInfoProto] | None = None,
    outputs: list[onnx.ValueInfoProto] | None = None,
    initializers: list[TensorProto] | None = None,
    opsets: Mapping[str, int] | None = None,
) -> ModelProto:
    """A network of ONNX's own making: `image`, flattened, times weights, to `scores`."""
    if weights is None:
        weights = np.random.default_rng(1).normal(0, 0.1, (784, 10)).astype(np.float32)
    graph = helper.make_graph(
        nodes
        or [
            helper.make_node("Flatten", ["image"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
        ],
        "net",
        inputs or [helper.make_tensor_value_info("image", TensorProto.FLOAT, list(shape))],
        outputs or [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [shape[0], weights.shape[1]])],
        [numpy_helper.from_array(weights, "weights"), *(initializers or [])],
    )
    imports = [helper.make_opsetid(domain, version) for domain, version in (opsets or {"": 17}).items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def onnx_file(model: ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def zipped_folder(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, str(path.relative_to(folder)))
    return buffer.getvalue()
