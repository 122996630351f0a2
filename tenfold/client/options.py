"""The keywords of the calls that submit something, for completion in editors and for type checkers.

A test compares each with the declaration that it stands for. None means the default.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class TrainingOptions(TypedDict, total=False):
    """Those of `tenfold.trainer.architecture.parameters.TrainingParameters` but `recipe`."""

    dataset: str | None
    from_model: str | None
    freeze: Literal["none", "convolutions", "all_but_head"] | None
    seed: int | None
    exports: str | Sequence[Literal["savedmodel", "onnx", "litert"]] | None
    filters: str | Sequence[int] | None
    convolutions: int | None
    units: str | Sequence[int] | None
    activation: Literal["relu", "gelu", "elu", "selu", "silu", "leaky_relu", "tanh", "sigmoid"] | None
    batch_normalization: bool | None
    dropout: float | None
    output_activation: Literal["softmax", "sigmoid"] | None
    optimizer: Literal["adam", "adamw", "nadam", "rmsprop", "sgd"] | None
    learning_rate: float | None
    schedule: Literal["constant", "cosine", "exponential"] | None
    loss: Literal["sparse_categorical_crossentropy", "categorical_crossentropy"] | None
    label_smoothing: float | None
    class_weights: Literal["none", "balanced"] | None
    epochs: int | None
    batch_size: int | None
    validation: Literal["none", "test", "split"] | None
    validation_split: float | None
    early_stopping: int | None
    augmentation: Literal["none", "affine", "elastic"] | None


class SweepOptions(TrainingOptions, total=False):
    """Those of `tenfold.worker.sweeps.parameters.SweepParameters` but `recipe` and `space`."""

    method: Literal["tpe", "random", "grid"] | None
    trials: int | None
    parallel: int | None
    objective: Literal["val_accuracy", "val_loss"] | None
    pruning: bool | None


class ClassificationOptions(TypedDict, total=False):
    """Those of `tenfold.worker.classification.parameters.ClassificationParameters` but `directory`."""

    model: str | Sequence[str] | None
    shadow: str | None
    normalize: Literal["model", "auto", "none"] | None
    polarity: Literal["auto", "dark-on-light", "light-on-dark"] | None
    top_k: int | None
    max_error_rate: float | None
    review_below: float | None


class PredictionOptions(TypedDict, total=False):
    """Those of `tenfold.worker.predictions.parameters.PredictionParameters`."""

    model: str | None
    normalize: Literal["model", "auto", "none"] | None
    polarity: Literal["auto", "dark-on-light", "light-on-dark"] | None
    steps: bool | None
    page: int | None


class ImportOptions(TypedDict, total=False):
    """Those of `tenfold.worker.datasets.parameters.ImportParameters` but `name`."""

    test_share: float | None
    preprocessing: Literal["auto", "digit", "resize", "none"] | None
    size: str | None
    color: Literal["auto", "gray", "color"] | None


class ModelImportOptions(TypedDict, total=False):
    """Those of `tenfold.worker.model_import.parameters.ModelImportParameters` but `input` and `preprocessing`."""

    classes: str | Sequence[str] | None
    scaling: Literal["0-1", "-1-1", "0-255"] | None
    orientation: Literal["upright", "transposed"] | None
    name: str | None
    check: str | None
    exports: str | Sequence[Literal["savedmodel", "onnx", "litert"]] | None


class ReviewOptions(TypedDict, total=False):
    """Those of `tenfold.worker.review.parameters.ReviewParameters` but `classification`."""

    dataset: str | None
    together_with: str | None


def given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in parameters.items() if value is not None}
