"""`tenfold keys`: API keys, made and revoked in the database, as `tenfold users` does it."""

from typing import Any

import click

from web.commands.console import print_json, print_lines, say
from web.commands.local import local_services
from web.commands.users import json_option, scope_choice
from web.representations import timestamp
from worker.people.scopes import Scope


@click.group()
def keys() -> None:
    """Make, list and revoke API keys.

    They are for the Tenfold whose data is in TENFOLD_DATA, by default ./data.
    """


@keys.command("add")
@click.argument("user")
@click.option("--scope", type=scope_choice, default=Scope.SUBMIT.value, show_default=True, help="What it may do.")
@click.option("--for", "name", default="command line", show_default=True, help="What it is for.")
@json_option
def add_key(user: str, scope: str, name: str, as_json: bool) -> None:
    """Make a key of USER and print it, this once."""
    with local_services() as services:
        key, text = services.keys.add(user, name, Scope(scope))
    if as_json:
        print_json({"id": key.id, "user": user, "scope": scope, "key": text})
    else:
        click.echo(text)


@keys.command("list")
@click.argument("user", required=False)
@json_option
def list_keys(user: str | None, as_json: bool) -> None:
    """List everybody's keys, or those of USER."""
    with local_services() as services:
        found = services.keys.list(user)
    rows: list[dict[str, Any]] = [
        {
            "id": key.id,
            "user": key.owner,
            "scope": key.scope,
            "for": key.name,
            "created_at": timestamp(key.created_at),
            "last_used_at": timestamp(key.last_used_at),
        }
        for key in found
    ]
    if as_json:
        print_json({"keys": rows})
    elif rows:
        print_lines([[str(cell or "never used") for cell in row.values()] for row in rows])
    else:
        say("No keys.")


@keys.command("revoke")
@click.argument("key_id", metavar="ID")
@json_option
def revoke_key(key_id: str, as_json: bool) -> None:
    """Make the key with this ID, which `keys list` shows, worthless at once."""
    with local_services() as services:
        services.keys.revoke(key_id)
    if as_json:
        print_json({"revoked": key_id})
    else:
        say(f"revoked {key_id}")
