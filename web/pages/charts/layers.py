"""Lays out the layers of a network for the SVG in `parts/layers.html`."""

from dataclasses import dataclass
from math import log2

from tenfold.trainer.architecture.layers import Stage, in_words, stages
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.input_spec import DIGIT, InputSpec

COLUMN = 64
MIDDLE = 36
CAPTION = 84
LINE = 13

# A bar with this many units has the maximum height.
MAX_UNITS = 1024
DOTS = 10


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Column:
    """One stage: its boxes from back to front, or its dots, above its captions."""

    stage: Stage
    middle: float
    boxes: tuple[Box, ...]
    dots: tuple[float, ...]
    half: float


@dataclass(frozen=True)
class Drawing:
    """Columns from left to right, and a description for screen readers."""

    width: int
    height: int
    columns: tuple[Column, ...]
    words: str


def draw_layers(plan: Plan, *, classes: int = 10, spec: InputSpec = DIGIT) -> Drawing:
    """The network of a plan, with a column for each stage."""
    found = stages(plan, classes=classes, spec=spec)
    lines = max(len(stage.notes) for stage in found)
    return Drawing(
        width=COLUMN * len(found),
        height=CAPTION + LINE * lines + 6,
        columns=tuple(_column(stage, COLUMN * (place + 0.5), found[0].side) for place, stage in enumerate(found)),
        words=in_words(plan, classes=classes, spec=spec),
    )


def _column(stage: Stage, middle: float, image_side: int) -> Column:
    if stage.kind == "outputs" and stage.width <= DOTS:
        spread = 60 / DOTS * (stage.width - 1)
        dots = tuple(MIDDLE - spread / 2 + 60 / DOTS * place for place in range(stage.width))
        return Column(stage, middle, (), dots, 5)
    if stage.kind == "convolutions":
        side = 14 + 30 * stage.side / image_side
        planes = tuple(_centered(middle + 4 * shift, MIDDLE - 4 * shift, side, side) for shift in (1, 0, -1))
        return Column(stage, middle, planes, (), side / 2 + 4)
    if stage.kind == "image":
        return Column(stage, middle, (_centered(middle, MIDDLE, 44, 44),), (), 22)
    height = 14 + 52 * min(log2(stage.width + 1) / log2(MAX_UNITS), 1)
    return Column(stage, middle, (_centered(middle, MIDDLE, 12, height),), (), 6)


def _centered(x: float, y: float, width: float, height: float) -> Box:
    return Box(round(x - width / 2, 1), round(y - height / 2, 1), round(width, 1), round(height, 1))
