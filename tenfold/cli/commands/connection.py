"""`tenfold config`, `health` and `token`: which server the commands talk to, and how it is."""

import sys

import click

from tenfold.cli.config import config_path
from tenfold.cli.exits import FAILURE
from tenfold.cli.output import output_option, print_json, print_lines
from tenfold.cli.server import connect, connection
from tenfold.client.start_token import find_token


@click.command()
@output_option
def config(as_json: bool) -> None:
    """Show which server and key are used, and where each is set.

    In order of precedence: --server and --key, TENFOLD_SERVER and TENFOLD_KEY, the configuration file, the server that
    `tenfold up` last started from this directory, http://127.0.0.1:8000. A key is never shown.
    """
    used = connection()
    path = config_path()
    if as_json:
        print_json(
            {
                "server": used.server,
                "server_from": used.server_from,
                "key_set": used.key is not None,
                "key_from": used.key_from,
                "file": str(path),
                "file_exists": path.is_file(),
            }
        )
        return
    print_lines(
        [
            ("server", used.server, f"({used.server_from})"),
            ("key", "set" if used.key else "none", f"({used.key_from})" if used.key_from else ""),
            ("file", str(path), "" if path.is_file() else "(does not exist)"),
        ]
    )


@click.command()
@output_option
def health(as_json: bool) -> None:
    """Show whether the server and its parts are ready.

    Exits 1 if the server answers but does not accept jobs.
    """
    with connect() as client:
        found = client.health()
    if as_json:
        print_json(found)
    else:
        print_lines([(client.server, found["status"]), *found["checks"].items()])
    if found["status"] != "ready":
        sys.exit(FAILURE)


@click.command()
@output_option
def token(as_json: bool) -> None:
    """Print the start-up token of your server on this machine.

    Programs need it while there are no users: `export TENFOLD_KEY=$(tenfold token)`.
    """
    server = connection().server
    found = find_token(server)
    if found is None:
        raise click.ClickException(
            f"You run no server at {server} that has a start-up token. With containers, `docker compose logs web` "
            "shows it; once there are users, use a key."
        )
    if as_json:
        print_json({"server": server, "token": found})
    else:
        click.echo(found)
