"""How an image becomes a model's input: recorded with the data set, stored with the model, applied when classifying.

Uses no NumPy, so that the web can read it too.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, TypeVar, cast, get_args

from typing_extensions import TypedDict

from tenfold.trainer.errors import InputUnsupported

# MNIST's size, and the default.
SIDE = 28
MIN_SIDE, MAX_SIDE = 8, 128

# `digit` is the digit normalizer (`trainer.images.normalization`), which converts images to MNIST's format unless they
# have it already; `resize` only scales; `none` takes images of exactly the model's size and channels.
Preprocessing = Literal["digit", "resize", "none"]

# `transposed`: the network takes rows as columns, as one that was trained on EMNIST's files as they are.
Orientation = Literal["upright", "transposed"]

# What the network takes for pixels of 0 to 255.
Scaling = Literal["0-1", "-1-1", "0-255"]

# A pixel is divided by the first, and the second subtracted.
_SCALES: Mapping[str, tuple[float, float]] = {"0-1": (255.0, 0.0), "-1-1": (127.5, 1.0), "0-255": (1.0, 0.0)}

Pixels = TypeVar("Pixels")


class InputRecord(TypedDict):
    """An `InputSpec` as JSON."""

    preprocessing: Preprocessing
    height: int
    width: int
    channels: int
    scaling: Scaling
    orientation: Orientation
    reason: str


@dataclass(frozen=True)
class InputSpec:
    """A model's input: `height`×`width` pixels (8 to 128 each), gray (`channels` 1) or RGB (3).

    Images are arrays of shape `shape` after `preprocessing`: uint8, upright. `orientation` and `scaling` are applied
    to these where a network is called (`oriented`, `scaled`). `reason` explains the preprocessing to people, in a
    sentence; it is ignored in comparisons.

    >>> InputSpec("resize", 32, 48, 3).shape
    (32, 48, 3)

    Raises:
        InputUnsupported: a field has an invalid value; the message names it.
    """

    preprocessing: Preprocessing = "digit"
    height: int = SIDE
    width: int = SIDE
    channels: int = 1
    scaling: Scaling = "0-1"
    orientation: Orientation = "upright"
    reason: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        _check(self)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an image: (h, w), or (h, w, 3) for color."""
        return (self.height, self.width) if self.channels == 1 else (self.height, self.width, self.channels)

    @property
    def network_shape(self) -> tuple[int, ...]:
        """The shape of an image as the network takes it: `shape`, with height and width swapped if transposed."""
        if self.orientation == "upright":
            return self.shape
        return (self.width, self.height, *self.shape[2:])

    @property
    def images(self) -> "InputSpec":
        """The same for a data set: without the scaling and orientation of one network."""
        return replace(self, scaling="0-1", orientation="upright")

    @property
    def size(self) -> str:
        """The size and color in words: `28×28 gray`, `32×32 color`."""
        return f"{self.height}×{self.width} {'gray' if self.channels == 1 else 'color'}"

    @property
    def description(self) -> str:
        """The preprocessing as a sentence."""
        pixels = f"{self.height}×{self.width} pixels"
        if self.preprocessing == "none":
            return f"Images must be {'gray' if self.channels == 1 else 'color'} and have exactly {pixels}."
        if self.preprocessing == "resize":
            return f"Images are only resized to {pixels}{'' if self.channels == 1 else ', in color'}."
        scaled = "" if self.shape == (SIDE, SIDE) else f" The result is scaled from {SIDE}×{SIDE} to {pixels}."
        return f"Images go through the digit normalizer (MNIST's format: light ink on dark, cropped, centered).{scaled}"

    @property
    def scaling_in_words(self) -> str:
        """What is done to pixels of 0 to 255, to complete a sentence."""
        words = {"0-1": "divided by 255", "-1-1": "divided by 127.5, minus 1", "0-255": "as they are"}
        return words[self.scaling]

    def scaled(self, pixels: Pixels) -> Pixels:
        """Float pixels of 0 to 255 as the network takes them; for arrays of NumPy, TensorFlow, JAX and Torch alike."""
        divisor, offset = _SCALES[self.scaling]
        scaled: Any = pixels
        if divisor != 1:
            scaled = scaled / divisor
        return cast(Pixels, scaled - offset if offset else scaled)

    def oriented(self, images: Any) -> Any:
        """A view of NumPy images (n, *shape) as (n, *network_shape)."""
        return images if self.orientation == "upright" else images.swapaxes(1, 2)

    def as_dict(self) -> InputRecord:
        return cast(InputRecord, asdict(self))

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> "InputSpec":
        """From `as_dict`; fields that it lacks have their defaults.

        Raises:
            InputUnsupported: it has an unknown field, or a value that this version doesn't support.
        """
        if unknown := record.keys() - cls.__dataclass_fields__.keys():
            raise InputUnsupported(
                f"This version doesn't support an input with {', '.join(sorted(unknown))}. Update Tenfold."
            )
        return cls(**{**record, "reason": str(record.get("reason", ""))})


def _check(spec: InputSpec) -> None:
    for name in ("height", "width"):
        side = getattr(spec, name)
        if type(side) is not int or not MIN_SIDE <= side <= MAX_SIDE:
            raise InputUnsupported(f"Input {name} {side!r} isn't supported: choose {MIN_SIDE} to {MAX_SIDE} pixels.")
    if type(spec.channels) is not int or spec.channels not in (1, 3):
        raise InputUnsupported(f"Input channels {spec.channels!r} isn't supported: choose 1 (gray) or 3 (RGB).")
    choices = {"preprocessing": Preprocessing, "scaling": Scaling, "orientation": Orientation}
    for name, choice in choices.items():
        value = getattr(spec, name)
        if value not in get_args(choice):
            raise InputUnsupported(
                f"Input {name} {value!r} isn't supported: choose {', '.join(get_args(choice))}, or update Tenfold."
            )
    if spec.preprocessing == "digit" and spec.channels != 1:
        raise InputUnsupported(
            "Input preprocessing digit takes gray images (channels 1): choose resize or none for color."
        )


DIGIT = InputSpec("digit")
