"""Jobs in words: what a job is about, how far it is, and what came of it."""

import sys

import click

from tenfold.cli.console import say
from tenfold.cli.exits import FAILURE
from tenfold.client import Job


def subject(job: Job) -> str:
    """What a job is about: the uploaded file, or what its parameters name."""
    parameters, source = job.document["parameters"], job.document["source"] or {}
    match job.document["kind"]:
        case "training" | "sweep":
            return f"{parameters['recipe']} on {parameters['dataset']}"
        case "model_import":
            return f"{parameters['name'] or source.get('name', 'a model')} as {parameters['input']}"
        case "import":
            return f"{parameters['name']} from {source.get('name', 'a file')}"
        case "check":
            return f"labels of {parameters['dataset']}"
        case "comparison":
            return f"{len(parameters['models'])} models on {parameters['on']}"
        case "review":
            return f"corrections of {parameters['classification']}"
    return str(source.get("name") or parameters.get("directory") or "images")


def progress_of(job: Job) -> str:
    """`3 of 7 epochs`."""
    progress = job.document["progress"]
    return f"{progress['done']:,} of {progress['total']:,} {progress['unit']}"


def headline(job: Job) -> str:
    """The outcome of a job in a few words; empty while there is none."""
    summary = job.summary
    if "best" in summary:
        values = ", ".join(f"{name}={value}" for name, value in summary["best"]["values"].items())
        return f"best of {summary['trials']} trials: {values}; test accuracy {summary['test_accuracy']:.2%}"
    if "test_accuracy" in summary:
        return f"test accuracy {summary['test_accuracy']:.2%}, model {summary['model']}"
    if job.document["kind"] == "import" and summary:
        return (
            f"{summary['name']}: {len(summary['classes'])} classes, {summary['train_images']:,} training and "
            f"{summary['test_images']:,} test images"
        )
    if job.document["kind"] == "model_import" and summary:
        measured = "not measured"
        if summary["test_images"]:
            low, high = summary["interval"]
            measured = (
                f"{summary['accuracy']:.2%} of {summary['test_images']:,} images of {summary['checked_on']} right "
                f"({low:.2%} to {high:.2%})"
            )
        return f"{summary['name']}, {len(summary['classes'])} classes: {measured}; model {summary['model']}"
    if job.document["kind"] == "review" and summary:
        dataset = f"; data set {summary['dataset']['name']}" if summary["dataset"] else ""
        return f"{summary['reviewed']} reviewed, {summary['changed']} changed{dataset}"
    if "conclusion" in summary:
        return str(summary["conclusion"])
    if "images" in summary:
        right = "" if summary["accuracy"] is None else f", {summary['accuracy']:.2%} of {summary['labeled']} right"
        return f"{summary['images']} images, {summary['errors']} with errors{right}, {summary['seconds']:.1f} s"
    return job.document["error"] or ""


def print_outcome(job: Job) -> None:
    """Print the outcome of a job: the estimated error rate of a classification, the headline, the figures of compared
    models, notes, warnings."""
    if message := (job.summary.get("accepted_error") or {}).get("message"):
        click.echo(message)
    click.echo(headline(job))
    if shadow := job.summary.get("shadow"):
        click.echo(shadow["message"])
    for model in job.summary.get("models", []):
        low, high = model["accuracy_interval"]
        right = f"{model['right']:,} of {job.summary['images']:,} right"
        click.echo(
            f"{model['name']}: {model['model']} ({model['recipe']} on {model['dataset']}), {right}, "
            f"{model['accuracy']:.2%} ({low:.2%} to {high:.2%})"
        )
    if methods := job.summary.get("methods"):
        click.echo(methods)
    for note in job.summary.get("notes", []):
        click.echo(note)
    for warning in job.summary.get("warnings", []):
        click.echo(f"Warning: {warning}")


def exit_unless_succeeded(job: Job) -> None:
    """Exit 1, with the reason, unless the job has succeeded."""
    if job.state != "succeeded":
        say(f"Job {job.id} {job.state}. {job.document['error'] or ''}")
        sys.exit(FAILURE)
