"""What a net is and how it is trained: the one typed declaration of every hyper-parameter.

Recipes are plans with a name. The web's form, the API's checks, the command's options and a sweep's search space are
made from this declaration; `parameters.py` lets a person change any part of a recipe's plan.
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

SIDE = 28

# A net of this size takes some 250 MB with its optimizer, and many minutes an epoch on two cores.
MOST_PARAMETERS = 20_000_000


def _true_or_false(value: Any) -> Any:
    """`"true"`, as a form or a command gives it, is True. Numbers and other words are no truth values."""
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


Flag = Annotated[bool, BeforeValidator(_true_or_false)]


def _numbers(value: Any) -> Any:
    """`"128, 64"`, as a form or a command gives it, is (128, 64); `none` is no layer."""
    if not isinstance(value, str):
        return value
    return () if value.strip().lower() == "none" else tuple(part.strip() for part in value.split(",") if part.strip())


Filters = Annotated[int, Field(ge=1, le=512)]
Units = Annotated[int, Field(ge=1, le=8192)]


# Marks what most people would change; a form folds the rest away.
BASIC: JsonDict = {"basic": True}


class Plan(BaseModel):
    """A net and its training.

    The net is the convolution blocks, Flatten, the hidden dense layers, and an output for each class. A block is
    `convolutions` times Conv2D (3×3, same padding), then MaxPooling2D (2×2).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    filters: Annotated[tuple[Filters, ...], BeforeValidator(_numbers)] = Field(
        (),
        max_length=4,
        title="Convolution filters",
        description="Filters of each convolution block, such as 32,64; none for a net of dense layers only.",
        examples=["32,64"],
    )
    convolutions: int = Field(1, ge=1, le=3, title="Convolutions", description="Conv2D layers in each block.")
    units: Annotated[tuple[Units, ...], BeforeValidator(_numbers)] = Field(
        (128,),
        max_length=10,
        title="Dense units",
        description="Units of each hidden dense layer, such as 128,64; none for no hidden dense layer.",
        examples=["128,64"],
    )
    activation: Literal["relu", "gelu", "elu", "selu", "silu", "leaky_relu", "tanh", "sigmoid"] = Field(
        "relu", title="Activation", description="Of every hidden layer."
    )
    batch_normalisation: Flag = Field(
        False, title="Batch normalisation", description="Before the activation of every hidden layer."
    )
    dropout: float = Field(
        0.0, ge=0, le=0.95, title="Dropout", description="Share of the units dropped after each hidden dense layer."
    )
    output_activation: Literal["softmax", "sigmoid"] = Field(
        "softmax", title="Output activation", description="sigmoid scores are shown as p / sum(p)."
    )
    optimizer: Literal["adam", "adamw", "nadam", "rmsprop", "sgd"] = Field(
        "adam", title="Optimizer", description="Keras' own with its defaults; sgd has a Nesterov momentum of 0.9."
    )
    learning_rate: float = Field(
        0.001,
        gt=0,
        le=10,
        allow_inf_nan=False,
        title="Learning rate",
        description="Of the optimizer, at the start.",
        json_schema_extra=BASIC,
    )
    schedule: Literal["constant", "cosine", "exponential"] = Field(
        "constant",
        title="Schedule",
        description="How the learning rate falls over the training: cosine to 0, exponential to a hundredth.",
    )
    loss: Literal["sparse_categorical_crossentropy", "categorical_crossentropy"] = Field(
        "sparse_categorical_crossentropy", title="Loss", description="categorical takes one-hot labels."
    )
    label_smoothing: float = Field(
        0.0, ge=0, le=0.5, title="Label smoothing", description="Share of each label spread over all classes."
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
        32, ge=1, le=8192, title="Batch size", description="Images in one step.", json_schema_extra=BASIC
    )
    validation: Literal["none", "test", "split"] = Field(
        "none",
        title="Validation",
        description="After each epoch, on the test images (as some sources do) or on a split of the training images.",
    )
    validation_split: float = Field(
        0.1, gt=0, le=0.5, title="Validation split", description="Share of the training images, where validation=split."
    )
    early_stopping: int = Field(
        0,
        ge=0,
        le=1000,
        title="Early stopping",
        description="Stop after so many epochs without a better validation loss, and keep the best; 0 for never.",
    )
    augmentation: Literal["none", "affine", "elastic"] = Field(
        "none",
        title="Augmentation",
        description="affine turns, shears, scales and shifts each image anew every epoch; elastic bends it as well.",
    )

    @field_validator("early_stopping")
    @classmethod
    def _check_split(cls, epochs: int, others: ValidationInfo) -> int:
        if epochs and others.data.get("validation") != "split":
            raise ValueError(
                "early stopping needs validation=split: chosen by the test images, a model would look better than it is"
            )
        return epochs

    @model_validator(mode="after")
    def _check_size(self) -> "Plan":
        if (count := self.parameter_count(classes=10)) > MOST_PARAMETERS:
            raise ValueError(
                f"this net would have {count:,} parameters; the most is {MOST_PARAMETERS:,}: "
                "take fewer filters, fewer units, or more convolution blocks before the dense layers"
            )
        return self

    @property
    def one_hot(self) -> bool:
        """Whether the loss takes one-hot labels."""
        return self.loss == "categorical_crossentropy" or self.label_smoothing > 0

    def parameter_count(self, classes: int) -> int:
        """All weights, biases and batch normalisation figures, as Keras' `count_params` counts them."""
        normalisation = 4 if self.batch_normalisation else 0
        count, channels, side = 0, 1, SIDE
        for filters in self.filters:
            for _ in range(self.convolutions):
                count += (channels * 9 + 1 + normalisation) * filters
                channels = filters
            side //= 2
        for inputs, outputs in pairwise([channels * side * side, *self.units]):
            count += (inputs + 1 + normalisation) * outputs
        last = self.units[-1] if self.units else channels * side * side
        return count + (last + 1) * classes
