"""The one typed declaration of a classification's parameters; a training's is `trainer.parameters`.

The web's form, the API's checks and the command's options are all made from these.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ClassificationParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(
        None,
        title="Model",
        description="Id of the model to classify with. Default: the default model.",
        max_length=26,
    )
    normalise: Literal["auto", "none"] = Field(
        "auto",
        title="Normalise",
        description=(
            "auto brings each image to MNIST's form (light ink on dark, cropped, centred); none only "
            "resizes it to 28×28."
        ),
    )
