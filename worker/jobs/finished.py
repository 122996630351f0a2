"""What is only there once a job has succeeded."""

from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import WrongState
from tenfold.worker.services import Services


def succeeded(services: Services, job_id: str, kind: JobKind) -> Job:
    """The job, if it is of this kind and has succeeded.

    Raises:
        UnknownJob: there is no job with this id.
        WrongState: it is of another kind, or has not succeeded.
    """
    job = services.jobs.get(job_id)
    if job.kind is not kind:
        raise WrongState(f"Job {job_id} is a {job.kind.value}; this needs a {kind.value}.")
    if job.state is not JobState.SUCCEEDED:
        hint = "" if job.state.final else " Wait until it has finished."
        raise WrongState(f"Job {job_id} is {job.state.value}; it has no results to look at.{hint}")
    return job
