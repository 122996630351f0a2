"""What a plan's net is made of, stage by stage, told without building it: for drawings and for words."""

from dataclasses import dataclass
from typing import Literal

from trainer.plans import SIDE, Plan


@dataclass(frozen=True)
class Stage:
    """The image, one block of convolutions, one dense layer, or the outputs.

    `width` is filters or units, `side` the pixels of a side of what comes out (1 where it is a plain vector), `notes`
    what else belongs to the stage, in the order in which it acts.

    >>> [stage.name for stage in stages(Plan(units=(64,)), classes=10)]
    ['28×28 image', 'dense 64', '10 outputs']
    """

    kind: Literal["image", "convolutions", "dense", "outputs"]
    name: str
    width: int
    side: int
    notes: tuple[str, ...] = ()


def stages(plan: Plan, *, classes: int) -> list[Stage]:
    """From the image to the outputs."""
    found = [Stage("image", f"{SIDE}×{SIDE} image", 1, SIDE)]
    hidden = (plan.activation, *(("batch norm",) if plan.batch_normalisation else ()))
    side = SIDE
    for filters in plan.filters:
        side //= 2
        times = () if plan.convolutions == 1 else (f"{plan.convolutions} times",)
        found.append(Stage("convolutions", f"conv {filters}", filters, side, (*times, *hidden, f"pool {side}×{side}")))
    dropout = (f"dropout {plan.dropout:g}",) if plan.dropout else ()
    found += [Stage("dense", f"dense {units}", units, 1, (*hidden, *dropout)) for units in plan.units]
    return [*found, Stage("outputs", f"{classes} outputs", classes, 1, (plan.output_activation,))]


def in_words(plan: Plan, *, classes: int) -> str:
    """The net in one line: `28×28 image → dense 128 (relu, dropout 0.2) → 10 outputs (softmax)`."""
    parts = stages(plan, classes=classes)
    return " → ".join(f"{stage.name} ({', '.join(stage.notes)})" if stage.notes else stage.name for stage in parts)
