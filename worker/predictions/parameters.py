"""The parameters of a prediction for one image. The web's form, the API's checks and the command's options are made
from them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tenfold.files.names import MAX_PAGES
from tenfold.trainer.architecture.plans import Flag


class PredictionParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(
        None,
        title="Model",
        description="ID or alias of the model; default: the alias production.",
        max_length=63,
    )
    normalize: Literal["model", "auto", "none"] = Field(
        "model",
        title="Normalize",
        description="model: prepare the image as the model's training images were. auto: convert it to MNIST's form "
        "(light ink on dark, cropped, centered). none: only resize it to the model's size.",
    )
    polarity: Literal["auto", "dark-on-light", "light-on-dark"] = Field(
        "auto",
        title="Polarity",
        description="dark-on-light as on paper, light-on-dark as on a blackboard; auto detects it. No effect on an "
        "image that is only resized.",
    )
    steps: Flag = Field(
        False,
        title="Steps",
        description="Whether to include the image after each step of normalization.",
    )
    page: int = Field(
        1,
        ge=1,
        le=MAX_PAGES,
        title="Page",
        description="Page of a TIFF or PDF, or frame of an animation, counted from 1.",
        json_schema_extra={"advanced": True},
    )
