"""The exit codes that scripts can use, and which error ends with which."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from web.client import ServerError

FAILED_JOB = 1
USAGE = 2
NO_SERVER = 3
REFUSED = 4
TIME_UP = 5
INTERRUPTED = 130

MEANINGS = {
    0: "well",
    FAILED_JOB: "a job failed or was cancelled, or something here went wrong",
    USAGE: "wrong usage",
    NO_SERVER: "no server answers",
    REFUSED: "the server refused",
    TIME_UP: "the time to wait is up",
    INTERRUPTED: "interrupted by Ctrl-C",
}


def tell(error: Exception) -> int:
    """Say what went wrong, and return the code to exit with.

    Raises:
        Exception: the error itself, if it is none that a person can do something about.
    """
    from web.client import ServerAway, ServerError

    if isinstance(error, ServerError):
        click.echo(f"tenfold: {error}{_with_id(error)}", err=True)
        tell_notes(error)
        if error.status == 401:
            click.echo("tenfold: name a key with --key, TENFOLD_KEY or in the configuration file", err=True)
        return REFUSED
    if isinstance(error, ServerAway):
        click.echo(f"tenfold: {error}", err=True)
        tell_notes(error)
        return NO_SERVER
    raise error


def _with_id(error: "ServerError") -> str:
    """The request ID of an error of the server's own, where its text does not have it."""
    ours = error.status >= 500 and error.request_id and error.request_id not in str(error)
    return f" (request ID {error.request_id})" if ours else ""


def tell_notes(error: BaseException | None) -> None:
    """Say what an error leaves behind: how to go on with an upload."""
    for note in getattr(error, "__notes__", []):
        click.echo(f"tenfold: {note}", err=True)
