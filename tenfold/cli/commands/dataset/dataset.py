"""`tenfold dataset`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from tenfold.cli.commands.dataset.check import check_labels, relabel
from tenfold.cli.commands.dataset.diff import diff
from tenfold.cli.commands.submit import submitted, upload_option, uploading, wait_option
from tenfold.cli.completions import complete_datasets
from tenfold.cli.console import confirm, yes_option
from tenfold.cli.options import check, options_of
from tenfold.cli.output import output_option, print_json, print_list, print_table, table_option
from tenfold.cli.server import connect
from tenfold.worker.datasets.parameters import ImportParameters

if TYPE_CHECKING:
    from tenfold.web.api.documents.datasets import DatasetItem

HEADER = ("NAME", "TRAINING IMAGES", "TEST IMAGES", "STATE", "CLASSES")

# Longer lists of class names are cut in the table; JSON has all of them.
MAX_CHARACTERS = 60

dataset_argument = click.argument("name", metavar="NAME", shell_complete=complete_datasets)


@click.group()
def dataset() -> None:
    """List, show, check, compare, import and delete data sets."""


dataset.add_command(diff)
dataset.add_command(check_labels)
dataset.add_command(relabel)


@dataset.command("list")
@table_option
def list_datasets(as_json: bool) -> None:
    """List the data sets."""
    with connect() as client:
        found = client.datasets()
    print_list(found, HEADER, [_row(item) for item in found], as_json=as_json, empty="No data sets.")


@dataset.command("show")
@dataset_argument
@output_option
def show_dataset(name: str, as_json: bool) -> None:
    """Show a data set and the report of its import."""
    with connect() as client:
        document = client.dataset(name)
        versions = [] if as_json else client.dataset_versions(name)
    if as_json:
        print_json(document)
        return
    print_table(HEADER, [_row(cast("DatasetItem", document))])
    click.echo(f"Content: {document['content_sha256'] or 'known once a job has read it'}")
    if versions:
        click.echo(f"Versions made from it: {', '.join(version['name'] for version in versions)}")
    for note in (document["report"] or {}).get("notes", []):
        click.echo(note)
    for warning in document["warnings"]:
        click.echo(f"Warning: {warning}")


@dataset.command("preview")
@dataset_argument
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@output_option
def save_preview(name: str, file: Path, as_json: bool) -> None:
    """Save sample images of each class to FILE, a PNG."""
    with connect() as client:
        file.write_bytes(client.dataset_preview(name))
    if as_json:
        print_json({"file": str(file)})
    else:
        click.echo(file)


@dataset.command("import")
@click.argument("name")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options_of(ImportParameters, besides=["name"])
@upload_option
@wait_option
@output_option
def import_dataset(
    name: str, file: Path | None, upload: str | None, wait: bool, as_json: bool, **parameters: Any
) -> None:
    """Import FILE as the data set NAME.

    FILE is a zip, tar or 7z of class folders, of images and a table of their labels, or of MNIST's four files; or an
    .npz, .h5, .parquet or .csv. More than 64 MiB are sent in pieces, and sending continues after the connection broke
    or the server restarted.
    """
    parameters = check(ImportParameters, {"name": name, **parameters})
    if not (file or upload):
        raise click.UsageError("Give a FILE to send, or --upload with the ID of an upload that is complete.")
    with connect() as client:
        with uploading(*[file] if file else []) as on_bytes:
            job = client.import_dataset(path=file, upload=upload, on_bytes=on_bytes, **parameters)
        submitted(job, wait=wait, as_json=as_json)


@dataset.command("delete")
@dataset_argument
@yes_option
@output_option
def delete_dataset(name: str, yes: bool, as_json: bool) -> None:
    """Delete an imported data set.

    Models trained on it are kept.
    """
    confirm(f"Delete the data set {name}?", yes)
    with connect() as client:
        client.delete_dataset(name)
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"{name} deleted")


def _row(item: "DatasetItem") -> tuple[str, ...]:
    names = ", ".join(item["classes"])
    shown = names if len(names) <= MAX_CHARACTERS else names[:MAX_CHARACTERS] + "…"
    warnings = len(item["warnings"])
    state = "ready" if item["ready"] else "downloaded when first used" if item["builtin"] else "damaged"
    return (
        item["name"],
        f"{item['train_images']:,}",
        f"{item['test_images']:,}",
        f"{warnings} warning{'s' if warnings > 1 else ''}" if item["ready"] and warnings else state,
        f"{len(item['classes'])}: {shown}",
    )
