"""`tenfold demo`: the whole path once, on real data, through the HTTP API."""

import subprocess
import sys
import time
from pathlib import Path

import click

from web.client import Client, Job
from web.commands.console import console, end_with, follow, print_lines, say, transfer_bar
from web.redis_server import RedisMissing
from web.stack import Stack, StackError

RECIPE = "dropout-128"


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    envvar="TENFOLD_DATA",
    help="Where everything is kept.",
)
def demo(data: Path) -> None:
    """Train on MNIST's 60,000 images, then classify its 10,000 test images from a zip of PNGs."""
    started = time.monotonic()
    data = data.resolve()
    images = data / "demo" / "mnist-test.zip"
    _prepare(data, images)
    stack = Stack(data, port=0, predictor=False)
    try:
        with console.status("starting Redis, a worker and the web"):
            stack.start()
    except (StackError, RedisMissing) as error:
        raise click.ClickException(str(error)) from error
    try:
        with Client(stack.url) as client:
            say(f"Tenfold is up at {stack.url}")
            training = _train(client)
            classification = _classify(client, images, str(training.summary["model"]))
    finally:
        with console.status("stopping"):
            stack.stop()
    _report(data, training, classification, time.monotonic() - started)


def _prepare(data: Path, images: Path) -> None:
    """MNIST on the volume, and its test images as PNGs in a zip. In processes of their own: they need NumPy."""
    with console.status("getting MNIST"):
        _run("trainer.fetch", "mnist", "--root", data / "datasets")
    if not images.exists():
        with console.status(f"writing the 10,000 test images as PNGs to {images}"):
            _run("trainer.samples", "mnist", "--root", data / "datasets", images)


def _run(module: str, *arguments: str | Path) -> None:
    done = subprocess.run([sys.executable, "-m", module, *arguments], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise click.ClickException(f"{module} failed:\n{done.stderr}")


def _train(client: Client) -> Job:
    say(f"Training {RECIPE} on MNIST's 60,000 images, with its published settings")
    job = follow(client.train(RECIPE))
    end_with(job)
    return job


def _classify(client: Client, images: Path, model: str) -> Job:
    say("Classifying the 10,000 test images")
    with transfer_bar() as progress:
        bar = progress.add_task("uploading", total=images.stat().st_size)
        job = client.classify(images, model=model, on_bytes=lambda count: progress.advance(bar, count))
    follow(job)
    end_with(job)
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
