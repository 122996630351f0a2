"""`tenfold up`: everything on this machine, until Ctrl-C or `tenfold down`."""

import signal
import threading
from pathlib import Path

import click

from web.commands.console import console, say
from web.commands.server import remember
from web.commands.volumes import Directory
from web.redis_server import RedisMissing
from web.running import StopError, stop_running
from web.stack import LOOPBACK, Stack, StackError

DEFAULT_PORT = 8000

data_option = click.option(
    "--data",
    type=Directory(),
    default=Path("data"),
    show_default=True,
    envvar="TENFOLD_DATA",
    help="Where everything is kept.",
)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: a free one.")
@click.option("--host", default=LOOPBACK, show_default=True, help="Address of the web; others take users first.")
@data_option
@click.option("--no-token", is_flag=True, help="Ask nobody on this machine for the start-up token.")
def up(port: int, host: str, data: Path, no_token: bool) -> None:
    """Run everything on this machine until Ctrl-C.

    That is Redis, a worker, a predictor and the web. `tenfold down` stops them from elsewhere. While there are no
    users, the address that is printed signs your browser in; other commands of yours on this machine find its token by
    themselves.
    """
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` leaves SIGHUP
            signal.signal(number, lambda *_: stopping.set())
    stack = Stack(data, port, host=host, require_token=not no_token)
    try:
        with console.status("starting"):
            stack.start()
    except (StackError, RedisMissing) as error:
        raise click.ClickException(str(error)) from error
    try:
        _remember(stack.url)
        say(f"Tenfold is up at {stack.address}  (data in {stack.data}; Ctrl-C stops it)")
        stack.supervise(stopping, say)
        say("stopping; unfinished jobs go on at the next start")
    except StackError as error:
        raise click.ClickException(str(error)) from error
    finally:
        stack.stop()


@click.command()
@data_option
def down(data: Path) -> None:
    """Stop what `tenfold up` runs on --data.

    Unfinished jobs go on at the next start.
    """
    try:
        with console.status("stopping"):
            stopped = stop_running(data.resolve())
    except StopError as error:
        raise click.ClickException(str(error)) from error
    say(f"Stopped Tenfold on {data.resolve()}." if stopped else f"Tenfold is not running on {data.resolve()}.")


def _remember(url: str) -> None:
    try:
        remember(url)
    except OSError as error:
        say(f"The address could not be written into this directory ({error.strerror}): give commands --server {url}")
