"""The parameters of an import of a model. The web's form, the API's checks and the command's options are made from
them."""

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from tenfold.trainer.architecture.parameters import Export
from tenfold.trainer.errors import InputUnsupported
from tenfold.trainer.input_spec import InputSpec, Orientation, Preprocessing, Scaling
from tenfold.worker.datasets.parameters import DatasetName

SHAPE = re.compile(r"(\d{1,4})[x×](\d{1,4})[x×]([13])")

MIN_CLASSES, MAX_CLASSES = 2, 1000


def _check_shape(text: str) -> str:
    found = SHAPE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text[:64]!r} is not an input; give height, width and channels (1 or 3): 28x28x1")
    height, width, channels = map(int, found.groups())
    try:
        InputSpec("resize", height, width, channels)
    except InputUnsupported as error:
        raise ValueError(str(error)) from error
    return f"{height}x{width}x{channels}"


def _names(value: Any) -> Any:
    """Split `"a, b"`, as it comes from a form or a command."""
    return tuple(word.strip() for word in value.split(",")) if isinstance(value, str) else value


def _words(value: Any) -> Any:
    """Split `"a, b"`, which may be empty."""
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _check_names(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    if not MIN_CLASSES <= len(names) <= MAX_CLASSES:
        raise ValueError(f"{len(names)} classes are named; give {MIN_CLASSES} to {MAX_CLASSES:,}, one for each output")
    if "" in names:
        raise ValueError("a class has no name; give one for each output, separated by commas")
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"the class {min(twice)[:64]!r} is named twice; name each output once")
    return names


def _check_printable(name: str) -> str:
    if not name.isprintable() or not name.strip():
        raise ValueError("a name has letters, digits or signs that can be printed")
    return name.strip()


class ModelImportParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Annotated[str, AfterValidator(_check_shape)] = Field(
        max_length=16,
        title="Input",
        description="Height, width and channels (1 gray, 3 RGB) of an image as the network takes it, such as 28x28x1.",
        examples=["28x28x1"],
    )
    preprocessing: Preprocessing = Field(
        title="Preprocessing",
        description="How a picture becomes an input. digit: convert it to MNIST's form (light ink on dark, cropped, "
        "centered). resize: only scale it. none: take pictures of exactly this size.",
    )
    classes: Annotated[
        tuple[Annotated[str, Field(max_length=100)], ...] | None, BeforeValidator(_names), AfterValidator(_check_names)
    ] = Field(
        None,
        title="Classes",
        description="The name of each output in order, separated by commas. Default: 0, 1, 2 …",
        json_schema_extra={"basic": True},
    )
    scaling: Scaling = Field(
        "0-1",
        title="Scaling",
        description="The values that the network takes for black to white: 0-1, -1-1 or 0-255.",
    )
    orientation: Orientation = Field(
        "upright",
        title="Orientation",
        description="transposed: the network takes rows as columns, as one that was trained on EMNIST's files.",
        json_schema_extra={"advanced": True},
    )
    name: Annotated[str, AfterValidator(_check_printable)] | None = Field(
        None,
        min_length=1,
        max_length=64,
        title="Name",
        description="What to call the model. Default: the name of the file.",
        json_schema_extra={"basic": True},
    )
    check: DatasetName | None = Field(
        None,
        title="Check on",
        description="Data set whose test images the declaration is checked on. Without it, or a zip of class folders, "
        "nothing is measured, and all answers go to review.",
        json_schema_extra={"basic": True},
    )
    exports: Annotated[tuple[Export, ...], BeforeValidator(_words)] = Field(
        (),
        title="Exports",
        description="Additional formats to save the model in: savedmodel, onnx, litert. Each is verified. A SavedModel "
        "and an ONNX file become ONNX only.",
        json_schema_extra={"advanced": True},
    )

    @property
    def spec(self) -> InputSpec:
        """The declared input.

        Raises:
            InputUnsupported: the preprocessing is for other images.
        """
        height, width, channels = map(int, self.input.split("x"))
        return InputSpec(
            self.preprocessing,
            height,
            width,
            channels,
            self.scaling,
            self.orientation,
            reason="Declared when the model was imported.",
        )


PREPROCESSINGS: tuple[Literal["digit", "resize", "none"], ...] = get_args(Preprocessing)
