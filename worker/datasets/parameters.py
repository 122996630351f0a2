"""The parameters of an import of a data set. The web's form, the API's checks and the command's options are made from
them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tenfold.trainer.data.files import NAME


def _check_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name[:64]!r} is not a valid data set name; use up to 64 lowercase letters, digits, dots, dashes and "
            "underscores, starting with a letter or digit"
        )
    return name


DatasetName = Annotated[str, AfterValidator(_check_name)]


class ImportParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: DatasetName = Field(
        title="Name",
        description="Name of the data set: lowercase letters, digits, dots, dashes and underscores.",
        json_schema_extra={"pattern": f"^{NAME.pattern}$", "maxLength": 64},
    )
    test_share: float = Field(
        0.1667,
        ge=0.01,
        le=0.5,
        title="Test share",
        description="Share of each class used for the test set, if the file has no split.",
    )
    preprocessing: Literal["auto", "digit", "resize"] = Field(
        "auto",
        title="Preprocessing",
        description="How images become 28×28 pixels, here and for the models trained on them. digit: convert them to "
        "MNIST's form. resize: only scale them. auto: decide by the images, and report why.",
    )
