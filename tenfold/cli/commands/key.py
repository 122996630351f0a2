"""`tenfold key`: API keys, in the database, as `tenfold user` does it."""

from typing import Any

import click

from tenfold.cli.commands.user import scope_choice
from tenfold.cli.console import confirm, yes_option
from tenfold.cli.local import local_services
from tenfold.cli.output import output_option, print_json, print_list, table_option
from tenfold.web.api.documents.common import timestamp
from tenfold.worker.db.scopes import Scope
from tenfold.worker.people.keys import MAX_DAYS


@click.group()
def key() -> None:
    """Manage API keys.

    Run it on the server's machine: it changes the database of TENFOLD_DATA, by default ./data.
    """


@key.command("add")
@click.argument("user")
@click.option("--scope", type=scope_choice, default=Scope.SUBMIT.value, show_default=True, help="What the key allows.")
@click.option("--for", "name", default="command line", show_default=True, help="What the key is for.")
@click.option(
    "--expires-in-days",
    "days",
    type=click.IntRange(0, MAX_DAYS),
    help="0 means never.  [default: TENFOLD_KEY_DAYS, 365]",
)
@output_option
def add_key(user: str, scope: str, name: str, days: int | None, as_json: bool) -> None:
    """Create an API key for USER, and print it.

    It is shown only this once.
    """
    with local_services() as services:
        days = services.settings.key_days if days is None else days
        key, text = services.keys.add(user, name, Scope(scope), days=days)
    if as_json:
        print_json({"id": key.id, "user": user, "scope": scope, "key": text, "expires_at": timestamp(key.expires_at)})
    else:
        click.echo(text)


@key.command("list")
@click.argument("user", required=False)
@table_option
def list_keys(user: str | None, as_json: bool) -> None:
    """List all API keys, or those of USER."""
    with local_services() as services:
        found = services.keys.list(user)
    documents: list[dict[str, Any]] = [
        {
            "id": key.id,
            "user": key.owner,
            "scope": key.scope,
            "for": key.name,
            "created_at": timestamp(key.created_at),
            "last_used_at": timestamp(key.last_used_at),
            "expires_at": timestamp(key.expires_at),
        }
        for key in found
    ]
    header = ("ID", "USER", "SCOPE", "FOR", "CREATED", "LAST USED", "EXPIRES")
    rows = [["never" if cell is None else str(cell) for cell in document.values()] for document in documents]
    print_list(documents, header, rows, as_json=as_json, empty="No keys.")


@key.command("delete")
@click.argument("key_id", metavar="ID")
@yes_option
@output_option
def delete_key(key_id: str, yes: bool, as_json: bool) -> None:
    """Delete an API key, so that it is refused immediately."""
    confirm(f"Delete the key {key_id}?", yes)
    with local_services() as services:
        services.keys.revoke(key_id)
    if as_json:
        print_json({"deleted": key_id})
    else:
        click.echo(f"{key_id} deleted")
