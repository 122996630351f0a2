"""`tenfold user`. It works on the database, not through the server: anyone who can read the volume has full
access anyway."""

import sys
from typing import Any

import click

from tenfold.cli.console import confirm, yes_option
from tenfold.cli.local import local_services
from tenfold.cli.output import output_option, print_json, print_lines, print_list, table_option
from tenfold.web.api.documents.common import timestamp
from tenfold.worker.db.scopes import Scope
from tenfold.worker.services import Services

name_argument = click.argument("name", metavar="NAME")
password_option = click.option(
    "--password-stdin", "from_stdin", is_flag=True, help="Read the password from standard input."
)
scope_choice = click.Choice([scope.value for scope in Scope])


@click.group()
def user() -> None:
    """Manage users.

    Run it on the server's machine: it changes the database of TENFOLD_DATA, by default ./data.
    """


@user.command("add")
@name_argument
@click.option("--admin", is_flag=True, help="May do everything. The first user must be an administrator.")
@click.option("--read-only", is_flag=True, help="May see everything and change nothing.")
@password_option
@output_option
def add_user(name: str, admin: bool, read_only: bool, from_stdin: bool, as_json: bool) -> None:
    """Add a user.

    Asks for the password. Without --admin or --read-only, the user may submit jobs.
    """
    if admin and read_only:
        raise click.UsageError("Give --admin or --read-only, not both.")
    scope = Scope.ADMIN if admin else Scope.READ if read_only else Scope.SUBMIT
    with local_services() as services:
        services.users.add(name, _password(from_stdin), scope)
        _report(services, name, f"added {name} with the scope {scope.value}", as_json)


@user.command("list")
@table_option
def list_users(as_json: bool) -> None:
    """List the users."""
    with local_services() as services:
        found = [_document(services, user.name) for user in services.users.list()]
    rows = [(user["name"], user["scope"], str(user["jobs"]), f"{user['bytes']:,}") for user in found]
    empty = "No users yet. Add the first: tenfold user add NAME --admin"
    print_list(found, ("NAME", "SCOPE", "UNFINISHED JOBS", "BYTES"), rows, as_json=as_json, empty=empty)


@user.command("show")
@name_argument
@output_option
def show_user(name: str, as_json: bool) -> None:
    """Show a user's scope, limits and usage."""
    with local_services() as services:
        document = _document(services, name)
    if as_json:
        print_json(document)
    else:
        print_lines([(key, "default" if value is None else str(value)) for key, value in document.items()])


@user.command("password")
@name_argument
@password_option
@output_option
def set_password(name: str, from_stdin: bool, as_json: bool) -> None:
    """Set a user's password.

    It signs the user out everywhere.
    """
    with local_services() as services:
        services.users.get(name)
        services.users.change_password(name, _password(from_stdin))
        _report(services, name, f"{name} has a new password", as_json)


@user.command("change")
@name_argument
@click.option("--scope", type=scope_choice, help="What the user may do.")
@click.option("--max-jobs", metavar="N|default", help="Maximum number of unfinished jobs.")
@click.option("--max-bytes", metavar="N|default", help="Maximum bytes on the volume.")
@output_option
def change_user(name: str, scope: str | None, max_jobs: str | None, max_bytes: str | None, as_json: bool) -> None:
    """Change a user's scope and limits."""
    with local_services() as services:
        user = services.users.get(name)
        services.users.change(
            name,
            Scope(scope) if scope else user.scope,
            max_jobs=_limit(max_jobs, user.max_jobs),
            max_bytes=_limit(max_bytes, user.max_bytes),
        )
        _report(services, name, f"changed {name}", as_json)


@user.command("delete")
@name_argument
@yes_option
@output_option
def delete_user(name: str, yes: bool, as_json: bool) -> None:
    """Delete a user, with their keys and sessions.

    Their jobs are kept.
    """
    confirm(f"Delete the user {name}?", yes)
    with local_services() as services:
        services.users.remove(name)
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"{name} deleted")


def _report(services: Services, name: str, message: str, as_json: bool) -> None:
    if as_json:
        print_json(_document(services, name))
    else:
        click.echo(message)


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


def _limit(text: str | None, current: int | None) -> int | None:
    """The new limit; None is the default of the settings."""
    if text is None or text == "default":
        return current if text is None else None
    if not text.isdecimal():
        raise click.UsageError(f"{text!r} is neither a number nor 'default'.")
    return int(text)
