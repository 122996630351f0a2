"""`tenfold alias`."""

from typing import TYPE_CHECKING

import click

from tenfold.cli.completions import complete_aliases
from tenfold.cli.console import confirm, yes_option
from tenfold.cli.output import output_option, print_json, print_list, print_table, table_option
from tenfold.cli.server import connect

if TYPE_CHECKING:
    from tenfold.web.api.documents.aliases import AliasChangeDocument

alias_argument = click.argument("name", metavar="ALIAS", shell_complete=complete_aliases)
reason_option = click.option("--reason", metavar="TEXT", default="", help="Why; it is kept in the history.")


@click.group()
def alias() -> None:
    """List, show, roll back and delete aliases of models.

    `tenfold model promote` sets one. The model that `production` names is used when a request names none.
    """


@alias.command("list")
@table_option
def list_aliases(as_json: bool) -> None:
    """List the aliases and the models that they name."""
    with connect() as client:
        found = client.aliases()
    rows = [
        (item["name"], item["model"], item["changed_at"], item["changed_by"] or "", item["reason"]) for item in found
    ]
    empty = "No aliases. Set one: tenfold model promote MODEL"
    print_list(found, ("ALIAS", "MODEL", "SINCE", "BY", "REASON"), rows, as_json=as_json, empty=empty)


@alias.command("show")
@alias_argument
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Maximum number of changes.")
@table_option
def show_alias(name: str, limit: int, as_json: bool) -> None:
    """Show the history of an alias, newest change first.

    Also of one that was deleted.
    """
    with connect() as client:
        changes = client.alias_changes(name, limit=limit)
    if as_json:
        print_json({"items": changes})
    else:
        print_table(("CHANGE", "TIME", "BY", "FROM", "TO", "REASON"), [_row(change) for change in changes])


@alias.command("rollback")
@alias_argument
@click.option("--to", type=click.IntRange(1), metavar="CHANGE", help="Number of the change to go back to.")
@reason_option
@output_option
def roll_back(name: str, to: int | None, reason: str, as_json: bool) -> None:
    """Let an alias name the model again that it named before.

    Without --to, that is the one before the latest change, and a second rollback goes one further back. A rollback is
    a change like any other.
    """
    with connect() as client:
        change = client.roll_back_alias(name, to=to, reason=reason)
    if as_json:
        print_json(change)
    else:
        click.echo(f"{name} names {change['model']}, as after change {change['restores'] or change['number']}")


@alias.command("delete")
@alias_argument
@reason_option
@yes_option
@output_option
def delete_alias(name: str, reason: str, yes: bool, as_json: bool) -> None:
    """Let an alias name no model any more.

    The model and the history are kept, and `tenfold alias rollback` brings the alias back.
    """
    confirm(f"Delete the alias {name}?", yes)
    with connect() as client:
        client.delete_alias(name, reason=reason)
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"{name} deleted")


def _row(change: "AliasChangeDocument") -> tuple[str, ...]:
    restored = f"rolled back to {change['restores']}" if change["restores"] else ""
    return (
        str(change["number"]),
        change["changed_at"],
        change["changed_by"] or "",
        change["previous"] or "none",
        change["model"] or "none",
        ": ".join(part for part in (restored, change["reason"]) if part),
    )
