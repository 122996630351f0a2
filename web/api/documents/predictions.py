"""The answer to one image."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict


class RunnerUp(TypedDict):
    prediction: str
    confidence: float


class Step(TypedDict):
    name: str
    picture: str


class PredictionDocument(TypedDict):
    """The answer to one image; pictures are PNGs as data URLs, `steps` come on request."""

    prediction: str
    confidence: float
    runner_up: RunnerUp | None
    probabilities: dict[str, float]
    quality: str | None
    preprocessing: Literal["digit", "resize", "none"]
    normalization: str
    polarity: str
    model: str
    picture: str
    milliseconds: float
    steps: NotRequired[list[Step]]
