"""The model card: what a model is, its input, its quality, its training and its limitations."""

from collections.abc import Iterator
from typing import Any

from tenfold.trainer.input_spec import InputSpec
from tenfold.trainer.reports.card_metadata import front_matter

# The others are in `class_names` in `metrics.json`, and in the table of figures.
MAX_CLASSES_LISTED = 100


def model_card(metrics: dict[str, Any]) -> str:
    """The model card in Markdown, from a model's `metrics.json`. Its metadata is the Hugging Face Hub's."""
    title = f"{metrics['recipe']} on {metrics['dataset']}"
    return front_matter(title, metrics, trained_here=True) + "\n".join([f"# {title}", *_lines(metrics)]) + "\n"


_TURNED = {"upright": "", "transposed": ", with rows and columns exchanged"}


def _cell(name: str) -> str:
    """A class name in a Markdown table."""
    return name.replace("|", "\\|")


def _listed(classes: list[str]) -> str:
    more = len(classes) - MAX_CLASSES_LISTED
    shown = ", ".join(classes[:MAX_CLASSES_LISTED])
    return shown if more <= 0 else f"{shown} and {more:,} more"


def _lines(metrics: dict[str, Any]) -> Iterator[str]:
    parameters, calibration = metrics["parameters"], metrics["calibration"]
    spec = InputSpec.read(metrics["input"])
    classes = metrics["class_names"]
    yield ""
    yield (
        f"Classifies {'gray' if spec.channels == 1 else 'color'} images of {spec.height}×{spec.width} pixels as one of "
        f"{len(classes):,} classes: {_listed(classes)}."
    )
    yield ""
    yield "## Input"
    yield ""
    yield f"{spec.description} {spec.reason}".rstrip()
    yield ""
    yield (
        f"Tenfold does this automatically. Elsewhere, pass (n, {', '.join(map(str, spec.network_shape))}) float32: "
        f"such pixels {spec.scaling_in_words}{_TURNED[spec.orientation]}. `input` in `metrics.json` is the "
        "machine-readable form."
    )
    yield ""
    yield "## Quality"
    yield ""
    yield f"On {metrics['test_images']:,} test images, which were not used for training:"
    yield ""
    yield from quality(metrics)
    if forgetting := metrics["forgetting"]:
        yield (
            f"On the {forgetting['test_images']:,} test images of {forgetting['dataset']}, which the model that it "
            f"started from was trained on: accuracy {forgetting['before']:.2%} before, {forgetting['after']:.2%} after."
        )
        yield ""
    yield "## Training"
    yield ""
    yield f"- Data: {metrics['dataset']}, {metrics['train_images']:,} training images"
    yield f"- Content of the data set: SHA-256 {metrics['content_sha256']}"
    if parameters["validation"] == "split":
        yield f"- Held out for validation: {parameters['validation_split']:.0%} of the training images"
    yield f"- Recipe: {metrics['recipe']}, {metrics['parameter_count']:,} parameters"
    for generation, ancestor in enumerate(metrics["ancestors"]):
        accuracy = ancestor["test_accuracy"]
        yield (
            f"- {'That one' if generation else 'It'} started from the model {ancestor['id']}: {ancestor['recipe']} on "
            f"{ancestor['dataset']}, test accuracy {'unknown' if accuracy is None else f'{accuracy:.2%}'}, "
            f"SHA-256 of its weights {ancestor['weights_sha256']}"
        )
    yield f"- SHA-256 of the weights: {metrics['weights_sha256']}"
    if metrics["ancestors"]:
        yield f"- Frozen layers: {parameters['freeze'].replace('_', ' ')}"
    for name, value in parameters.items():
        if name not in ("recipe", "dataset", "exports", "from_model", "freeze") and value is not None:
            shown = ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
            yield f"- {name.replace('_', ' ').capitalize()}: {shown}"
    yield f"- Epochs run: {metrics['epochs']}; weights of epoch {metrics['best_epoch']}"
    yield f"- Training time: {metrics['seconds']:.1f} s"
    yield f"- Versions: {', '.join(f'{name} {version}' for name, version in metrics['versions'].items())}"
    yield f"- Temperature fitted on: {calibration['fitted_on'].replace('_', ' ')} ({calibration['images']:,} images)"
    yield ""
    yield "## Limitations"
    yield ""
    yield (
        "- Every image gets one of these classes, even if it shows none of them. Check the confidence, and have "
        "doubtful answers reviewed."
    )
    yield "- Accuracy is lower on images unlike the training data (other pens, scanners, handwriting)."


def quality(metrics: dict[str, Any]) -> Iterator[str]:
    """The tables of a model's quality, overall and by class, with an empty line after each."""
    calibration = metrics["calibration"]
    yield "| metric | value |"
    yield "|---|---|"
    yield f"| accuracy | {metrics['test_accuracy']:.2%} |"
    yield f"| balanced accuracy (mean recall of the classes) | {metrics['balanced_accuracy']:.2%} |"
    yield f"| macro-F1 (mean F1 of the classes) | {metrics['macro_f1']:.2%} |"
    yield f"| loss | {metrics['test_loss']:.4f} |"
    yield f"| negative log-likelihood (NLL) | {metrics['nll']:.4f} |"
    yield f"| Brier score | {metrics['brier']:.4f} |"
    yield f"| calibration error (ECE) | {calibration['before']['error']:.2%} |"
    yield f"| ECE after temperature scaling ({calibration['temperature']:.3f}) | {calibration['after']['error']:.2%} |"
    yield ""
    yield "| class | precision | recall | F1 | images |"
    yield "|---|---|---|---|---|"
    for name, figures in metrics["per_class"].items():
        yield (
            f"| {_cell(name)} | {figures['precision']:.2%} | {figures['recall']:.2%} | {figures['f1']:.2%} "
            f"| {figures['images']:,} |"
        )
    yield ""
