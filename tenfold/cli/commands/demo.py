"""`tenfold demo`: every step once, on real data, through the HTTP API."""

import time
from pathlib import Path

import click

from tenfold.cli.commands.trainer import run_module
from tenfold.cli.console import console, follow, say, transfer_bar
from tenfold.cli.outcomes import exit_unless_succeeded
from tenfold.cli.output import output_option, print_json, print_lines
from tenfold.cli.volumes import Directory
from tenfold.client import Client, Job
from tenfold.web.local.redis_server import RedisMissing
from tenfold.web.local.supervisor import Supervisor, SupervisorError

RECIPE = "dropout-128"


@click.command()
@click.option(
    "--data",
    type=Directory(),
    default=Path("data"),
    show_default=True,
    envvar="TENFOLD_DATA",
    help="Directory for all data.",
)
@output_option
def demo(data: Path, as_json: bool) -> None:
    """Train on MNIST, classify its test images, and print the accuracy.

    Trains on 60,000 images, then classifies 10,000 from a zip of PNGs, through the HTTP API.
    """
    started = time.monotonic()
    data = data.resolve()
    images = data / "demo" / "mnist-test.zip"
    _prepare(data, images)
    stack = Supervisor(data, port=0, predictor=False)
    try:
        with console.status("starting Redis, a worker and the web"):
            stack.start()
    except (SupervisorError, RedisMissing) as error:
        raise click.ClickException(str(error)) from error
    try:
        with Client(stack.url, key=stack.token) as client:
            say(f"Tenfold is up at {stack.url}")
            training = _train(client)
            classification = _classify(client, images, str(training.summary["model"]))
    finally:
        with console.status("stopping"):
            stack.stop()
    seconds = time.monotonic() - started
    if as_json:
        print_json({"training": training.document, "classification": classification.document, "seconds": seconds})
    else:
        _report(data, training, classification, seconds)


def _prepare(data: Path, images: Path) -> None:
    """Put MNIST on the volume, and its test images as PNGs into a zip."""
    with console.status("getting MNIST"):
        run_module("tenfold.trainer.data.fetch", "mnist", "--root", data / "datasets")
    if not images.exists():
        with console.status(f"writing the 10,000 test images as PNGs to {images}"):
            run_module("tenfold.trainer.data.samples", "mnist", "--root", data / "datasets", images)


def _train(client: Client) -> Job:
    say(f"Training {RECIPE} on MNIST's 60,000 images, with its published settings")
    job = follow(client.train(RECIPE))
    exit_unless_succeeded(job)
    return job


def _classify(client: Client, images: Path, model: str) -> Job:
    say("Classifying the 10,000 test images")
    with transfer_bar() as progress:
        bar = progress.add_task("uploading", total=images.stat().st_size)
        job = client.classify(images, model=model, on_bytes=lambda count: progress.advance(bar, count))
    follow(job)
    exit_unless_succeeded(job)
    return job


def _report(data: Path, training: Job, classification: Job, seconds: float) -> None:
    trained, classified = training.summary, classification.summary
    click.echo("digit  images")
    print_lines([(f"{digit:<5}", f"{count:>6,}") for digit, count in classified["counts"].items()])
    click.echo(f"test accuracy   {trained['test_accuracy']:.2%}  (trained in {trained['seconds']:.1f} s)")
    click.echo(
        f"batch accuracy  {classified['accuracy']:.2%}  ({classified['images']:,} images, "
        f"{classified['errors']} errors, classified in {classified['seconds']:.1f} s)"
    )
    click.echo(f"time taken      {seconds:.1f} s in all")
    click.echo("files")
    for directory in (data / "models" / training.id, data / "jobs" / classification.id):
        for path in sorted(directory.iterdir()):
            click.echo(f"  {path}")
