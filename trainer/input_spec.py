"""How a picture becomes the input of a model: recorded with the data set, kept with the model, applied to whatever it
classifies. Needs no NumPy: the web reads it too."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

from typing_extensions import TypedDict

from trainer.errors import InputUnsupported
from trainer.plans import SIDE

# What is done to a picture: `digit` is the digit normalizer (`trainer.normalisation`), which brings it to MNIST's form
# and leaves those alone that are in it; `resize` only scales it.
Preprocessing = Literal["digit", "resize"]

# The modes of `trainer.images.normalise` that do it.
_MODES: Mapping[str, Literal["auto", "none"]] = {"digit": "auto", "resize": "none"}

# What this version can make: all but the preprocessing have one value for now.
_FIXED: Mapping[str, Any] = {
    "height": SIDE,
    "width": SIDE,
    "channels": 1,
    "scaling": "0-1",
    "orientation": "upright",
}


class InputRecord(TypedDict):
    """An `InputSpec` as JSON holds it."""

    preprocessing: Preprocessing
    height: int
    width: int
    channels: int
    scaling: str
    orientation: str
    reason: str


@dataclass(frozen=True)
class InputSpec:
    """What a model takes: `height`×`width` pixels of so many `channels`, made of a picture by `preprocessing`.

    `scaling` is how a pixel's 0–255 becomes what the network takes: `0-1` divides by 255. `orientation` is that of the
    pixels beside the picture's: `upright`, not transposed.
    `reason` is a sentence for people: why this preprocessing. Two specs that differ in it alone are equal.
    """

    preprocessing: Preprocessing = "digit"
    height: int = SIDE
    width: int = SIDE
    channels: int = 1
    scaling: str = "0-1"
    orientation: str = "upright"
    reason: str = field(default="", compare=False)

    @property
    def mode(self) -> Literal["auto", "none"]:
        """The mode of `trainer.images.normalise` that does this preprocessing."""
        return _MODES[self.preprocessing]

    @property
    def description(self) -> str:
        """What happens to a picture, as a sentence."""
        if self.preprocessing == "digit":
            return "Pictures go through the digit normalizer (MNIST's form: light ink on dark, cropped, centered)."
        return f"Pictures are only resized to {self.height}×{self.width} pixels."

    def as_dict(self) -> InputRecord:
        return cast(InputRecord, asdict(self))

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> "InputSpec":
        """What `as_dict` gave.

        Raises:
            InputUnsupported: this version can't apply it: another size, another preprocessing.
        """
        if {name: record.get(name) for name in _FIXED} != _FIXED or record.get("preprocessing") not in _MODES:
            raise InputUnsupported(
                f"Input {dict(record)!r} isn't supported by this version, which takes {dict(_FIXED)!r} with "
                f"preprocessing {' or '.join(_MODES)}. Update Tenfold."
            )
        return cls(record["preprocessing"], reason=str(record.get("reason", "")))


DIGIT = InputSpec("digit")


def of_mode(mode: Literal["auto", "none"], reason: str) -> InputSpec:
    """The spec whose preprocessing this mode of `trainer.images.normalise` does."""
    return InputSpec("digit" if mode == "auto" else "resize", reason=reason)
