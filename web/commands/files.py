"""`tenfold files` and `tenfold fetch`."""

from pathlib import Path

import click

from web.client import Client
from web.client.job import choose
from web.commands.console import print_json, print_lines, transfer_bar
from web.commands.find import find_job, job_argument
from web.commands.server import connect
from web.commands.submit import json_option
from web.documents import FileLine

model_option = click.option("--model", "of_model", is_flag=True, help="JOB is a model's id; its job may be deleted.")


@click.command()
@job_argument
@model_option
@json_option
def files(job_id: str, of_model: bool, as_json: bool) -> None:
    """List the files of JOB."""
    with connect() as client:
        found, _ = _files(client, job_id, of_model)
    if as_json:
        print_json({"files": found})
        return
    print_lines([(f"{file['bytes']:>12,}", file["name"]) for file in found])


@click.command()
@job_argument
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Directory; default: the job's id.")
@model_option
@json_option
def fetch(job_id: str, names: tuple[str, ...], to: Path | None, of_model: bool, as_json: bool) -> None:
    """Download the files of JOB: results, pictures, the model.

    With NAMEs, only those files; without, all but the upload itself.
    """
    with connect() as client, transfer_bar() as progress:
        found, owner = _files(client, job_id, of_model)
        try:
            wanted = choose(found, names or None)
        except FileNotFoundError as error:
            raise click.ClickException(str(error)) from error
        bar = progress.add_task(f"fetching {len(wanted)} files", total=sum(file["bytes"] for file in wanted))
        paths = client.fetch_files(wanted, to or Path(owner), on_bytes=lambda count: progress.advance(bar, count))
    if as_json:
        print_json({"files": [str(path) for path in paths]})
        return
    for path in paths:
        click.echo(path)


def _files(client: Client, job_id: str, of_model: bool) -> tuple[list[FileLine], str]:
    """The files, and the id that they belong to."""
    if of_model:
        return client.model_files(job_id), job_id
    job = find_job(client, job_id)
    return job.files(), job.id
