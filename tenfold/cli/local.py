"""The volume and its database, for commands that use them directly instead of through the server."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from tenfold.worker.db.schema import migrate
from tenfold.worker.errors import WorkerError
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings, settings_or_exit


@contextmanager
def local_services() -> Iterator[Services]:
    """The services of the volume in TENFOLD_DATA; errors of the worker within the block become messages."""
    opened = Services.open(settings_or_exit(Settings))
    try:
        migrate(opened.database)
        yield opened
    except WorkerError as error:
        raise click.ClickException(str(error)) from error
    finally:
        opened.database.close()
