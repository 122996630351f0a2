"""`tenfold keys`: API keys, made and revoked in the database, as `tenfold users` does it."""

from typing import Any

import click

from web.commands.console import print_json, print_lines, say
from web.commands.local import local_services
from web.commands.users import json_option, scope_choice
from web.representations import timestamp
from worker.people.keys import MAX_DAYS
from worker.people.scopes import Scope

# What a time that there is not is called.
_NONE = {"last_used_at": "never used", "expires_at": "never expires"}


@click.group()
def keys() -> None:
    """Make, list and revoke API keys.

    They are for the Tenfold whose data is in TENFOLD_DATA, by default ./data.
    """


@keys.command("add")
@click.argument("user")
@click.option("--scope", type=scope_choice, default=Scope.SUBMIT.value, show_default=True, help="What it may do.")
@click.option("--for", "name", default="command line", show_default=True, help="What it is for.")
@click.option(
    "--expires-in-days",
    "days",
    type=click.IntRange(0, MAX_DAYS),
    help="0: never.  [default: TENFOLD_KEY_DAYS, 365]",
)
@json_option
def add_key(user: str, scope: str, name: str, days: int | None, as_json: bool) -> None:
    """Make a key of USER and print it, this once."""
    with local_services() as services:
        days = services.settings.key_days if days is None else days
        key, text = services.keys.add(user, name, Scope(scope), days=days)
    if as_json:
        print_json({"id": key.id, "user": user, "scope": scope, "key": text, "expires_at": timestamp(key.expires_at)})
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
            "expires_at": timestamp(key.expires_at),
        }
        for key in found
    ]
    if as_json:
        print_json({"keys": rows})
    elif rows:
        print_lines([[str(cell or _NONE[name]) for name, cell in row.items()] for row in rows])
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
