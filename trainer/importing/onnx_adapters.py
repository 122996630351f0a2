"""Writes an ONNX network again, with Tenfold's input and output around it."""

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import ModelProto, TensorProto, compose, helper

from tenfold.trainer.errors import ModelRefused
from tenfold.trainer.importing.layouts import Layout

IMAGES, SCORES = "images", "scores"

FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)


def input_of(model: ModelProto) -> tuple[str, tuple[int | None, ...], int]:
    """Name, shape (None where any size is taken) and type of the network's only input.

    Raises:
        ModelRefused: it has several, or one of another type than float.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    given = [value for value in model.graph.input if value.name not in weights]
    if len(given) != 1:
        names = ", ".join(value.name[:50] for value in given[:8])
        raise ModelRefused(
            "input", f"The network has {len(given)} inputs ({names}); it must have one, for the image. Export it so."
        )
    (value,) = given
    kind = value.type.tensor_type.elem_type
    if kind not in FLOATS:
        raise ModelRefused(
            "input",
            f"The network's input is of type {TensorProto.DataType.Name(kind).lower()}; it must be float. Export it "
            "with a float input.",
        )
    return value.name, _shape(value), kind


def output_of(model: ModelProto) -> tuple[str, tuple[int | None, ...]]:
    """Name and shape of the network's only output.

    Raises:
        ModelRefused: it has several.
    """
    if len(model.graph.output) != 1:
        names = ", ".join(value.name[:50] for value in model.graph.output[:8])
        raise ModelRefused(
            "classes",
            f"The network has {len(model.graph.output)} outputs ({names}); it must have one, with a score for each "
            "class. Export it so.",
        )
    (value,) = model.graph.output
    return value.name, _shape(value)


def adapted(
    model: ModelProto, shape: Sequence[int], layout: Layout, classes: int | None, *, softmax: bool, any_batch: bool
) -> ModelProto:
    """The network as Tenfold calls it: `images` (n, *shape) float32 to `scores` (n, classes) float32.

    Args:
        layout: how the network takes the image.
        classes: how many scores it gives; None if that is not known yet.
        softmax: whether its output is turned into probabilities.
        any_batch: take any number of images at a time, though the file says one number.
    """
    model = compose.add_prefix(model, "network/")  # so that no name of the file is one of those given here
    name, taken, kind = input_of(model)
    result, _ = output_of(model)
    batch = None if any_batch else taken[0]
    before: list[onnx.NodeProto] = []
    images = IMAGES

    def step(operator: str, *inputs: str, **attributes: Any) -> str:
        output = f"tenfold/{operator.lower()}_{len(before)}"
        before.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    if layout.transposed:
        images = step("Transpose", images, perm=[0, *(place + 1 for place in layout.transposed)])
    target = [batch or -1, *layout.network]
    sizes = helper.make_tensor("tenfold/sizes", TensorProto.INT64, [len(target)], target)
    images = step("Reshape", images, sizes.name)
    images = step("Cast", images, to=kind)
    graph = model.graph
    for node in graph.node:
        for place, used in enumerate(node.input):
            if used == name:
                node.input[place] = images
    scores = "tenfold/scores"
    after = [helper.make_node("Cast", [result], [scores], name=scores, to=TensorProto.FLOAT)]
    if softmax:
        after.append(helper.make_node("Softmax", [scores], [SCORES], name="tenfold/answer", axis=1))
    else:
        after.append(helper.make_node("Identity", [scores], [SCORES], name="tenfold/answer"))
    weights = [*graph.initializer, sizes]
    written = helper.make_graph(
        [*before, *graph.node, *after],
        "tenfold",
        [helper.make_tensor_value_info(IMAGES, TensorProto.FLOAT, [batch or "n", *shape])],
        [helper.make_tensor_value_info(SCORES, TensorProto.FLOAT, [batch or "n", classes])],
        weights,
        sparse_initializer=graph.sparse_initializer,
    )
    opsets = [opset for opset in model.opset_import if opset.domain in ("", "ai.onnx")]
    return helper.make_model(written, ir_version=model.ir_version, opset_imports=opsets, producer_name="tenfold")


def _shape(value: onnx.ValueInfoProto) -> tuple[int | None, ...]:
    return tuple(
        size.dim_value if size.HasField("dim_value") and size.dim_value > 0 else None
        for size in value.type.tensor_type.shape.dim
    )
