"""Jobs as a person names them at the prompt: by id, or as the last."""

import click

from web.client import Client, Job, ServerError
from web.commands.completions import complete_jobs

LAST = "last"

job_argument = click.argument("job_id", metavar="JOB", shell_complete=complete_jobs)


def find_job(client: Client, job_id: str, kind: str | None = None) -> Job:
    """The job of this id; `last` is the newest of whoever asks, where a kind is given the newest of that kind.

    Raises:
        ServerError: there is none.
    """
    if job_id != LAST:
        return client.job(job_id)
    newest = client.jobs(kind=kind, mine=True, limit=1)
    if not newest:
        raise ServerError(404, {"detail": f"You have submitted no {kind or 'job'} yet, so there is no last one."})
    return newest[0].refresh()
