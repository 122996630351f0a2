"""The parameters of a check of a data set. The API's checks and the command's options are made from them."""

from pydantic import BaseModel, ConfigDict, Field


class CheckParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = Field(max_length=64, title="Data set", description="The data set whose labels are checked.")
