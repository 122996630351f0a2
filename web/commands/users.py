"""`tenfold users`. It works on the database, not through the server: whoever can read the volume is an administrator
anyway."""

import sys
from typing import Any

import click

from web.commands.console import print_json, print_lines, say
from web.commands.local import local_services
from web.representations import timestamp
from worker.people.scopes import Scope
from worker.services import Services

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
password_option = click.option(
    "--password-stdin", "from_stdin", is_flag=True, help="Read the password from standard input instead of asking."
)
scope_choice = click.Choice([scope.value for scope in Scope])


@click.group()
def users() -> None:
    """Add, list, change and remove users.

    They are the people who may use the Tenfold whose data is in TENFOLD_DATA, by default ./data.
    """


@users.command("add")
@click.argument("name")
@click.option("--admin", is_flag=True, help="May do everything; the first user must.")
@click.option("--read-only", is_flag=True, help="May see everything and submit nothing.")
@password_option
@json_option
def add_user(name: str, admin: bool, read_only: bool, from_stdin: bool, as_json: bool) -> None:
    """Add a person, who may submit jobs; asks for a password."""
    if admin and read_only:
        raise click.UsageError("Give --admin or --read-only, not both.")
    scope = Scope.ADMIN if admin else Scope.READ if read_only else Scope.SUBMIT
    with local_services() as services:
        services.users.add(name, _password(from_stdin), scope)
        _report(services, name, f"added {name}, who has the scope {scope.value}", as_json)


@users.command("list")
@json_option
def list_users(as_json: bool) -> None:
    """List the people."""
    with local_services() as services:
        found = [_document(services, user.name) for user in services.users.list()]
    if as_json:
        print_json({"users": found})
    elif found:
        print_lines([(user["name"], user["scope"], f"{user['jobs']} unfinished jobs") for user in found])
    else:
        say("No users yet. Add the first: tenfold users add NAME --admin")


@users.command("password")
@click.argument("name")
@password_option
@json_option
def set_password(name: str, from_stdin: bool, as_json: bool) -> None:
    """Set a person's password; it ends their sessions."""
    with local_services() as services:
        services.users.get(name)
        services.users.change_password(name, _password(from_stdin))
        _report(services, name, f"{name} has a new password", as_json)


@users.command("change")
@click.argument("name")
@click.option("--scope", type=scope_choice, help="What they may do.")
@click.option("--max-jobs", metavar="N|default", help="Unfinished jobs at once.")
@click.option("--max-bytes", metavar="N|default", help="Bytes on the volume.")
@json_option
def change_user(name: str, scope: str | None, max_jobs: str | None, max_bytes: str | None, as_json: bool) -> None:
    """Set what a person may do, and how much."""
    with local_services() as services:
        user = services.users.get(name)
        services.users.change(
            name,
            Scope(scope) if scope else user.scope,
            max_jobs=_limit(max_jobs, user.max_jobs),
            max_bytes=_limit(max_bytes, user.max_bytes),
        )
        _report(services, name, f"changed {name}", as_json)


@users.command("remove")
@click.argument("name")
@json_option
def remove_user(name: str, as_json: bool) -> None:
    """Remove a person, with their keys and sessions; their jobs stay."""
    with local_services() as services:
        services.users.remove(name)
    if as_json:
        print_json({"removed": name})
    else:
        say(f"removed {name}")


def _report(services: Services, name: str, said: str, as_json: bool) -> None:
    if as_json:
        print_json(_document(services, name))
    else:
        say(said)


def _document(services: Services, name: str) -> dict[str, Any]:
    user, used = services.users.get(name), services.jobs.usage(name)
    return {
        "name": user.name,
        "scope": user.scope,
        "jobs": used.jobs,
        "bytes": used.bytes,
        "max_jobs": user.max_jobs,
        "max_bytes": user.max_bytes,
        "created_at": timestamp(user.created_at),
    }


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _limit(given: str | None, now: int | None) -> int | None:
    if given is None or given == "default":
        return now if given is None else None
    if not given.isdecimal():
        raise click.UsageError(f"{given!r} is neither a number nor 'default'.")
    return int(given)
