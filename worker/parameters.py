"""The one typed declaration of what a classification, a prediction, an import and a review can be told.

A training's is `trainer.parameters`. The web's form, the API's checks and the command's options are all made from
these.
"""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from trainer.dataset_files import NAME
from trainer.plans import Flag
from worker.sources.names import leads_outside
from worker.sources.pages import MAX_PAGES


def _check_directory(directory: str) -> str:
    parts = PurePosixPath(directory).parts
    if leads_outside(directory) or not parts or "\0" in directory:
        raise ValueError(
            f"{directory[:64]!r} is no directory in the inbox; give its path from there, without '..' and not "
            "beginning with a slash: scans/march"
        )
    return str(PurePosixPath(directory))


# Marks what a form folds away although it has a value.
ADVANCED: JsonDict = {"advanced": True}


def _words(value: Any) -> Any:
    """`"a, b"`, as a form or a command gives it, is (a, b)."""
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


class ClassificationParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[tuple[Annotated[str, Field(max_length=26)], ...], BeforeValidator(_words)] = Field(
        (),
        max_length=8,
        title="Model",
        description="Id of the model to classify with. Several, separated by commas, answer together: the mean of "
        "their calibrated probabilities; all their answers go to review, but for those that review_below lets pass. "
        "None: the default model.",
    )
    normalise: Literal["model", "auto", "none"] = Field(
        "model",
        title="Normalise",
        description="model prepares each image as the model's training images were. auto brings it to MNIST's form "
        "(light ink on dark, cropped, centered); none only resizes it to 28×28.",
    )
    polarity: Literal["auto", "dark-on-light", "light-on-dark"] = Field(
        "auto",
        title="Polarity",
        description="Of all images, where it is known; auto finds out for each. Has no effect on images that are only "
        "resized.",
        json_schema_extra=ADVANCED,
    )
    top_k: int = Field(
        3,
        ge=1,
        le=100,
        title="Answers per image",
        description="How many of the likeliest classes each row names.",
        json_schema_extra=ADVANCED,
    )
    max_error_rate: float = Field(
        0.005,
        gt=0,
        le=0.5,
        title="Most wrong among the accepted",
        description="Answers are accepted from the confidence on at which, on images held out from the model's "
        "training, no more than this share was wrong (with 95 % confidence); the others go to review. At least 598 "
        "held-out images are needed for 0.005, and 3 divided by the share for any other.",
    )
    review_below: float | None = Field(
        None,
        ge=0,
        le=1,
        title="Review below",
        description="Review answers with less confidence than this, whatever the model's held-out images say.",
    )
    directory: Annotated[str, AfterValidator(_check_directory)] | None = Field(
        None,
        title="Directory",
        description="Instead of an upload: a directory in `inbox/` on the volume, by its path from there.",
        min_length=1,
        max_length=1024,
    )


class PredictionParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(
        None,
        title="Model",
        description="Id of the model that answers. Default: the default model.",
        max_length=26,
    )
    normalise: Literal["model", "auto", "none"] = Field(
        "model",
        title="Normalise",
        description="model prepares the image as the model's training images were. auto brings it to MNIST's form "
        "(light ink on dark, cropped, centered); none only resizes it to 28×28.",
    )
    polarity: Literal["auto", "dark-on-light", "light-on-dark"] = Field(
        "auto",
        title="Polarity",
        description="Which is the ink: dark-on-light as on paper, light-on-dark as on a blackboard; auto finds out. "
        "Has no effect on an image that is only resized.",
    )
    steps: Flag = Field(
        False,
        title="Steps",
        description="Whether to answer with the picture after each step of normalisation, too.",
    )
    page: int = Field(
        1,
        ge=1,
        le=MAX_PAGES,
        title="Page",
        description="Which page of a TIFF or PDF, or frame of an animation, counted from 1.",
        json_schema_extra=ADVANCED,
    )


def _check_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name[:64]!r} cannot be the name of a data set; take up to 64 small letters, digits, dots, dashes and "
            "underscores, and begin with a letter or a digit"
        )
    return name


DatasetName = Annotated[str, AfterValidator(_check_name)]


class ImportParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: DatasetName = Field(
        title="Name",
        description="What to call the data set: small letters, digits, dots, dashes and underscores.",
        json_schema_extra={"pattern": f"^{NAME.pattern}$", "maxLength": 64},
    )
    test_share: float = Field(
        0.1667,
        ge=0.01,
        le=0.5,
        title="Test share",
        description="How much of each class is kept for the test, where the file itself does not say.",
    )
    preprocessing: Literal["auto", "digit", "resize"] = Field(
        "auto",
        title="Preprocessing",
        description="How pictures become 28×28 pixels, here and wherever models trained on them are used: digit brings "
        "them to MNIST's form, resize only scales them; auto decides by the images and says why.",
    )


class ReviewParameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    classification: str = Field(
        max_length=26, title="Classification", description="Id of the classification that was reviewed."
    )
    dataset: DatasetName | None = Field(
        None,
        title="New data set",
        description="What to call a data set of the corrected images. Left out, only the results get the corrections.",
        json_schema_extra={"basic": True},
    )
    together_with: str | None = Field(
        None,
        max_length=64,
        title="Together with",
        description="A data set of the same classes whose training images come before the corrected ones, and whose "
        "test images are the new data set's. Left out, a sixth of the corrections is kept for the test.",
        json_schema_extra={"basic": True},
    )
