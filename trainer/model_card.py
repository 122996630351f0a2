"""The page that goes with a model: what it is, what it learned from, how good it is, and what it is not for."""

from collections.abc import Iterator
from typing import Any

from trainer.input_spec import InputSpec


def model_card(metrics: dict[str, Any]) -> str:
    """The page in Markdown, made from a model's `metrics.json`."""
    return "\n".join(_lines(metrics)) + "\n"


def _lines(metrics: dict[str, Any]) -> Iterator[str]:
    parameters, calibration = metrics["parameters"], metrics["calibration"]
    spec = InputSpec.read(metrics["input"])
    classes = metrics["class_names"]
    yield f"# {metrics['recipe']} on {metrics['dataset']}"
    yield ""
    yield (
        f"Classifies gray images of {spec.height}×{spec.width} pixels as one of {len(classes)} classes: "
        f"{', '.join(classes)}."
    )
    yield ""
    yield "## What it takes"
    yield ""
    yield f"{spec.description} {spec.reason}".rstrip()
    yield ""
    yield (
        f"Tenfold does this by itself. Used elsewhere, the model takes (n, {spec.height}, {spec.width}) float32: such "
        "pixels divided by 255. `input` in `metrics.json` says the same to programs."
    )
    yield ""
    yield "## How good it is"
    yield ""
    yield f"On {metrics['test_images']:,} test images that it did not learn from:"
    yield ""
    yield "| figure | value |"
    yield "|---|---|"
    yield f"| accuracy | {metrics['test_accuracy']:.2%} |"
    yield f"| loss | {metrics['test_loss']:.4f} |"
    yield f"| expected calibration error | {calibration['before']['error']:.2%} |"
    yield f"| the same with temperature {calibration['temperature']:.3f} | {calibration['after']['error']:.2%} |"
    yield ""
    yield "| class | precision | recall | F1 | images |"
    yield "|---|---|---|---|---|"
    for name, figures in metrics["per_class"].items():
        yield (
            f"| {name} | {figures['precision']:.2%} | {figures['recall']:.2%} | {figures['f1']:.2%} "
            f"| {figures['images']:,} |"
        )
    yield ""
    yield "## How it was made"
    yield ""
    yield f"- Data: {metrics['dataset']}, {metrics['train_images']:,} training images"
    yield f"- SHA-256 of the data's four IDX files: {metrics['data_sha256']}"
    if parameters["validation"] == "split":
        yield f"- Held out for validation: {parameters['validation_split']:.0%} of them"
    yield f"- Recipe: {metrics['recipe']}, {metrics['parameter_count']:,} parameters"
    for name, value in parameters.items():
        if name not in ("recipe", "dataset", "exports"):
            shown = ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
            yield f"- {name.replace('_', ' ').capitalize()}: {shown}"
    yield f"- Epochs run: {metrics['epochs']}; weights of epoch {metrics['best_epoch']}"
    yield f"- Training time: {metrics['seconds']:.1f} s"
    yield f"- Versions: {', '.join(f'{name} {version}' for name, version in metrics['versions'].items())}"
    yield f"- Temperature fitted on: {calibration['fitted_on']} ({calibration['images']:,} images)"
    yield ""
    yield "## What to mind"
    yield ""
    yield (
        "- It answers every image with one of its classes, also one that shows none of them. Look at the confidence, "
        "and have doubtful images reviewed."
    )
    yield "- Images of another kind than its training data (other pens, scanners, hands) are answered less well."
