"""Converts a SavedModel to ONNX, without TensorFlow's loader for SavedModels.

A SavedModel is a program: what TensorFlow runs when it loads one can read and write files. So only the operations that
lead to the answer and those that restore the weights are kept, all of them from a list of such that compute, and what
is served is the ONNX file.
"""

import warnings
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import tensorflow as tf
from onnx import ModelProto
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from tenfold.trainer.errors import ModelRefused, PackageMissing
from tenfold.trainer.importing.onnx_files import check_onnx
from tenfold.trainer.importing.zips import files_of, open_zip, unpack

GRAPH = "saved_model.pb"
SIGNATURE = "serving_default"
OPSET = 18

OPERATIONS = frozenset(
    {
        *("Placeholder", "Const", "Identity", "IdentityN", "NoOp", "StopGradient", "PreventGradient", "EnsureShape"),
        *("VarHandleOp", "ReadVariableOp", "PartitionedCall", "StatefulPartitionedCall"),
        *("MatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "BiasAdd", "Conv2D", "DepthwiseConv2dNative"),
        *("Conv2DBackpropInput", "MaxPool", "AvgPool", "FusedBatchNorm", "FusedBatchNormV3", "LRN"),
        *("Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Softplus", "Softsign", "Softmax", "LogSoftmax", "Sigmoid"),
        *("Tanh", "Erf", "Erfc", "Add", "AddV2", "AddN", "Sub", "Mul", "Div", "RealDiv", "DivNoNan", "FloorDiv"),
        *("FloorMod", "Maximum", "Minimum", "Pow", "SquaredDifference", "Square", "Sqrt", "Rsqrt", "Exp", "Log"),
        *("Log1p", "Neg", "Abs", "Sign", "Floor", "Ceil", "Round", "Reciprocal", "ClipByValue", "Sum", "Mean", "Prod"),
        *("Max", "Min", "ArgMax", "Reshape", "Shape", "Rank", "Size", "StridedSlice", "Slice", "Pack", "Unpack"),
        *("Squeeze", "ExpandDims", "ConcatV2", "Transpose", "Pad", "PadV2", "MirrorPad", "Tile", "BroadcastTo", "Fill"),
        *("Split", "SplitV", "GatherV2", "Cast", "Select", "SelectV2", "Equal", "NotEqual", "Less", "LessEqual"),
        *("Greater", "GreaterEqual", "LogicalAnd", "LogicalOr", "LogicalNot", "ZerosLike", "OnesLike", "Range"),
        *("ResizeBilinear", "ResizeNearestNeighbor", "SpaceToDepth", "DepthToSpace", "SpaceToBatchND"),
        *("BatchToSpaceND",),
    }
)
RESTORING = OPERATIONS | {"AssignVariableOp", "RestoreV2"}

EXPORT = "Export it with Keras (model.export('folder')), or as ONNX."


def open_savedmodel(path: Path, work: Path, max_bytes: int) -> ModelProto:
    """The network in a zip of a SavedModel.

    Args:
        work: a directory to unpack it in.

    Raises:
        ModelRefused: it is damaged, has no such signature, or operations that aren't on the list.
        PackageMissing: tf2onnx is not installed.
    """
    try:
        import tf2onnx
    except ImportError as error:
        raise PackageMissing(
            f"A SavedModel is converted with the package tf2onnx, which can't be imported ({error}): "
            "pip install 'tenfold[exports]'"
        ) from error
    folder = _unpacked(path, work / "savedmodel", max_bytes)
    meta = _read(folder / GRAPH)
    outputs = [_only(meta.signature_def[SIGNATURE].outputs, "outputs", "classes")]
    inputs = [_only(meta.signature_def[SIGNATURE].inputs, "inputs", "input")]
    answering = _part(meta.graph_def, outputs, OPERATIONS)
    needed = list(outputs)
    if restore := meta.saver_def.restore_op_name:
        _check_restoring(_part(meta.graph_def, [restore], RESTORING), meta.saver_def.filename_tensor_name)
        needed.append(restore)
    graph_def = _part(meta.graph_def, needed, RESTORING) if restore else answering
    try:
        frozen = _frozen(graph_def, meta.saver_def, folder / "variables" / "variables", outputs[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            converted, _ = tf2onnx.convert.from_graph_def(frozen, input_names=inputs, output_names=outputs, opset=OPSET)
    except MemoryError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelRefused("file", f"The SavedModel can't be converted to ONNX: {reason} {EXPORT}") from error
    network: ModelProto = converted
    check_onnx(network)
    return network


def _unpacked(path: Path, target: Path, max_bytes: int) -> Path:
    with open_zip(path, max_bytes) as archive:
        files = files_of(archive)
        graphs = [PurePosixPath(name) for name in files if PurePosixPath(name).name == GRAPH]
        if len(graphs) != 1:
            raise ModelRefused("file", f"The zip has {len(graphs)} files {GRAPH}; it must have one. {EXPORT}")
        for name, info in files.items():
            unpack(archive, info, target / name)
    return target / graphs[0].parent


def _read(path: Path) -> Any:
    saved = SavedModel()
    try:
        saved.ParseFromString(path.read_bytes())
    except Exception as error:
        raise ModelRefused("file", f"{GRAPH} is damaged or truncated. {EXPORT}") from error
    metas = [meta for meta in saved.meta_graphs if SIGNATURE in meta.signature_def]
    if len(metas) != 1:
        raise ModelRefused("file", f"The SavedModel has no signature {SIGNATURE!r} to call it by. {EXPORT}")
    return metas[0]


def _only(tensors: Any, what: str, field: str) -> str:
    """The name of the only input or output of a signature."""
    if len(tensors) != 1:
        names = ", ".join(sorted(tensors)[:8])
        raise ModelRefused(field, f"The network has {len(tensors)} {what} ({names}); it must have one. Export it so.")
    (tensor,) = tensors.values()
    return str(tensor.name)


def _part(graph_def: Any, ends: Iterable[str], allowed: frozenset[str]) -> Any:
    """What leads to these nodes, with the functions that it calls; all of it is on the list.

    Raises:
        ModelRefused: it has another operation.
    """
    nodes = [end.partition(":")[0] for end in ends]
    try:
        part = tf.compat.v1.graph_util.extract_sub_graph(graph_def, nodes)
    except Exception as error:
        raise ModelRefused("file", f"{GRAPH} is damaged: {str(error)[:200]} {EXPORT}") from error
    functions = {function.signature.name: function for function in graph_def.library.function}
    called: dict[str, Any] = {}
    rest = list(part.node)
    while rest:
        node = rest.pop()
        if node.op not in allowed:
            raise ModelRefused(
                "file",
                f"The SavedModel has the operation {node.op[:100]!r}; only those that compute are run, none that "
                f"read or write files, run Python, loop or draw random numbers. {EXPORT}",
            )
        for value in node.attr.values():
            name = value.func.name
            if name and name not in called:
                if name not in functions:
                    raise ModelRefused("file", f"{GRAPH} lacks the function {name[:100]!r}. {EXPORT}")
                called[name] = functions[name]
                rest += functions[name].node_def
    del part.library.function[:]
    part.library.function.extend(called.values())
    return part


def _check_restoring(part: Any, file_name: str) -> None:
    """Weights are read from the file that TensorFlow is told, and no other: text may only name weights."""
    placeholder = file_name.partition(":")[0]
    for nodes in (part.node, *(function.node_def for function in part.library.function)):
        texts = {
            node.name for node in nodes if node.op == "Const" and node.attr["dtype"].type == tf.string.as_datatype_enum
        }
        for node in nodes:
            for place, used in enumerate(node.input):
                if used.lstrip("^").partition(":")[0] in texts and not (node.op == "RestoreV2" and place in (1, 2)):
                    raise ModelRefused("file", f"The SavedModel names a file to read its weights from. {EXPORT}")
    if any(node.op == "Placeholder" and node.name != placeholder for node in part.node):
        raise ModelRefused("file", f"The SavedModel's weights can't be restored without further input. {EXPORT}")


def _frozen(graph_def: Any, saver: Any, weights: Path, output: str) -> Any:
    """The graph with its weights as constants; TensorFlow's converter wants an operation that reads each variable."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_from_session_graph

    names = {node.name for node in graph_def.node}
    for variable in [node for node in graph_def.node if node.op == "VarHandleOp"]:
        if f"{variable.name}/Read/ReadVariableOp" in names:
            continue
        read = graph_def.node.add(op="ReadVariableOp", name=f"{variable.name}/Read/ReadVariableOp")
        read.input.append(variable.name)
        read.attr["dtype"].CopyFrom(variable.attr["dtype"])
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(graph_def, name="")
        if saver.restore_op_name:
            session.run(saver.restore_op_name, {saver.filename_tensor_name: str(weights)})
        return convert_variables_to_constants_from_session_graph(
            session, graph.as_graph_def(), [output.partition(":")[0]]
        )
