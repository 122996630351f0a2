"""`tenfold health`."""

import sys

import click

from web.commands.console import print_json, print_lines
from web.commands.server import connect
from web.commands.submit import json_option

NOT_READY = 1


@click.command()
@json_option
def health(as_json: bool) -> None:
    """Say whether the server takes jobs, and how each part of it is.

    Exits 1 where it answers and takes none.
    """
    with connect() as client:
        found = client.health()
    if as_json:
        print_json(found)
    else:
        print_lines([(client.server, found["status"]), *found["checks"].items()])
    if found["status"] != "ready":
        sys.exit(NOT_READY)
