"""Deletes trained models. Jobs that used them keep their results."""

from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import WrongState
from tenfold.worker.services import Services


def delete_model(services: Services, model_id: str) -> None:
    """Delete a model and its files.

    Args:
        model_id: its id, or an alias, which is refused as long as it names the model.

    Raises:
        UnknownModel: there is none.
        WrongState: an alias names it, or an unfinished job needs it.
    """
    model_id = services.models.get(model_id).id
    if users := users_of(services, model_id):
        raise WrongState(
            f"Unfinished jobs use the model {model_id}: {', '.join(users[:3])}{' …' if users[3:] else ''}. "
            "Wait until they have finished or cancel them, then delete it."
        )
    services.models.delete(model_id)
    services.volume.delete_model(model_id)


def users_of(services: Services, model_id: str) -> list[str]:
    """Unfinished jobs that use a model: classifications, comparisons, trainings and sweeps that start from it, and the
    sweep that it is a trial of.
    """
    classifying = [
        job.id
        for job in services.jobs.unfinished(JobKind.CLASSIFICATION)
        if model_id in (*job.parameters["model"], job.parameters.get("shadow"))
    ]
    comparing = [job.id for job in services.jobs.unfinished(JobKind.COMPARISON) if model_id in job.parameters["models"]]
    sweeps = services.jobs.unfinished(JobKind.SWEEP)
    starting = [
        job.id
        for job in (*services.jobs.unfinished(JobKind.TRAINING), *sweeps)
        if job.parameters.get("from_model") == model_id
    ]
    searching = [sweep.id for sweep in sweeps if any(trial.id == model_id for trial in services.jobs.trials(sweep.id))]
    return classifying + comparing + starting + searching
