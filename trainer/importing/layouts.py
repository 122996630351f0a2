"""How a network takes an image: which of the usual forms it has, and how Tenfold's form becomes that."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tenfold.trainer.errors import ModelRefused
from tenfold.trainer.input_spec import InputSpec


@dataclass(frozen=True)
class Layout:
    """`network` is the shape of one image as the network takes it; `transposed` the order of the axes of Tenfold's
    image, from which it follows by a mere reshape, or empty."""

    network: tuple[int, ...]
    transposed: tuple[int, ...]
    name: str


def layout_for(spec: InputSpec, taken: Sequence[int | None]) -> Layout:
    """How a network that takes images of the shape `taken` (None where any size is) gets those of the spec.

    Raises:
        ModelRefused: it takes none of this size and number of channels; the message says what it takes.
    """
    height, width = spec.network_shape[:2]
    pixels = height * width * spec.channels
    if spec.channels == 1:
        forms = [
            Layout((height, width), (), "(height, width)"),
            Layout((height, width, 1), (), "(height, width, 1)"),
            Layout((1, height, width), (), "(1, height, width)"),
            Layout((pixels,), (), "flat"),
        ]
    else:
        forms = [
            Layout((height, width, 3), (), "(height, width, 3)"),
            Layout((3, height, width), (2, 0, 1), "(3, height, width)"),
            Layout((pixels,), (), "flat"),
        ]
    for form in forms:
        if len(form.network) == len(taken) and all(
            wanted in (None, size) for wanted, size in zip(taken, form.network, strict=True)
        ):
            return form
    raise ModelRefused("input", _refusal(spec, taken))


def _refusal(spec: InputSpec, taken: Sequence[int | None]) -> str:
    shown = f"({', '.join('any' if size is None else str(size) for size in taken)})"
    declared = f"{spec.height}x{spec.width}x{spec.channels}"
    message = f"The network takes images of shape {shown}, not the declared {declared}."
    if suggested := _declaration(spec, taken):
        return f"{message} Declare what it takes: {suggested}."
    return (
        f"{message} It must take (height, width), (height, width, 1 or 3), (1 or 3, height, width) or one row of "
        "pixels, of 8 to 128 pixels a side. Export it so."
    )


def _declaration(spec: InputSpec, taken: Sequence[int | None]) -> str | None:
    """What to declare instead, for messages."""
    sizes = [size for size in taken if size is not None]
    if len(sizes) < len(taken):
        return None
    found: tuple[int, ...] | None = None
    if len(sizes) == 1:
        for channels in (1, 3):
            side = math.isqrt(sizes[0] // channels)
            if side * side * channels == sizes[0]:
                found = (side, side, channels)
                break
    elif len(sizes) == 2:
        found = (*sizes, 1)
    elif len(sizes) == 3 and sizes[2] in (1, 3):
        found = (sizes[0], sizes[1], sizes[2])
    elif len(sizes) == 3 and sizes[0] in (1, 3):
        found = (sizes[1], sizes[2], sizes[0])
    if found is None or not all(8 <= side <= 128 for side in found[:2]):
        return None
    if spec.orientation == "transposed":
        found = (found[1], found[0], found[2])
    return "x".join(map(str, found))
