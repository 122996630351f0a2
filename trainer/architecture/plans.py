"""Declares every hyperparameter of a network and its training, once.

Recipes are named plans. The web form, the API's validation, the command's options and a sweep's search space are made
from this declaration; `parameters.py` lets users change any field of a recipe's plan.
"""

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict

from tenfold.trainer.input_spec import DIGIT, InputSpec

# A network of this size takes about 250 MB with its optimizer, and many minutes an epoch on two cores.
MAX_PARAMETERS = 20_000_000


def _true_or_false(value: Any) -> Any:
    """`"true"`, as sent by a form or a command, is True. Numbers and other words are refused."""
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


Flag = Annotated[bool, BeforeValidator(_true_or_false)]


def _numbers(value: Any) -> Any:
    """`"128, 64"`, as sent by a form or a command, is (128, 64); `none` is ()."""
    if not isinstance(value, str):
        return value
    return () if value.strip().lower() == "none" else tuple(part.strip() for part in value.split(",") if part.strip())


Filters = Annotated[int, Field(ge=1, le=512)]
Units = Annotated[int, Field(ge=1, le=8192)]


# Marks the fields that a form shows at first; the others are collapsed.
BASIC: JsonDict = {"basic": True}


class Plan(BaseModel):
    """A network and how to train it.

    The network is the convolution blocks, Flatten, the hidden dense layers, and an output for each class. A block is
    `convolutions` times Conv2D (3×3, same padding), then MaxPooling2D (2×2).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    filters: Annotated[tuple[Filters, ...], BeforeValidator(_numbers)] = Field(
        (),
        max_length=4,
        title="Convolution filters",
        description="Filters of each convolution block, such as 32,64; none for dense layers only.",
        examples=["32,64"],
    )
    convolutions: int = Field(
        1, ge=1, le=3, title="Convolutions per block", description="Conv2D layers in each convolution block."
    )
    units: Annotated[tuple[Units, ...], BeforeValidator(_numbers)] = Field(
        (128,),
        max_length=10,
        title="Dense units",
        description="Units of each hidden dense layer, such as 128,64; none for no hidden layer.",
        examples=["128,64"],
    )
    activation: Literal["relu", "gelu", "elu", "selu", "silu", "leaky_relu", "tanh", "sigmoid"] = Field(
        "relu", title="Activation", description="Activation function of all hidden layers."
    )
    batch_normalization: Flag = Field(
        False, title="Batch normalization", description="Add batch normalization before each hidden layer's activation."
    )
    dropout: float = Field(
        0.0,
        ge=0,
        le=0.95,
        title="Dropout",
        description="Fraction of units dropped after each hidden dense layer during training.",
    )
    output_activation: Literal["softmax", "sigmoid"] = Field(
        "softmax",
        title="Output activation",
        description="Activation of the output layer; sigmoid outputs are shown as p / sum(p).",
    )
    optimizer: Literal["adam", "adamw", "nadam", "rmsprop", "sgd"] = Field(
        "adam",
        title="Optimizer",
        description="Keras optimizer with its default settings; sgd uses Nesterov momentum 0.9.",
    )
    learning_rate: float = Field(
        0.001,
        gt=0,
        le=10,
        allow_inf_nan=False,
        title="Learning rate",
        description="Learning rate of the optimizer at the start of the training.",
        json_schema_extra=BASIC,
    )
    schedule: Literal["constant", "cosine", "exponential"] = Field(
        "constant",
        title="Learning rate schedule",
        description="Decay of the learning rate over the training: cosine to 0, exponential to 1/100.",
    )
    loss: Literal["sparse_categorical_crossentropy", "categorical_crossentropy"] = Field(
        "sparse_categorical_crossentropy",
        title="Loss",
        description="Loss function; categorical_crossentropy uses one-hot labels.",
    )
    label_smoothing: float = Field(
        0.0, ge=0, le=0.5, title="Label smoothing", description="Fraction of each label distributed over all classes."
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none",
        title="Class weights",
        description="Weight of each training image in the loss: balanced makes rare classes count as much as frequent "
        "ones. Validation is not weighted.",
    )
    epochs: int = Field(
        10,
        ge=1,
        le=1000,
        title="Epochs",
        description="Passes over the training images.",
        json_schema_extra=BASIC,
    )
    batch_size: int = Field(
        32, ge=1, le=8192, title="Batch size", description="Images in one training step.", json_schema_extra=BASIC
    )
    validation: Literal["none", "test", "split"] = Field(
        "none",
        title="Validation",
        description="Images to validate on after each epoch: the test images, or a split of the training images.",
    )
    validation_split: float = Field(
        0.1,
        gt=0,
        le=0.5,
        title="Validation split",
        description="Fraction of the training images held out for validation=split.",
    )
    early_stopping: int = Field(
        0,
        ge=0,
        le=1000,
        title="Early stopping",
        description="Stop after this many epochs without a better validation loss, "
        "keeping the best weights; 0 disables it.",
    )
    augmentation: Literal["none", "affine", "elastic"] = Field(
        "none",
        title="Augmentation",
        description="Random distortion of each image in each epoch: "
        "affine (rotate, shear, scale, shift), or also elastic.",
    )

    @field_validator("early_stopping")
    @classmethod
    def _check_split(cls, epochs: int, others: ValidationInfo) -> int:
        if epochs and others.data.get("validation") != "split":
            raise ValueError(
                "early stopping needs validation=split: a model chosen on the test images would look better than it is"
            )
        return epochs

    @model_validator(mode="after")
    def _check_size(self) -> "Plan":
        if problem := self.problem(classes=10):
            raise ValueError(problem)
        return self

    @property
    def one_hot(self) -> bool:
        """Whether the loss takes one-hot labels."""
        return self.loss == "categorical_crossentropy" or self.label_smoothing > 0

    def problem(self, classes: int, spec: InputSpec = DIGIT) -> str | None:
        """Why the network can't be built for images of this input, and what to change; None if it can."""
        blocks = len(self.filters)
        if min(spec.height, spec.width) < 2**blocks:
            return (
                f"{blocks} convolution blocks halve {spec.height}×{spec.width} pixels to nothing: use fewer "
                "convolution filters, or larger images"
            )
        if (count := self.parameter_count(classes, spec)) > MAX_PARAMETERS:
            return (
                f"this network would have {count:,} parameters; the maximum is {MAX_PARAMETERS:,}: "
                "use fewer filters or units, or more convolution blocks before the dense layers"
            )
        return None

    def parameter_count(self, classes: int, spec: InputSpec = DIGIT) -> int:
        """All weights, biases and batch normalization parameters, as Keras' `count_params`."""
        normalization = 4 if self.batch_normalization else 0
        count, channels, height, width = 0, spec.channels, spec.height, spec.width
        for filters in self.filters:
            for _ in range(self.convolutions):
                count += (channels * 9 + 1 + normalization) * filters
                channels = filters
            height, width = height // 2, width // 2
        flat = channels * height * width
        for inputs, outputs in pairwise([flat, *self.units]):
            count += (inputs + 1 + normalization) * outputs
        last = self.units[-1] if self.units else flat
        return count + (last + 1) * classes
