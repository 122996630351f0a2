"""Checks a Keras model's configuration before Keras sees it: only layers of Keras that compute, and no code.

Keras' own `safe_mode` refuses Lambda layers, but several ways around it were found (CVE-2025-1550, CVE-2025-8747,
CVE-2025-9905, CVE-2025-9906), and layers with vocabularies read the files that they name (CVE-2025-12058). So what may
appear is listed here, and everything else is refused.
"""

from collections.abc import Iterator
from typing import Any

from tenfold.trainer.errors import ModelRefused

MODELS = frozenset({"Sequential", "Functional", "Model"})

LAYERS = frozenset(
    {
        *("InputLayer", "Dense", "EinsumDense", "Activation", "Flatten", "Reshape", "Permute", "RepeatVector"),
        *("Identity", "Masking", "Embedding"),
        *("Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Convolution2D"),
        *("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"),
        *("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"),
        *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D"),
        *("AdaptiveAveragePooling2D", "AdaptiveMaxPooling2D"),
        *("BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization", "RMSNormalization"),
        *("SpectralNormalization", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianDropout"),
        *("GaussianNoise", "AlphaDropout", "ActivityRegularization"),
        *("ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax"),
        *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"),
        *("UpSampling1D", "UpSampling2D", "ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D"),
        *("Rescaling", "Normalization", "Resizing", "CenterCrop"),
        *("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomContrast", "RandomBrightness"),
        *("Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention"),
        *("SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell", "Bidirectional", "TimeDistributed"),
    }
)

# By the module that a configuration names them in. Keras 2 named `keras.layers` and others with no module at all.
ALLOWED = {
    "keras.layers": LAYERS,
    "keras.models": MODELS,
    "keras.src.models.sequential": frozenset({"Sequential"}),
    "keras.src.models.functional": frozenset({"Functional"}),
    "keras.src.engine.functional": frozenset({"Functional"}),
    "keras.src.engine.sequential": frozenset({"Sequential"}),
    "keras.engine.functional": frozenset({"Functional"}),
    "keras.engine.sequential": frozenset({"Sequential"}),
    "keras": MODELS | {"DTypePolicy"},
    "keras.dtype_policies": frozenset({"DTypePolicy"}),
    "keras.mixed_precision": frozenset({"Policy"}),
    "keras.activations": frozenset(
        {"ReLU", "relu", "softmax", "sigmoid", "tanh", "gelu", "silu", "elu", "selu", "leaky_relu", "linear"}
    ),
    "keras.initializers": frozenset(
        {
            *("Zeros", "Ones", "Constant", "Identity", "IdentityInitializer", "Orthogonal", "OrthogonalInitializer"),
            *("RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling"),
            *("GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"),
        }
    ),
    "keras.regularizers": frozenset({"L1", "L2", "L1L2", "OrthogonalRegularizer"}),
    "keras.constraints": frozenset({"MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm"}),
}

ANYWHERE = frozenset().union(*ALLOWED.values())

# What Keras writes of values in the place of a class.
VALUES = frozenset({"__keras_tensor__", "__numpy__", "__tensor__", "__bytes__", "__ellipsis__", "__slice__"})
TUPLE = "__tuple__"

ADVICE = {
    "Lambda": "a Lambda layer is a program, which is never run. Replace it by Keras' own layers (Rescaling, Reshape, "
    "Activation …), or export the model as ONNX",
    "TFSMLayer": "it runs another SavedModel. Export the whole model as ONNX",
}


def check_config(config: Any) -> None:
    """Refuse a configuration with anything in it but Keras' own layers.

    Args:
        config: of a model, as JSON.

    Raises:
        ModelRefused: it is none, or names something else.
    """
    if not isinstance(config, dict) or config.get("class_name") not in MODELS:
        found = config.get("class_name") if isinstance(config, dict) else config
        raise ModelRefused(
            "file",
            f"The model is of the class {_shown(found)}; only Sequential and functional models can be opened without "
            "running their code. Rebuild it as a functional model, or export it as ONNX.",
        )
    for named in _named(config):
        _check_named(named)


def _named(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in it that name a class, from the outside in; not by recursion, which a deep file would exhaust."""
    rest = [value]
    while rest:
        found = rest.pop()
        if isinstance(found, dict):
            if "class_name" in found or "registered_name" in found or "module" in found:
                yield found
            rest += found.values()
        elif isinstance(found, list):
            rest += found


def _check_named(named: dict[str, Any]) -> None:
    name, module, registered = named.get("class_name"), named.get("module"), named.get("registered_name")
    if name in VALUES or name == TUPLE:
        return
    allowed = ANYWHERE if module is None else ALLOWED.get(module, frozenset()) if isinstance(module, str) else ()
    builtin = registered is None or registered == name or registered in MODELS
    if isinstance(name, str) and name in allowed and builtin:
        return
    what = f"{module}.{name}" if module else str(name)
    if isinstance(registered, str) and not builtin:
        what += f" (registered as {registered})"
    advice = ADVICE.get(
        name if isinstance(name, str) else "",
        "only layers that come with Keras, and only those that compute, are opened. Replace it, or export the model as "
        "ONNX",
    )
    raise ModelRefused("file", f"The model has {_shown(what)}: {advice}.")


def _shown(name: object) -> str:
    return repr(str(name)[:200])
