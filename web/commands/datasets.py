"""`tenfold datasets` and `tenfold import`."""

from pathlib import Path
from typing import Any, cast

import click

from web.commands.completions import complete_datasets
from web.commands.console import print_json, print_lines, say
from web.commands.options import check, options_of
from web.commands.server import connect
from web.commands.submit import json_option, report, upload_option, uploading, wait_option
from web.documents import DatasetLine
from worker.parameters import ImportParameters

# Class names beyond this many characters are cut in the list; --json has them all.
MOST_CHARACTERS = 60


@click.command()
@click.argument("name", metavar="[NAME]", required=False, shell_complete=complete_datasets)
@click.option(
    "--preview",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save a picture of sample images of each class of NAME to this file.",
)
@click.option(
    "--remove",
    metavar="NAME",
    help="Delete the uploaded data set NAME; models trained on it stay.",
    shell_complete=complete_datasets,
)
@json_option
def datasets(name: str | None, preview: Path | None, remove: str | None, as_json: bool) -> None:
    """List the data sets that can be trained on, or show NAME."""
    if preview is not None and name is None:
        raise click.UsageError("--preview needs the NAME of a data set.")
    with connect() as client:
        if remove is not None:
            client.delete_dataset(remove)
            say(f"Deleted the data set {remove}.")
        if preview is not None and name is not None:
            preview.write_bytes(client.dataset_preview(name))
        if name is not None:
            _show(client.dataset(name), as_json)
            return
        found = client.datasets()
    if as_json:
        print_json({"datasets": found})
        return
    print_lines([_row(dataset) for dataset in found])


@click.command(name="import")
@click.argument("name")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options_of(ImportParameters, besides=["name"])
@upload_option
@wait_option
@json_option
def import_(name: str, file: Path | None, upload: str | None, wait: bool, as_json: bool, **parameters: Any) -> None:
    """Make FILE the data set NAME.

    FILE is a zip, tar or 7z of class folders, of images and a table of their labels, or of MNIST's four files; an .npz,
    .h5, .parquet or .csv. More than 64 MiB are sent in pieces: a connection that breaks, or a server that restarts, is
    waited for.
    """
    parameters = check(ImportParameters, {"name": name, **parameters})
    if not (file or upload):
        raise click.UsageError("Name the FILE to send, or an upload that is on the server with --upload.")
    with connect() as client:
        with uploading(*[file] if file else []) as on_bytes:
            job = client.import_dataset(path=file, upload=upload, on_bytes=on_bytes, **parameters)
        report(job, wait=wait, as_json=as_json)


def _show(dataset: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(dataset)
        return
    print_lines([_row(cast(DatasetLine, dataset))])
    for note in (dataset["report"] or {}).get("notes", []):
        click.echo(note)
    for warning in dataset["warnings"]:
        click.echo(f"Warning: {warning}")


def _row(dataset: DatasetLine) -> tuple[str, ...]:
    names = ", ".join(dataset["classes"])
    shown = names if len(names) <= MOST_CHARACTERS else names[:MOST_CHARACTERS] + "…"
    warnings = len(dataset["warnings"])
    state = "ready" if dataset["ready"] else "fetched at first use" if dataset["known"] else "damaged"
    return (
        dataset["name"],
        f"{dataset['train']:>7,} to train",
        f"{dataset['test']:>7,} to test",
        f"{warnings} warning{'s' if warnings > 1 else ''}" if dataset["ready"] and warnings else state,
        f"{len(dataset['classes'])} classes: {shown}",
    )
