"""The parameters of a classification. The web's form, the API's checks and the command's options are made from them."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from tenfold.files.names import leads_outside


def _check_directory(directory: str) -> str:
    parts = PurePosixPath(directory).parts
    if leads_outside(directory) or not parts or "\0" in directory:
        raise ValueError(
            f"{directory[:64]!r} is not a directory in the inbox; give a path relative to the inbox, without '..': "
            "scans/march"
        )
    return str(PurePosixPath(directory))


def split_words(value: Any) -> Any:
    """Split `"a, b"`, as it comes from a form or a command, into (a, b)."""
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


class ClassificationParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[tuple[Annotated[str, Field(max_length=63)], ...], BeforeValidator(split_words)] = Field(
        (),
        max_length=8,
        title="Model",
        description="ID or alias of the model to classify with; default: the alias production. Several, separated by "
        "commas, make an ensemble: the mean of their calibrated probabilities. All answers of an ensemble go to review "
        "unless review_below is set.",
    )
    shadow: str | None = Field(
        None,
        max_length=64,
        title="Shadow model",
        description="ID or alias of a model that answers too, to see where it would have differed: in the columns "
        "shadow_prediction and shadow_confidence, and the summary. What is accepted does not change. It must have the "
        "same classes and take the same input.",
    )
    normalize: Literal["model", "auto", "none"] = Field(
        "model",
        title="Normalize",
        description="model: prepare each image as the model's training images were. auto: convert it to MNIST's form "
        "(light ink on dark, cropped, centered). none: only resize it to the model's size.",
    )
    polarity: Literal["auto", "dark-on-light", "light-on-dark"] = Field(
        "auto",
        title="Polarity",
        description="Polarity of all images; auto detects it for each. No effect on images that are only resized.",
        json_schema_extra={"advanced": True},
    )
    top_k: int = Field(
        3,
        ge=1,
        le=100,
        title="Answers per image",
        description="Number of most probable classes in each row.",
        json_schema_extra={"advanced": True},
    )
    max_error_rate: float = Field(
        0.005,
        gt=0,
        le=0.5,
        title="Maximum error rate among accepted answers",
        description="Answers are accepted above the confidence at which at most this share of the answers for held-out "
        "images was wrong (with 95 % confidence); the others go to review. It needs about 3 divided by this share "
        "held-out images: 598 for 0.005.",
    )
    review_below: float | None = Field(
        None,
        ge=0,
        le=1,
        title="Review below",
        description="Review answers with less confidence than this, instead of using max_error_rate.",
    )
    directory: Annotated[str, AfterValidator(_check_directory)] | None = Field(
        None,
        title="Directory",
        description="Instead of an upload: the path of a directory, relative to `inbox/` on the volume.",
        min_length=1,
        max_length=1024,
    )
