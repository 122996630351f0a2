"""The parameters of a review, which merges corrections. The web's form, the API's checks and the command's options are
made from them."""

from pydantic import BaseModel, ConfigDict, Field

from tenfold.worker.datasets.parameters import DatasetName


class ReviewParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    classification: str = Field(max_length=26, title="Classification", description="ID of the reviewed classification.")
    dataset: DatasetName | None = Field(
        None,
        title="New data set",
        description="Name of a new data set with the corrected images; default: only update the results.",
        json_schema_extra={"basic": True},
    )
    together_with: str | None = Field(
        None,
        max_length=64,
        title="Together with",
        description="A data set with the same classes to add the corrected images to: the new data set has its "
        "training images, then the corrected ones, and its test images. Default: a sixth of the corrections is the "
        "test set.",
        json_schema_extra={"basic": True},
    )
