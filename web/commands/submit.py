"""`tenfold train` and `tenfold classify`."""

from pathlib import Path
from typing import Any

import click

from trainer.parameters import TrainingParameters
from trainer.recipes import RECIPES
from web.client import Job
from web.commands.console import end_with, follow, headline, print_json, say, transfer_bar
from web.commands.options import check, options_of
from web.commands.server import connect
from worker.parameters import ClassificationParameters

wait_option = click.option("--wait", is_flag=True, help="Show progress until the job has ended.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print, last, one JSON object with the outcome.")


@click.command()
@click.argument("recipe", type=click.Choice(list(RECIPES)))
@options_of(TrainingParameters, besides=["recipe"])
@wait_option
@json_option
def train(recipe: str, wait: bool, as_json: bool, **parameters: Any) -> None:
    """Train a model by RECIPE."""
    parameters = check(TrainingParameters, {"recipe": recipe, **parameters})
    with connect() as client:
        _report(client.train(**parameters), wait=wait, as_json=as_json)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options_of(ClassificationParameters)
@wait_option
@json_option
def classify(file: Path, wait: bool, as_json: bool, **parameters: Any) -> None:
    """Classify the images in FILE, a zip."""
    parameters = check(ClassificationParameters, parameters)
    with connect() as client:
        with transfer_bar() as progress:
            bar = progress.add_task(f"uploading {file.name}", total=file.stat().st_size)
            job = client.classify(file, on_bytes=lambda count: progress.advance(bar, count), **parameters)
        _report(job, wait=wait, as_json=as_json)


def _report(job: Job, *, wait: bool, as_json: bool) -> None:
    say(f"{job.document['kind']} {job.id}: {job.client.server}/jobs/{job.id}")
    if wait:
        follow(job)
    if as_json:
        print_json(job.summary | {"job": job.document})
    elif wait:
        click.echo(headline(job))
    else:
        click.echo(job.id)
    if wait:
        end_with(job)
