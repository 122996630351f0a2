"""`tenfold model`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenfold.cli.commands.model.alias import reason_option
from tenfold.cli.commands.model.compare import compare, differences
from tenfold.cli.commands.model.exporting import export_model
from tenfold.cli.commands.model.importing import import_model
from tenfold.cli.completions import complete_aliases, complete_models
from tenfold.cli.console import confirm, yes_option
from tenfold.cli.files import download, fetch_options, show_files
from tenfold.cli.output import output_option, print_json, print_lines, print_list, print_table, table_option
from tenfold.cli.server import connect

if TYPE_CHECKING:
    from tenfold.web.api.documents.models import ModelDocument

HEADER = ("MODEL", "RECIPE", "DATA SET", "TEST ACCURACY", "NOTE")

model_argument = click.argument("model_id", metavar="MODEL", shell_complete=complete_models)


@click.group()
def model() -> None:
    """List, show and manage trained models.

    MODEL is an ID or an alias, such as `production`.
    """


model.add_command(compare)
model.add_command(differences)
model.add_command(export_model)
model.add_command(import_model)


@model.command("list")
@click.option("--search", metavar="WORDS", help="Only models whose recipe, data set or ID contains each word.")
@table_option
def list_models(search: str | None, as_json: bool) -> None:
    """List the trained models, newest first."""
    with connect() as client:
        found = client.models(search=search)
    empty = "No such models." if search else "No models yet. Train one: tenfold train dropout-128 --wait"
    print_list(found, HEADER, [_row(document) for document in found], as_json=as_json, empty=empty)


@model.command("show")
@model_argument
@output_option
def show_model(model_id: str, as_json: bool) -> None:
    """Show the metrics and parameters of a model."""
    with connect() as client:
        document = client.model(model_id)
    if as_json:
        print_json(document)
        return
    print_table(HEADER, [_row(document)])
    metrics = {name: value for name, value in document["metrics"].items() if isinstance(value, int | float)}
    print_lines([(name, f"{value:,.6g}") for name, value in metrics.items()])
    print_lines([(name, str(value)) for name, value in document["parameters"].items()])


@model.command("files")
@model_argument
@table_option
def list_files(model_id: str, as_json: bool) -> None:
    """List the files of a model."""
    with connect() as client:
        show_files(client.model_files(model_id), as_json)


@model.command("fetch")
@model_argument
@fetch_options
@output_option
def fetch_files(model_id: str, names: tuple[str, ...], to: Path | None, as_json: bool) -> None:
    """Download files of a model.

    Without NAME, all of them. They are kept when the training is deleted.
    """
    with connect() as client:
        found = client.model(model_id)["id"]
        download(client, client.model_files(found), names, to or Path(found), as_json=as_json)


@model.command("promote")
@model_argument
@click.option(
    "--alias",
    default="production",
    show_default=True,
    shell_complete=complete_aliases,
    help="Any name of lowercase letters, digits, dots, hyphens and underscores.",
)
@reason_option
@output_option
def promote(model_id: str, alias: str, reason: str, as_json: bool) -> None:
    """Let an alias name a model.

    The model that `production` names is used wherever a request names none. `tenfold alias` shows what an alias named
    before, and rolls it back.
    """
    with connect() as client:
        document = client.promote(model_id, alias, reason=reason)
    if as_json:
        print_json(document)
    else:
        click.echo(f"{alias} names {document['model']}")


@model.command("delete")
@model_argument
@yes_option
@output_option
def delete_model(model_id: str, yes: bool, as_json: bool) -> None:
    """Delete a model and its files.

    The training and past results are kept. A model that an alias names is not deleted.
    """
    confirm(f"Delete the model {model_id} and its files?", yes)
    with connect() as client:
        client.delete_model(model_id)
    if as_json:
        print_json({"deleted": model_id})
    else:
        click.echo(f"{model_id} deleted")


def _row(document: "ModelDocument") -> tuple[str, ...]:
    note = ", ".join([*document["aliases"], *(["trial of a sweep"] if document["trial"] else [])])
    measured = document["metrics"]["test_accuracy"]
    accuracy = "not measured" if measured is None else f"{measured:.2%}"
    return (document["id"], document["recipe"], document["dataset"], accuracy, note)
