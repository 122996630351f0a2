"""`tenfold models`."""

import click
from rich.table import Table

from web.commands.console import console, print_json
from web.commands.server import connect
from web.commands.submit import json_option


@click.command()
@click.option("--default", "default_id", metavar="MODEL", help="Let MODEL serve wherever none is named.")
@json_option
def models(default_id: str | None, as_json: bool) -> None:
    """List the trained models."""
    with connect() as client:
        if default_id is not None:
            client.set_default_model(default_id)
        found = client.models()
    if as_json:
        print_json({"models": found})
        return
    if not found:
        console.print("No models yet. Train one: tenfold train dropout-128 --wait")
        return
    table = Table("model", "recipe", "test accuracy", "", box=None)
    for model in found:
        accuracy = f"{model['metrics']['test_accuracy']:.2%}"
        table.add_row(model["id"], model["recipe"], accuracy, "default" if model["default"] else "")
    console.print(table)
