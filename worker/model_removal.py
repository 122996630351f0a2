"""Removes trained models that nobody needs any more. Jobs that used them keep their results."""

from worker.errors import WrongState
from worker.services import Services
from worker.states import JobKind


def delete_model(services: Services, model_id: str) -> None:
    """Remove a model and its files. Where it was the default, there is none until somebody makes one.

    Raises:
        UnknownModel: there is none with this id.
        WrongState: an unfinished job needs it.
    """
    services.models.get(model_id)
    if users := users_of(services, model_id):
        raise WrongState(
            f"Unfinished jobs need the model {model_id}: {', '.join(users[:3])}{' …' if users[3:] else ''}. "
            "Wait for them to end or cancel them, then delete it."
        )
    services.models.delete(model_id)
    services.volume.delete_model(model_id)


def users_of(services: Services, model_id: str) -> list[str]:
    """The unfinished jobs that need a model: classifications with it, and the sweep that it is a trial of."""
    classifying = [
        job.id for job in services.jobs.unfinished(JobKind.CLASSIFICATION) if model_id in job.parameters["model"]
    ]
    searching = [
        sweep.id
        for sweep in services.jobs.unfinished(JobKind.SWEEP)
        if any(trial.id == model_id for trial in services.jobs.trials(sweep.id))
    ]
    return classifying + searching
