"""How an image becomes a model's input: recorded with the data set, stored with the model, applied when classifying.

Uses no NumPy, so that the web can read it too.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

from typing_extensions import TypedDict

from tenfold.trainer.architecture.plans import SIDE
from tenfold.trainer.errors import InputUnsupported

# `digit` is the digit normalizer (`trainer.images.normalization`), which converts images to MNIST's format unless they
# have it already; `resize` only scales.
Preprocessing = Literal["digit", "resize"]

# The corresponding modes of `tenfold.trainer.images.normalize`.
_MODES: Mapping[str, Literal["auto", "none"]] = {"digit": "auto", "resize": "none"}

# The supported values: for now, only the preprocessing can differ.
_FIXED: Mapping[str, Any] = {
    "height": SIDE,
    "width": SIDE,
    "channels": 1,
    "scaling": "0-1",
    "orientation": "upright",
}


class InputRecord(TypedDict):
    """An `InputSpec` as JSON."""

    preprocessing: Preprocessing
    height: int
    width: int
    channels: int
    scaling: str
    orientation: str
    reason: str


@dataclass(frozen=True)
class InputSpec:
    """A model's input: `height`×`width` pixels with `channels`, made from an image by `preprocessing`.

    `scaling` converts pixels 0–255 to the network's input: `0-1` divides by 255. `orientation` is `upright`: not
    transposed. `reason` explains the preprocessing to people, in a sentence; it is ignored in comparisons.
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
        """The mode of `tenfold.trainer.images.normalize` for this preprocessing."""
        return _MODES[self.preprocessing]

    @property
    def description(self) -> str:
        """The preprocessing as a sentence."""
        if self.preprocessing == "digit":
            return "Images go through the digit normalizer (MNIST's format: light ink on dark, cropped, centered)."
        return f"Images are only resized to {self.height}×{self.width} pixels."

    def as_dict(self) -> InputRecord:
        return cast(InputRecord, asdict(self))

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> "InputSpec":
        """From `as_dict`.

        Raises:
            InputUnsupported: this version doesn't support its size or preprocessing.
        """
        if {name: record.get(name) for name in _FIXED} != _FIXED or record.get("preprocessing") not in _MODES:
            raise InputUnsupported(
                f"Input {dict(record)!r} isn't supported by this version, which takes {dict(_FIXED)!r} with "
                f"preprocessing {' or '.join(_MODES)}. Update Tenfold."
            )
        return cls(record["preprocessing"], reason=str(record.get("reason", "")))


DIGIT = InputSpec("digit")


def of_mode(mode: Literal["auto", "none"], reason: str) -> InputSpec:
    """The spec for this mode of `tenfold.trainer.images.normalize`."""
    return InputSpec("digit" if mode == "auto" else "resize", reason=reason)
