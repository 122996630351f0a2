"""Makes a model's inputs of pictures, as its `InputSpec` says: the digit normalizer, resizing, or nothing."""

from collections.abc import Sequence

import cv2
import numpy as np

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images.normalization import Detected, Normalized, NormalizeMode, normalize_all, steps
from tenfold.trainer.input_spec import InputSpec


def reads_color(spec: InputSpec) -> bool:
    """Whether pictures for this input must be read with their colors.

    `none` must know whether a picture has any.
    """
    return spec.channels == 3 or spec.preprocessing == "none"


def prepare_all(
    pictures: Sequence[Bytes], spec: InputSpec, polarity: Detected = "auto"
) -> list[Normalized | ImageUnreadable]:
    """The pictures as the model's input, of shape `spec.shape`; an error for one that the input doesn't take.

    Args:
        pictures: gray (h, w) or RGB (h, w, 3) uint8, read with their colors if `reads_color`.
        polarity: for the digit normalizer; `auto` detects it.
    """
    if spec.preprocessing == "none":
        return [_unchanged(picture, spec) for picture in pictures]
    return [*normalize_all([_with_channels(one, spec) for one in pictures], _mode(spec), polarity, spec.shape[:2])]


def prepare(picture: Bytes, spec: InputSpec, polarity: Detected = "auto") -> Normalized:
    """One picture, as by `prepare_all`.

    Raises:
        ImageUnreadable: the input doesn't take this picture.
    """
    [prepared] = prepare_all([picture], spec, polarity)
    if isinstance(prepared, ImageUnreadable):
        raise prepared
    return prepared


def steps_of(picture: Bytes, spec: InputSpec, polarity: Detected = "auto") -> list[tuple[str, Bytes]]:
    """The picture after each step of `prepare`, with the step's name, for people to look at."""
    if spec.preprocessing == "none":
        return [("original", picture)]
    shown, *others = steps(_with_channels(picture, spec), _mode(spec), polarity, spec.shape[:2])
    return [(shown[0], picture), *others]


def _mode(spec: InputSpec) -> NormalizeMode:
    return "auto" if spec.preprocessing == "digit" else "none"


def _with_channels(picture: Bytes, spec: InputSpec) -> Bytes:
    """A gray picture has the same value in red, green and blue."""
    if spec.channels == 3 and picture.ndim == 2:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), np.uint8)
    if spec.channels == 1 and picture.ndim == 3:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    return picture


def _unchanged(picture: Bytes, spec: InputSpec) -> Normalized | ImageUnreadable:
    if spec.channels == 1 and picture.ndim == 3 and (picture == picture[..., :1]).all():
        picture = np.ascontiguousarray(picture[..., 0])
    if picture.shape != spec.shape:
        height, width, *colors = picture.shape
        return ImageUnreadable(
            f"is {height}×{width} {'color' if colors else 'gray'}; the model takes only {spec.size} (height×width), "
            "without preprocessing",
            "wrong_size",
        )
    return Normalized(picture, "as-is", "light-on-dark", blank=not picture.any())
