"""Which jobs and models the rules of a person no longer want: by age, by size, for each kind of job. Off by default."""

from collections.abc import Iterator, Mapping

from worker.records import Model
from worker.settings import Settings
from worker.states import JobKind
from worker.upkeep.garbage import Garbage, Kind
from worker.upkeep.rows import JobRow
from worker.volume import Volume

DAY = 86_400


def has_rules(settings: Settings) -> bool:
    return bool(settings.keep_days or settings.keep_bytes or settings.keep_losing_models_days is not None)


def expired_jobs(jobs: Mapping[str, JobRow], volume: Volume, settings: Settings, now: float) -> Iterator[Garbage]:
    """Ended jobs beyond the rules; not those that an unfinished review or sweep needs, nor any trial by itself."""
    needed = {job.parameters.get("classification") for job in jobs.values() if not job.state.final}
    left = dict(settings.keep_bytes)
    for job in jobs.values():
        if not job.state.final or job.parent_id is not None:
            continue
        age = now - (job.finished_at or now)
        size = sum(volume.storage.usage(volume.job(id))[0] for id in (job.id, *_trials(job, jobs)))
        reason = _too_old(job, age, settings) or _too_much(job, size, left)
        if reason and job.id not in needed and age >= settings.gc_safe_seconds:
            yield Garbage(Kind.JOB, job.id, reason, size, volume.job(job.id))


def losing_models(
    models: Mapping[str, Model], jobs: Mapping[str, JobRow], volume: Volume, settings: Settings, now: float
) -> Iterator[Garbage]:
    """The models of sweeps that have ended, but for each sweep's best, which is no `trial` any more."""
    if settings.keep_losing_models_days is None:
        return
    oldest = now - max(settings.keep_losing_models_days * DAY, settings.gc_safe_seconds)
    unfinished = [job for job in jobs.values() if not job.state.final]
    in_use = {id for job in unfinished if job.kind is JobKind.CLASSIFICATION for id in job.parameters.get("model", ())}
    searching = {job.id for job in unfinished}
    for model in models.values():
        training = jobs.get(model.id)
        sweep_runs = training is not None and training.parent_id in searching
        if model.trial and not model.pinned and model.created_at < oldest and not sweep_runs and model.id not in in_use:
            days = settings.keep_losing_models_days
            path = volume.model(model.id)
            yield Garbage(
                Kind.MODEL, model.id, f"lost its sweep more than {days:g} days ago", volume.storage.usage(path)[0], path
            )


def _trials(job: JobRow, jobs: Mapping[str, JobRow]) -> Iterator[str]:
    if job.kind is JobKind.SWEEP:
        yield from (other.id for other in jobs.values() if other.parent_id == job.id)


def _too_old(job: JobRow, age: float, settings: Settings) -> str | None:
    days = settings.keep_days.get(job.kind)
    return f"{job.kind.value} ended more than {days:g} days ago" if days is not None and age > days * DAY else None


def _too_much(job: JobRow, size: int, left: dict[JobKind, int]) -> str | None:
    """Count the job against what its kind may take; called for the newest first."""
    if job.kind not in left:
        return None
    left[job.kind] -= size
    return f"newer jobs of kind {job.kind.value} take all of their bytes" if left[job.kind] < 0 else None
