"""Completion of ids and names, which the server lists."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from tenfold.client import Client

# Somebody has pressed Tab and waits.
TIMEOUT_SECONDS = 1.0
MAX_JOBS = 50
MAX_MODELS = 50

# Stands for the id of the newest job.
LAST = "last"

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete_jobs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    def ask(client: "Client") -> list[tuple[str, str]]:
        jobs = client.jobs(limit=MAX_JOBS)
        return [(LAST, "your newest"), *((job.id, f"{job.document['kind']} {job.state}") for job in jobs)]

    return _ask(context, ask, incomplete)


def complete_models(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    def ask(client: "Client") -> list[tuple[str, str]]:
        aliases = [(alias["name"], alias["model"]) for alias in client.aliases()]
        models = client.models(limit=MAX_MODELS)
        return [*aliases, *((model["id"], f"{model['recipe']} on {model['dataset']}") for model in models)]

    return _ask(context, ask, incomplete)


def complete_aliases(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _ask(context, lambda client: [(alias["name"], alias["model"]) for alias in client.aliases()], incomplete)


def complete_datasets(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _ask(context, lambda client: [(d["name"], d["title"]) for d in client.datasets()], incomplete)


def complete_webhooks(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _ask(context, lambda client: [(w["id"], w["url"]) for w in client.webhooks()], incomplete)


def complete_recipes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _ask(context, lambda client: [(r["name"], r["description"]) for r in client.recipes()], incomplete)


def complete_with(choices: Sequence[str]) -> Complete:
    """Complete with these choices; after a comma, with the next one of a list."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, word = incomplete.rpartition(",")
        return [CompletionItem(before + comma + choice) for choice in choices if choice.startswith(word)]

    return complete


def _ask(
    context: click.Context, ask: "Callable[[Client], list[tuple[str, str]]]", incomplete: str
) -> list[CompletionItem]:
    from tenfold.cli.server import connect
    from tenfold.client import ServerAway, ServerError

    try:
        with context.scope(cleanup=False), connect(retries=0, timeout_seconds=TIMEOUT_SECONDS) as client:
            found = ask(client)
    except (ServerAway, ServerError):
        return []
    return [CompletionItem(value, help=about) for value, about in found if value.startswith(incomplete)]
