"""Commands that submit a job: `tenfold train`, `sweep` and `classify`; `submitted` and `uploading` serve others too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tenfold.cli.console import follow, say, transfer_bar
from tenfold.cli.options import check, options_of
from tenfold.cli.outcomes import exit_unless_succeeded, print_outcome
from tenfold.cli.output import output_option, print_json
from tenfold.cli.server import connect
from tenfold.client import Job
from tenfold.client.sending import named_files
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.sweeps.parameters import SweepParameters

recipe_argument = click.argument("recipe", metavar="[RECIPE]", required=False, type=click.Choice(list(RECIPES)))
wait_option = click.option("--wait", is_flag=True, help="Show progress until the job has finished.")
upload_option = click.option(
    "--upload",
    metavar="ID",
    help="Continue the upload with this ID, of the same FILE; without FILE, use an upload that is complete.",
)


@click.command()
@recipe_argument
@options_of(TrainingParameters, besides=["recipe"])
@wait_option
@output_option
def train(recipe: str | None, wait: bool, as_json: bool, **parameters: Any) -> None:
    """Train a model.

    Give a RECIPE (`tenfold recipe list` shows them), or --from MODEL to fine-tune a model. Each option replaces a value
    of the recipe, or of the model's own training.
    """
    _check_start(recipe, parameters)
    parameters = check(TrainingParameters, {"recipe": recipe, **parameters})
    with connect() as client:
        submitted(client.train(**parameters), wait=wait, as_json=as_json)


@click.command()
@recipe_argument
@click.option(
    "--over",
    "axes",
    multiple=True,
    required=True,
    metavar="NAME=VALUES",
    help="A hyperparameter to search: dropout=0|0.2|0.4, batch_size=32..256 or learning_rate=log:0.0001..0.01. "
    "Repeat it for several.",
)
@options_of(SweepParameters, besides=["recipe", "space"])
@wait_option
@output_option
def sweep(recipe: str | None, axes: tuple[str, ...], wait: bool, as_json: bool, **parameters: Any) -> None:
    """Search for better hyperparameters.

    Each trial is a training by RECIPE, or starts from a model with --from.
    """
    _check_start(recipe, parameters)
    parameters = check(SweepParameters, {"recipe": recipe, "space": "\n".join(axes), **parameters})
    with connect() as client:
        submitted(client.sweep(parameters.pop("recipe", None), **parameters), wait=wait, as_json=as_json)


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(exists=True, readable=True, path_type=Path))
@options_of(ClassificationParameters)
@upload_option
@wait_option
@output_option
def classify(files: tuple[Path, ...], upload: str | None, wait: bool, as_json: bool, **parameters: Any) -> None:
    """Classify images in bulk.

    Each FILE is an image or a folder; or give one zip, tar or 7z. Names are kept: in 7/scan.png, the folder 7 is the
    true label. More than 64 MiB are sent in pieces, and sending continues after the connection broke or the server
    restarted.
    """
    parameters = check(ClassificationParameters, parameters)
    sent = bool(files or upload)
    if sent == ("directory" in parameters):
        raise click.UsageError("Give either files to send, or --directory, a directory of the server's inbox.")
    with connect() as client:
        with uploading(*files) as on_bytes:
            job = client.classify(*files, upload=upload, on_bytes=on_bytes, **parameters)
        submitted(job, wait=wait, as_json=as_json)


def _check_start(recipe: str | None, parameters: dict[str, Any]) -> None:
    if (recipe is None) == (parameters["from_model"] is None):
        raise click.UsageError("Give either RECIPE, or --from MODEL to start from a model.")


@contextmanager
def uploading(*files: Path) -> Iterator[Callable[[int], None]]:
    """Show a bar while files are sent; yields the function to call with the size of each piece."""
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
            progress.update(bar, total=max(total, sent))  # a zip of loose images is larger than they are

        yield advance


def submitted(job: Job, *, wait: bool, as_json: bool) -> None:
    """Print the id of a new job; with `wait`, follow it, print its outcome and exit 1 unless it succeeded."""
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
        exit_unless_succeeded(job)
