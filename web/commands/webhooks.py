"""`tenfold webhooks`: addresses that are told when jobs end."""

import click

from web.commands.completions import complete_webhooks
from web.commands.console import print_json, print_lines, say
from web.commands.server import connect
from web.commands.submit import json_option
from web.documents import DeliveryDocument
from worker.states import JobKind

webhook_argument = click.argument("webhook_id", metavar="ID", shell_complete=complete_webhooks)


@click.group()
def webhooks() -> None:
    """Add, list and remove webhooks, and see what was sent.

    A webhook is an address that is told when jobs end.
    """


@webhooks.command("add")
@click.argument("url")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in JobKind]),
    help="Tell only of jobs of this kind. Can be given several times; default: all.",
)
@json_option
def add_webhook(url: str, kinds: tuple[str, ...], as_json: bool) -> None:
    """Have URL told when jobs end. Prints the secret that signs what is sent, this once."""
    with connect() as client:
        webhook = client.add_webhook(url, kinds)
    if as_json:
        print_json(webhook)
    else:
        say(f"Webhook {webhook['id']} is told when jobs end. This is its secret, which is not shown again:")
        click.echo(webhook["secret"])


@webhooks.command("list")
@json_option
def list_webhooks(as_json: bool) -> None:
    """List the addresses that are told when jobs end."""
    with connect() as client:
        found = client.webhooks()
    if as_json:
        print_json({"webhooks": found})
    elif found:
        print_lines([(webhook["id"], ", ".join(webhook["kinds"]) or "all jobs", webhook["url"]) for webhook in found])
    else:
        say("No webhooks. Add one: tenfold webhooks add https://example.org/hook")


@webhooks.command("remove")
@webhook_argument
@json_option
def remove_webhook(webhook_id: str, as_json: bool) -> None:
    """Tell the webhook with this ID no more."""
    with connect() as client:
        client.delete_webhook(webhook_id)
    if as_json:
        print_json({"removed": webhook_id})
    else:
        click.echo(f"{webhook_id} removed")


@webhooks.command("deliveries")
@webhook_argument
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@json_option
def list_deliveries(webhook_id: str, limit: int, as_json: bool) -> None:
    """List what was last sent to the webhook with this ID, and how that went."""
    with connect() as client:
        found = client.deliveries(webhook_id, limit=limit)
        about = client.webhook(webhook_id)
    if as_json:
        print_json({"webhook": about, "deliveries": found})
    elif found:
        print_lines([_row(delivery) for delivery in found])
    else:
        say(f"Nothing was sent to {about['url']} yet.")


def _row(delivery: DeliveryDocument) -> tuple[str, ...]:
    tries = f"{delivery['attempts']} {'try' if delivery['attempts'] == 1 else 'tries'}"
    return delivery["job"], delivery["event"], delivery["state"], tries, delivery["error"] or ""
