"""`tenfold recipes`."""

import click

from web.commands.console import print_json, print_lines
from web.commands.server import connect
from web.commands.submit import json_option


@click.command()
@json_option
def recipes(as_json: bool) -> None:
    """List the recipes that a training can name."""
    with connect() as client:
        found = client.recipes()
    if as_json:
        print_json({"recipes": found})
        return
    print_lines([(recipe["name"], f"{recipe['parameters']:>8,} parameters", recipe["description"]) for recipe in found])
