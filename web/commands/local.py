"""The volume and its database, for commands that work on them and not through the server."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from worker.errors import WorkerError
from worker.schema import migrate
from worker.services import Services
from worker.settings import Settings, settings_or_exit


@contextmanager
def local_services() -> Iterator[Services]:
    """Those of the volume that TENFOLD_DATA names; a refusal within the block becomes a message."""
    opened = Services.open(settings_or_exit(Settings))
    try:
        migrate(opened.database)
        yield opened
    except WorkerError as error:
        raise click.ClickException(str(error)) from error
    finally:
        opened.database.close()
