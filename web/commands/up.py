"""`tenfold up`: everything on this machine, until Ctrl-C."""

import signal
import threading
from pathlib import Path

import click

from web.commands.console import console, say
from web.commands.server import remember
from web.commands.volumes import Directory
from web.redis_server import RedisMissing
from web.stack import LOOPBACK, Stack, StackError

DEFAULT_PORT = 8000


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: a free one.")
@click.option("--host", default=LOOPBACK, show_default=True, help="Address of the web; others take users first.")
@click.option(
    "--data",
    type=Directory(),
    default=Path("data"),
    show_default=True,
    envvar="TENFOLD_DATA",
    help="Where everything is kept.",
)
def up(port: int, host: str, data: Path) -> None:
    """Run everything on this machine until Ctrl-C.

    That is Redis, a worker, a predictor and the web.
    """
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    stack = Stack(data, port, host=host)
    try:
        with console.status("starting"):
            stack.start()
    except (StackError, RedisMissing) as error:
        raise click.ClickException(str(error)) from error
    try:
        remember(stack.url)
        say(f"Tenfold is up at {stack.url}  (data in {stack.data}; Ctrl-C stops it)")
        stack.supervise(stopping, say)
        say("stopping; unfinished jobs go on at the next start")
    finally:
        stack.stop()
