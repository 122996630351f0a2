"""What a shell can complete an argument with: ids and names, asked of the server, which is not waited for long."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from web.client import Client

# A person has pressed Tab and waits.
TIMEOUT_SECONDS = 1.0
MOST_JOBS = 50
MOST_MODELS = 50

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete_jobs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from web.commands.find import LAST

    def ask(client: "Client") -> list[tuple[str, str]]:
        jobs = client.jobs(limit=MOST_JOBS)
        return [(LAST, "your newest"), *((job.id, f"{job.document['kind']} {job.state}") for job in jobs)]

    return _ask(context, ask, incomplete)


def complete_models(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    def ask(client: "Client") -> list[tuple[str, str]]:
        return [(model["id"], f"{model['recipe']} on {model['dataset']}") for model in client.models(limit=MOST_MODELS)]

    return _ask(context, ask, incomplete)


def complete_datasets(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _ask(context, lambda client: [(d["name"], d["title"]) for d in client.datasets()], incomplete)


def complete_webhooks(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _ask(context, lambda client: [(w["id"], w["url"]) for w in client.webhooks()], incomplete)


def complete_with(choices: Sequence[str]) -> Complete:
    """Completes with what can be chosen; after a comma, with the next of several."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, begun = incomplete.rpartition(",")
        return [CompletionItem(before + comma + choice) for choice in choices if choice.startswith(begun)]

    return complete


def _ask(
    context: click.Context, ask: "Callable[[Client], list[tuple[str, str]]]", incomplete: str
) -> list[CompletionItem]:
    from web.client import ServerAway, ServerError
    from web.commands.server import connect

    try:
        with context.scope(cleanup=False), connect(retries=0, timeout_seconds=TIMEOUT_SECONDS) as client:
            found = ask(client)
    except (ServerAway, ServerError):
        return []
    return [CompletionItem(value, help=about) for value, about in found if value.startswith(incomplete)]
