"""The parameters of a comparison. The page's form, the API's checks and the command's options are made from them."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tenfold.worker.classification.parameters import split_words

# As many as the page of comparisons tells apart.
MAX_MODELS = 8


class ComparisonParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    models: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], BeforeValidator(split_words)] = Field(
        min_length=2,
        max_length=MAX_MODELS,
        title="Models",
        description="Models to compare, by ID or alias. Each is compared with the first.",
    )
    on: str | None = Field(
        None,
        max_length=64,
        title="On",
        description="A data set, whose test images are used, or the ID of a classification with true labels or "
        "corrections. Default: the data set that the first model was trained or checked on.",
    )
