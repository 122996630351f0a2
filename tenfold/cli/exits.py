"""The exit codes that scripts can use, and which error ends with which."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tenfold.client import ServerError

FAILURE = 1
USAGE = 2
NO_SERVER = 3
REFUSED = 4
TIMED_OUT = 5
INTERRUPTED = 130

MEANINGS = {
    0: "success",
    FAILURE: "failure: a job failed or was cancelled, or an error on this machine",
    USAGE: "usage error",
    NO_SERVER: "the server cannot be reached",
    REFUSED: "the server refused the request",
    TIMED_OUT: "timed out while waiting",
    INTERRUPTED: "interrupted by Ctrl-C",
}


def report_error(error: Exception) -> int:
    """Print a message for an error of the client; returns the exit code.

    Raises:
        Exception: the error itself, if it is a bug rather than a refusal or a lost connection.
    """
    from tenfold.client import ServerAway, ServerError

    if isinstance(error, ServerError):
        click.echo(f"tenfold: {error}{_with_id(error)}", err=True)
        print_notes(error)
        if error.status == 401:
            click.echo("tenfold: set a key with --key, TENFOLD_KEY or in the configuration file", err=True)
        return REFUSED
    if isinstance(error, ServerAway):
        click.echo(f"tenfold: {error}", err=True)
        print_notes(error)
        return NO_SERVER
    raise error


def print_notes(error: BaseException | None) -> None:
    """Print what was added to an error: how to continue an upload."""
    for note in getattr(error, "__notes__", []):
        click.echo(f"tenfold: {note}", err=True)


def _with_id(error: "ServerError") -> str:
    """The request ID of an internal server error, unless its message contains it."""
    needed = error.status >= 500 and error.request_id and error.request_id not in str(error)
    return f" (request ID {error.request_id})" if needed else ""
