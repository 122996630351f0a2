"""`tenfold users` and `tenfold keys`. Unlike other commands these work on the database, not through the server: whoever
can read the volume is an administrator anyway."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from web.commands.console import print_json, print_lines, say
from web.representations import timestamp
from worker.errors import WorkerError
from worker.people.scopes import Scope
from worker.schema import migrate
from worker.services import Services
from worker.settings import Settings

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
password_option = click.option(
    "--password-stdin", "from_stdin", is_flag=True, help="Read the password from standard input instead of asking."
)
scope_choice = click.Choice([scope.value for scope in Scope])


@click.group()
def users() -> None:
    """The people who may use the Tenfold whose data is in TENFOLD_DATA (default: ./data)."""


@users.command("add")
@click.argument("name")
@click.option("--admin", is_flag=True, help="May do everything; the first user must.")
@click.option("--read-only", is_flag=True, help="May see everything and submit nothing.")
@password_option
def add_user(name: str, admin: bool, read_only: bool, from_stdin: bool) -> None:
    """Add a person, who may submit jobs; asks for a password."""
    if admin and read_only:
        raise click.UsageError("Give --admin or --read-only, not both.")
    scope = Scope.ADMIN if admin else Scope.READ if read_only else Scope.SUBMIT
    with _services() as services:
        services.users.add(name, _password(from_stdin), scope)
    say(f"added {name}, who has the scope {scope.value}")


@users.command("list")
@json_option
def list_users(as_json: bool) -> None:
    """List the people."""
    with _services() as services:
        found = [(user, services.jobs.usage(user.name)) for user in services.users.list()]
    if as_json:
        print_json(
            {
                "users": [
                    {
                        "name": user.name,
                        "scope": user.scope,
                        "jobs": used.jobs,
                        "bytes": used.bytes,
                        "max_jobs": user.max_jobs,
                        "max_bytes": user.max_bytes,
                        "created_at": timestamp(user.created_at),
                    }
                    for user, used in found
                ]
            }
        )
    elif found:
        print_lines([(user.name, user.scope, f"{used.jobs} unfinished jobs") for user, used in found])
    else:
        say("No users yet. Add the first: tenfold users add NAME --admin")


@users.command("password")
@click.argument("name")
@password_option
def set_password(name: str, from_stdin: bool) -> None:
    """Set a person's password; it ends their sessions."""
    with _services() as services:
        services.users.get(name)
        services.users.change_password(name, _password(from_stdin))


@users.command("change")
@click.argument("name")
@click.option("--scope", type=scope_choice, help="What they may do.")
@click.option("--max-jobs", metavar="N|default", help="Unfinished jobs at once.")
@click.option("--max-bytes", metavar="N|default", help="Bytes on the volume.")
def change_user(name: str, scope: str | None, max_jobs: str | None, max_bytes: str | None) -> None:
    """Set what a person may do, and how much."""
    with _services() as services:
        user = services.users.get(name)
        services.users.change(
            name,
            Scope(scope) if scope else user.scope,
            max_jobs=_limit(max_jobs, user.max_jobs),
            max_bytes=_limit(max_bytes, user.max_bytes),
        )


@users.command("remove")
@click.argument("name")
def remove_user(name: str) -> None:
    """Remove a person, with their keys and sessions; their jobs stay."""
    with _services() as services:
        services.users.remove(name)


@click.group()
def keys() -> None:
    """API keys to the Tenfold whose data is in TENFOLD_DATA (default: ./data)."""


@keys.command("add")
@click.argument("user")
@click.option("--scope", type=scope_choice, default=Scope.SUBMIT.value, show_default=True, help="What it may do.")
@click.option("--for", "name", default="command line", show_default=True, help="What it is for.")
@json_option
def add_key(user: str, scope: str, name: str, as_json: bool) -> None:
    """Make a key of USER and print it, this once."""
    with _services() as services:
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
    with _services() as services:
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
def revoke_key(key_id: str) -> None:
    """Make the key with this ID, which `keys list` shows, worthless at once."""
    with _services() as services:
        services.keys.revoke(key_id)


@contextmanager
def _services() -> Iterator[Services]:
    opened = Services.open(Settings())
    try:
        migrate(opened.database)
        yield opened
    except WorkerError as error:
        raise click.ClickException(str(error)) from error
    finally:
        opened.database.close()


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _limit(given: str | None, now: int | None) -> int | None:
    if given is None or given == "default":
        return now if given is None else None
    if not given.isdecimal():
        raise click.UsageError(f"{given!r} is neither a number nor 'default'.")
    return int(given)
