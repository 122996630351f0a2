"""`tenfold up`: everything on this machine, until Ctrl-C or `tenfold down`."""

import signal
import threading
from pathlib import Path

import click

from tenfold.cli.console import console, say
from tenfold.cli.server import remember
from tenfold.cli.volumes import Directory
from tenfold.web.local.redis_server import RedisMissing
from tenfold.web.local.running import StopError, stop_running
from tenfold.web.local.supervisor import LOOPBACK, Supervisor, SupervisorError

DEFAULT_PORT = 8000

data_option = click.option(
    "--data",
    type=Directory(),
    default=Path("data"),
    show_default=True,
    envvar="TENFOLD_DATA",
    help="Directory for all data.",
)


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="0 picks a free port.",
)
@click.option(
    "--host",
    default=LOOPBACK,
    show_default=True,
    help="Address to listen on.",
)
@data_option
@click.option("--no-token", is_flag=True, help="Do not require the start-up token on this machine.")
def up(port: int, host: str, data: Path, no_token: bool) -> None:
    """Run everything on this machine until Ctrl-C.

    Starts Redis, a worker, a predictor and the web. `tenfold down` stops them from another terminal. While there are no
    users, the printed address signs your browser in; your other commands on this machine find its token themselves.
    """
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` leaves SIGHUP
            signal.signal(number, lambda *_: stopping.set())
    stack = Supervisor(data, port, host=host, require_token=not no_token)
    try:
        with console.status("starting"):
            stack.start()
    except (SupervisorError, RedisMissing) as error:
        raise click.ClickException(str(error)) from error
    try:
        _remember(stack.url)
        say(f"Tenfold is up at {stack.address}  (data in {stack.data}; Ctrl-C stops it)")
        stack.supervise(stopping, say)
        say("stopping; unfinished jobs continue at the next start")
    except SupervisorError as error:
        raise click.ClickException(str(error)) from error
    finally:
        stack.stop()


@click.command()
@data_option
def down(data: Path) -> None:
    """Stop what `tenfold up` runs on --data.

    Unfinished jobs continue at the next start.
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
        say(f"The address could not be written to this directory ({error.strerror}): give commands --server {url}")
