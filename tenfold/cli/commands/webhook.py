"""`tenfold webhook`."""

from typing import TYPE_CHECKING

import click

from tenfold.cli.completions import complete_webhooks
from tenfold.cli.console import confirm, say, yes_option
from tenfold.cli.output import output_option, print_json, print_lines, print_list, table_option
from tenfold.cli.server import connect
from tenfold.worker.db.states import JobKind

if TYPE_CHECKING:
    from tenfold.web.api.documents.webhooks import DeliveryDocument

webhook_argument = click.argument("webhook_id", metavar="ID", shell_complete=complete_webhooks)


@click.group()
def webhook() -> None:
    """Manage webhooks.

    The server sends a request to a webhook's URL whenever a job finishes.
    """


@webhook.command("add")
@click.argument("url")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in JobKind]),
    help="Only for jobs of this kind. Repeat it for several.  [default: all]",
)
@output_option
def add_webhook(url: str, kinds: tuple[str, ...], as_json: bool) -> None:
    """Add a webhook, and print its secret.

    The secret signs the requests. It is shown only this once.
    """
    with connect() as client:
        webhook = client.add_webhook(url, kinds)
    if as_json:
        print_json(webhook)
    else:
        say(f"Added the webhook {webhook['id']}. Its secret is shown only this once:")
        click.echo(webhook["secret"])


@webhook.command("list")
@table_option
def list_webhooks(as_json: bool) -> None:
    """List the webhooks."""
    with connect() as client:
        found = client.webhooks()
    rows = [(webhook["id"], ", ".join(webhook["kinds"]) or "all", webhook["url"]) for webhook in found]
    empty = "No webhooks. Add one: tenfold webhook add https://example.org/hook"
    print_list(found, ("ID", "JOBS", "URL"), rows, as_json=as_json, empty=empty)


@webhook.command("show")
@webhook_argument
@output_option
def show_webhook(webhook_id: str, as_json: bool) -> None:
    """Show a webhook."""
    with connect() as client:
        found = client.webhook(webhook_id)
    if as_json:
        print_json(found)
    else:
        jobs = ", ".join(found["kinds"]) or "all"
        print_lines([("id", found["id"]), ("url", found["url"]), ("jobs", jobs), ("created_at", found["created_at"])])


@webhook.command("delete")
@webhook_argument
@yes_option
@output_option
def delete_webhook(webhook_id: str, yes: bool, as_json: bool) -> None:
    """Delete a webhook.

    Requests that are not delivered yet are dropped.
    """
    confirm(f"Delete the webhook {webhook_id}?", yes)
    with connect() as client:
        client.delete_webhook(webhook_id)
    if as_json:
        print_json({"deleted": webhook_id})
    else:
        click.echo(f"{webhook_id} deleted")


@webhook.command("deliveries")
@webhook_argument
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Maximum number of deliveries.")
@table_option
def list_deliveries(webhook_id: str, limit: int, as_json: bool) -> None:
    """List the deliveries to a webhook, newest first."""
    with connect() as client:
        found = client.deliveries(webhook_id, limit=limit)
    header = ("JOB", "EVENT", "STATE", "ATTEMPTS", "ERROR")
    print_list(found, header, [_row(delivery) for delivery in found], as_json=as_json, empty="No deliveries yet.")


def _row(delivery: "DeliveryDocument") -> tuple[str, ...]:
    return delivery["job"], delivery["event"], delivery["state"], str(delivery["attempts"]), delivery["error"] or ""
