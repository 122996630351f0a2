"""Lists the layers of a plan's network without building it, for drawings and descriptions."""

from dataclasses import dataclass
from typing import Literal

from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.input_spec import DIGIT, InputSpec


@dataclass(frozen=True)
class Stage:
    """The image, one block of convolutions, one dense layer, or the outputs.

    `width` is filters or units, `side` the longer side of the output in pixels (1 for a vector), `notes` the stage's
    activation, pooling and so on in their order.

    >>> [stage.name for stage in stages(Plan(units=(64,)), classes=10)]
    ['28×28 image', 'dense 64', '10 outputs']
    """

    kind: Literal["image", "convolutions", "dense", "outputs"]
    name: str
    width: int
    side: int
    notes: tuple[str, ...] = ()


def stages(plan: Plan, *, classes: int, spec: InputSpec = DIGIT) -> list[Stage]:
    """The network's stages, from image to outputs."""
    height, width = spec.height, spec.width
    color = "" if spec.channels == 1 else " color"
    found = [Stage("image", f"{height}×{width}{color} image", spec.channels, max(height, width))]
    hidden = (plan.activation, *(("batch norm",) if plan.batch_normalization else ()))
    for filters in plan.filters:
        height, width = height // 2, width // 2
        times = () if plan.convolutions == 1 else (f"{plan.convolutions} times",)
        notes = (*times, *hidden, f"pool {height}×{width}")
        found.append(Stage("convolutions", f"conv {filters}", filters, max(height, width), notes))
    dropout = (f"dropout {plan.dropout:g}",) if plan.dropout else ()
    found += [Stage("dense", f"dense {units}", units, 1, (*hidden, *dropout)) for units in plan.units]
    return [*found, Stage("outputs", f"{classes} outputs", classes, 1, (plan.output_activation,))]


def in_words(plan: Plan, *, classes: int, spec: InputSpec = DIGIT) -> str:
    """The network in one line: `28×28 image → dense 128 (relu, dropout 0.2) → 10 outputs (softmax)`."""
    parts = stages(plan, classes=classes, spec=spec)
    return " → ".join(f"{stage.name} ({', '.join(stage.notes)})" if stage.notes else stage.name for stage in parts)
