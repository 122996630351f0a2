"""The parameters of an import of a data set. The web's form, the API's checks and the command's options are made from
them."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from tenfold.trainer.data.files import NAME
from tenfold.trainer.input_spec import MAX_SIDE, MIN_SIDE

SIZE = re.compile(r"auto|[0-9]{1,3}(x[0-9]{1,3})?")


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
    preprocessing: Literal["auto", "digit", "resize", "none"] = Field(
        "auto",
        title="Preprocessing",
        description="How images become the input of a model, here and for the models trained on them. digit: convert "
        "them to MNIST's form. resize: only scale them. none: take only images of exactly the size and color. auto: "
        "decide by the images, and report why.",
    )
    size: str = Field(
        "auto",
        title="Size",
        description=f"Height and width of the model's input, {MIN_SIDE} to {MAX_SIDE} pixels each: 32, or 32x48. auto: "
        "28 for digits; else the images' own size if all have the same, or 28 (64 in color).",
        examples=["32", "32x48"],
        json_schema_extra={"pattern": f"^{SIZE.pattern}$"},
    )
    color: Literal["auto", "gray", "color"] = Field(
        "auto",
        title="Color",
        description="Whether models see gray or color. auto: color if the images have colors, except digits.",
    )

    @field_validator("size")
    @classmethod
    def _check_size(cls, size: str) -> str:
        size = size.strip().lower().replace("×", "x")
        if not SIZE.fullmatch(size) or any(not MIN_SIDE <= int(side) <= MAX_SIDE for side in _sides(size)):
            raise ValueError(
                f"{size[:32]!r} is not a size: use auto, one number for a square (32), or height and width (32x48), "
                f"{MIN_SIDE} to {MAX_SIDE} pixels each"
            )
        return size

    @model_validator(mode="after")
    def _check_color(self) -> Self:
        if self.preprocessing == "digit" and self.color == "color":
            raise ValueError("preprocessing=digit makes gray images: choose color=gray, or preprocessing=resize")
        return self

    @property
    def height_and_width(self) -> tuple[int, int] | None:
        """The size; None to decide by the images."""
        sides = _sides(self.size)
        return (sides[0], sides[-1]) if sides else None


def _sides(size: str) -> list[int]:
    return [] if size == "auto" else [int(side) for side in size.split("x")]
