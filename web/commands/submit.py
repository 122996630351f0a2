"""`tenfold train` and `tenfold classify`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from trainer.parameters import TrainingParameters
from trainer.recipes import RECIPES
from web.client import Job
from web.client.sending import named_files
from web.commands.console import end_with, follow, print_json, print_outcome, say, transfer_bar
from web.commands.options import check, options_of
from web.commands.server import connect
from worker.parameters import ClassificationParameters

wait_option = click.option("--wait", is_flag=True, help="Show progress until the job has ended.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print, last, one JSON object with the outcome.")
upload_option = click.option(
    "--upload",
    metavar="ID",
    help="Go on with the upload of this id, which began with the same FILE; without a FILE, take it as it is there.",
)


@click.command()
@click.argument("recipe", metavar="RECIPE", type=click.Choice(list(RECIPES)))
@options_of(TrainingParameters, besides=["recipe"])
@wait_option
@json_option
def train(recipe: str, wait: bool, as_json: bool, **parameters: Any) -> None:
    """Train a model by RECIPE.

    `tenfold recipes` lists them. What is left out is as the recipe has it.
    """
    parameters = check(TrainingParameters, {"recipe": recipe, **parameters})
    with connect() as client:
        report(client.train(**parameters), wait=wait, as_json=as_json)


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(exists=True, readable=True, path_type=Path))
@options_of(ClassificationParameters)
@upload_option
@wait_option
@json_option
def classify(files: tuple[Path, ...], upload: str | None, wait: bool, as_json: bool, **parameters: Any) -> None:
    """Classify images, or a zip, a tar, a 7z or a folder of them.

    Each FILE is an image or a folder on this computer, or the only FILE is a zip, tar or 7z. Names are kept: of
    7/scan.png the folder is taken as the true label. More than 64 MiB are sent in pieces: a connection that breaks, or
    a server that restarts, is waited for.
    """
    parameters = check(ClassificationParameters, parameters)
    sent = bool(files or upload)
    if sent == ("directory" in parameters):
        raise click.UsageError("Name the files to send, or name a directory of the server's inbox with --directory.")
    with connect() as client:
        with uploading(*files) as on_bytes:
            job = client.classify(*files, upload=upload, on_bytes=on_bytes, **parameters)
        report(job, wait=wait, as_json=as_json)


@contextmanager
def uploading(*files: Path) -> Iterator[Callable[[int], None]]:
    """A bar for the files that are sent; yields what to call with the size of each piece."""
    if not files:
        yield lambda count: None
        return
    name = files[0].resolve().name if len(files) == 1 else f"{len(files):,} files"
    try:
        total = sum(file.stat().st_size for _, file in named_files(files))
    except OSError as error:
        raise click.UsageError(str(error)) from error
    with transfer_bar() as progress:
        bar = progress.add_task(f"uploading {name}", total=total)

        def advance(count: int) -> None:
            progress.advance(bar, count)
            sent = progress.tasks[bar].completed
            progress.update(bar, total=max(total, sent))  # a zip of loose images takes more than they do

        yield advance


def report(job: Job, *, wait: bool, as_json: bool) -> None:
    """Say which job it is, or with `wait` what came of it, and exit 1 if it did not succeed."""
    say(f"{job.document['kind']} {job.id}: {job.page}")
    if wait:
        follow(job)
    if as_json:
        print_json(job.summary | {"job": job.document})
    elif wait:
        print_outcome(job)
    else:
        click.echo(job.id)
    if wait:
        end_with(job)
