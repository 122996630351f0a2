"""Lists the layers of a plan's network without building it, for drawings and descriptions."""

from dataclasses import dataclass
from typing import Literal

from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.input_spec import SIDE


@dataclass(frozen=True)
class Stage:
    """The image, one block of convolutions, one dense layer, or the outputs.

    `width` is filters or units, `side` the height and width of the output in pixels (1 for a vector), `notes` the
    stage's activation, pooling and so on in their order.

    >>> [stage.name for stage in stages(Plan(units=(64,)), classes=10)]
    ['28×28 image', 'dense 64', '10 outputs']
    """

    kind: Literal["image", "convolutions", "dense", "outputs"]
    name: str
    width: int
    side: int
    notes: tuple[str, ...] = ()


def stages(plan: Plan, *, classes: int) -> list[Stage]:
    """The network's stages, from image to outputs."""
    found = [Stage("image", f"{SIDE}×{SIDE} image", 1, SIDE)]
    hidden = (plan.activation, *(("batch norm",) if plan.batch_normalization else ()))
    side = SIDE
    for filters in plan.filters:
        side //= 2
        times = () if plan.convolutions == 1 else (f"{plan.convolutions} times",)
        found.append(Stage("convolutions", f"conv {filters}", filters, side, (*times, *hidden, f"pool {side}×{side}")))
    dropout = (f"dropout {plan.dropout:g}",) if plan.dropout else ()
    found += [Stage("dense", f"dense {units}", units, 1, (*hidden, *dropout)) for units in plan.units]
    return [*found, Stage("outputs", f"{classes} outputs", classes, 1, (plan.output_activation,))]


def in_words(plan: Plan, *, classes: int) -> str:
    """The network in one line: `28×28 image → dense 128 (relu, dropout 0.2) → 10 outputs (softmax)`."""
    parts = stages(plan, classes=classes)
    return " → ".join(f"{stage.name} ({', '.join(stage.notes)})" if stage.notes else stage.name for stage in parts)
