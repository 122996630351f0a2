"""Opens ONNX files: standard operators that only compute, weights within the file, and sizes that no image can change.

The last is what makes the limits hold that are checked once: an operator whose output's size depends on the pixels
could take little for the images of the check, and gigabytes for a later one.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, inliner, numpy_helper

from tenfold.trainer.errors import ModelRefused
from tenfold.trainer.importing.outputs import not_finite

DOMAINS = ("", "ai.onnx")

OPERATORS = frozenset(
    {
        *("Abs", "Add", "And", "ArgMax", "ArgMin", "AveragePool", "BatchNormalization", "Cast", "CastLike", "Ceil"),
        *("Celu", "Clip", "Concat", "Constant", "ConstantOfShape", "Conv", "ConvTranspose", "Cos", "DepthToSpace"),
        *("DequantizeLinear", "Div", "Dropout", "DynamicQuantizeLinear", "Einsum", "Elu", "Equal", "Erf", "Exp"),
        *("Expand", "Flatten", "Floor", "GRU", "Gather", "GatherElements", "GatherND", "Gelu", "Gemm"),
        *("GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual", "GroupNormalization", "HardSigmoid"),
        *("HardSwish", "Identity", "InstanceNormalization", "LRN", "LSTM", "LayerNormalization", "LeakyRelu", "Less"),
        *("LessOrEqual", "Log", "LogSoftmax", "LpNormalization", "MatMul", "MatMulInteger", "Max", "MaxPool", "Mean"),
        *("Min", "Mish", "Mod", "Mul", "Neg", "Not", "Or", "PRelu", "Pad", "Pow", "QLinearConv", "QLinearMatMul"),
        *("QuantizeLinear", "RNN", "Range", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"),
        *("ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Relu", "Reshape"),
        *("Resize", "RMSNormalization", "Round", "Selu", "Shape", "Sigmoid", "Sign", "Sin", "Size", "Slice", "Softmax"),
        *("Softplus", "Softsign", "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Swish", "Tanh"),
        *("ThresholdedRelu", "Tile", "TopK", "Transpose", "Trilu", "Unsqueeze", "Upsample", "Where"),
    }
)

# Operators whose output's size is given by the values of these inputs.
SIZED_BY = {
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "Pad": (1, 3),
    "Range": (0, 1, 2),
    "Reshape": (1,),
    "Resize": (1, 2, 3),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Tile": (1,),
    "TopK": (1,),
    "Upsample": (1,),
}

# Their output depends on the sizes of the input only, not on its values.
OF_SIZES = ("Shape", "Size")

EXPORT = "Export the model again for inference, with standard operators (torch.onnx.export, tf2onnx)."


def open_onnx(path: Path) -> ModelProto:
    """The network in an ONNX file.

    Raises:
        ModelRefused: it is no ONNX file or damaged, has weights in other files or such that are not finite, or
            operators other than the standard ones.
    """
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:
        raise ModelRefused(
            "file",
            "The file is none of a .keras file, an .h5 file of Keras, a zip of a SavedModel, or an ONNX file; or it "
            "is damaged or truncated. Export the model again, and upload it whole.",
        ) from error
    if not model.graph.node:
        raise ModelRefused(
            "file", "The file has no network: it is no ONNX file, or is damaged or truncated. Export the model again."
        )
    check_onnx(model)
    if model.functions:
        model = inliner.inline_local_functions(model)
        check_onnx(model)
    return model


def check_onnx(model: ModelProto) -> None:
    """Refuse a network with anything that is not standard, or whose sizes depend on the pixels.

    Raises:
        ModelRefused: it has; or it is invalid.
    """
    functions = {(function.domain, function.name) for function in model.functions}
    for node in _nodes(model):
        _check_operator(node, functions)
    for tensor in _tensors(model):
        _check_tensor(tensor)
    try:
        onnx.checker.check_model(model)
    except Exception as error:
        raise ModelRefused(
            "file", f"The ONNX file is invalid: {' '.join(str(error).split())[:300]} {EXPORT}"
        ) from error
    if not functions:
        _check_sizes(model.graph)


def _nodes(model: ModelProto) -> Iterator[NodeProto]:
    yield from model.graph.node
    for function in model.functions:
        yield from function.node


def _check_operator(node: NodeProto, functions: set[tuple[str, str]]) -> None:
    if (node.domain, node.op_type) in functions:
        return
    if node.domain not in DOMAINS:
        raise ModelRefused(
            "file",
            f"The network has the operator {node.op_type[:100]!r} of the domain {node.domain[:100]!r}; only those of "
            f"the standard are run. {EXPORT}",
        )
    subgraphs = (AttributeProto.GRAPH, AttributeProto.GRAPHS)
    if node.op_type not in OPERATORS or any(attribute.type in subgraphs for attribute in node.attribute):
        raise ModelRefused(
            "file",
            f"The network has the operator {node.op_type[:100]!r}, which isn't supported here: loops, branches, "
            f"random numbers, text and sequences are not run. {EXPORT}",
        )


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    yield from model.graph.initializer
    for sparse in model.graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in _nodes(model):
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("sparse_tensor"):
                yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)


def _check_tensor(tensor: TensorProto) -> None:
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise ModelRefused(
            "file",
            f"The weights {tensor.name[:100]!r} are in another file. Save all in one: torch.onnx.export(…, "
            "external_data=False), or onnx.save(onnx.load('model.onnx'), 'one.onnx').",
        )
    if tensor.data_type in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16):
        try:
            values = numpy_helper.to_array(tensor)
        except Exception as error:
            raise ModelRefused("file", f"The weights {tensor.name[:100]!r} are damaged. {EXPORT}") from error
        if np.isnan(values).any() or (values.size > 1 and np.isinf(values).any()):
            raise not_finite(tensor.name)


def _check_sizes(graph: GraphProto) -> None:
    """Follow what depends on the pixels' values through the graph, whose nodes are in the order of their use."""
    of_pixels = {value.name for value in graph.input} - {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        depending = [place for place, name in enumerate(node.input) if name in of_pixels]
        if set(depending) & set(SIZED_BY.get(node.op_type, ())):
            raise ModelRefused(
                "file",
                f"The size of what the operator {node.op_type} ({node.name[:100]!r}) gives depends on the pixels, so "
                f"that the memory it takes has no limit. {EXPORT}",
            )
        if depending and node.op_type not in OF_SIZES:
            of_pixels.update(node.output)
