"""The step of an import of a model: opens the file in a bounded process, checks the declaration, publishes."""

import contextlib
import logging
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

from tenfold.trainer.errors import ModelRefused
from tenfold.trainer.evaluation.acceptance import wilson
from tenfold.trainer.importing.exporting import check_exports, export
from tenfold.trainer.importing.isolation import Limits, run_isolated
from tenfold.trainer.importing.measuring import Measured, Sample, measure
from tenfold.trainer.importing.opening import Opened
from tenfold.trainer.reports.imported import NO_NOVELTY, NOT_MEASURED, OWN_SAMPLE, write_imported
from tenfold.worker.db.records import Job, Model
from tenfold.worker.errors import LeaseLost
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.jobs.outputs import staging_directory, unpublish_model_unless_wanted
from tenfold.worker.model_import.parameters import ModelImportParameters
from tenfold.worker.model_import.sample import sample_of_dataset, sample_of_zip
from tenfold.worker.services import Services

log = logging.getLogger(__name__)

OPENING = "tenfold.trainer.importing.opening"

# For the data set of a model whose images nobody here knows.
UNKNOWN = "unknown data"

MAX_NAME = 64


def import_model(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Import the job's upload as the lease's parameters declare it. What was uploaded is then removed.

    Raises:
        ModelRefused: the file or the declaration is wrong; the message begins with the parameter. Nothing is left.
        PackageMissing: a package for this format is not installed.
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker is stopping.
    """
    volume = services.volume
    work = volume.work(lease.job_id)
    work.mkdir(exist_ok=True)
    made = staging_directory(work, lease)
    try:
        _import(services, lease, made, check)
    except ModelRefused:
        with services.leases.locked(lease):
            _remove_uploads(services, lease.job_id)
        raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    _remove_uploads(services, lease.job_id)


def _import(services: Services, lease: Lease, made: Path, check: Callable[[], None]) -> None:
    parameters = ModelImportParameters(**lease.parameters)
    volume, settings, job = services.volume, services.settings, services.jobs.get(lease.job_id)
    upload = volume.storage.fetch(volume.upload(lease.job_id))
    if not upload.exists():
        raise ModelRefused("file", "The file was removed when it was refused. Upload it again as a new import.")
    limits = Limits(settings.model_import_memory_bytes, settings.model_import_seconds, settings.max_model_bytes)
    request = {
        "path": str(upload.resolve()),
        "input": parameters.spec.as_dict(),
        "classes": len(parameters.classes) if parameters.classes else None,
    }
    opened = Opened(**run_isolated(OPENING, request, limits, made, check))
    check_exports(opened.file, parameters.exports)
    log.info("%s with %d classes, %d parameters", opened.format, opened.classes, opened.parameter_count)
    class_names = parameters.classes or tuple(map(str, range(opened.classes)))
    sample = _sample(services, parameters, job, class_names, made, check)
    measured = (
        measure(made / opened.file, parameters.spec, class_names, sample, opened.seconds_per_image, check)
        if sample
        else None
    )
    notes = _notes(parameters, opened, sample, measured)
    name = f"{parameters.name or _name_of(job)} (imported)"
    origin = {
        "name": name.removesuffix(" (imported)"),
        "file": job.source["name"],
        "sha256": job.source["sha256"],
        "bytes": job.source["bytes"],
        "imported_by": job.owner,
    }
    renaming = partial(services.leases.locked, lease)
    with volume.storage.write_directory(volume.model(lease.job_id), renaming=renaming) as directory:
        metrics = write_imported(opened, made, origin, parameters.spec, class_names, measured, notes, directory)
        metrics["recipe"] = name
        export(directory / opened.file, parameters.spec, parameters.exports)
        check()
    model = Model(
        id=lease.job_id,
        recipe=name,
        dataset=metrics["dataset"] or UNKNOWN,
        parameters={},
        metrics=metrics,
        created_at=services.clock(),
        trial=False,
    )
    tested = metrics["test_images"]
    summary = {
        "model": lease.job_id,
        "name": origin["name"],
        "format": opened.format,
        "classes": list(class_names),
        "input": metrics["input"],
        "parameters": opened.parameter_count,
        "checked_on": sample.name if sample else None,
        "test_images": tested,
        "accuracy": metrics["test_accuracy"],
        "interval": list(wilson(round(metrics["test_accuracy"] * tested), tested)) if tested else None,
        "calibration_error": metrics["calibration"]["before"]["error"] if measured else None,
        "temperature": metrics["calibration"]["temperature"] if measured else None,
        "notes": notes,
        "warnings": [mistake.message for mistake in measured.mistakes] if measured else [],
    }
    try:
        services.leases.finish_job(lease, summary, model=model)
    except LeaseLost:
        unpublish_model_unless_wanted(services, lease.job_id)
        raise


def _sample(
    services: Services,
    parameters: ModelImportParameters,
    job: Job,
    class_names: tuple[str, ...],
    made: Path,
    check: Callable[[], None],
) -> Sample | None:
    if parameters.check:
        return sample_of_dataset(services, parameters.check, parameters.spec, class_names, check)
    if "sample" not in job.source:
        return None
    path = services.volume.storage.fetch(services.volume.sample(job.id))
    name = job.source["sample"]["name"]
    return sample_of_zip(path, name, parameters.spec, class_names, services.settings, made, check)


def _notes(
    parameters: ModelImportParameters, opened: Opened, sample: Sample | None, measured: Measured | None
) -> list[str]:
    notes = []
    if not parameters.classes:
        notes.append(f"The classes were assumed to be 0 to {opened.classes - 1}, since none were named.")
    if opened.output == "logits":
        how = "its answers to random images aren't in 0–1 or don't sum to 1" if opened.measured else "by its last layer"
        notes.append(f"The network gives logits ({how}): softmax is applied.")
    elif opened.output == "scores":
        notes.append("The network's outputs are sigmoids: each is divided by their sum.")
    elif opened.measured:
        notes.append("The network's outputs are taken as probabilities: for random images they sum to 1.")
    if opened.batch:
        notes.append(
            f"The network takes {opened.batch} image{'s' if opened.batch > 1 else ''} at a time, which is slow. Export "
            "it with a dynamic batch size (dynamic_axes or dynamic_shapes in torch.onnx.export) to classify faster."
        )
    if sample:
        notes += sample.notes
    if measured is None:
        notes.append(NOT_MEASURED)
    else:
        notes.append(OWN_SAMPLE if measured.novelty else NO_NOVELTY)
    return notes


def _name_of(job: Job) -> str:
    """The name of the file, without its folder and suffix."""
    stem = PurePosixPath(str(job.source["name"]).replace("\\", "/")).stem
    return stem[:MAX_NAME].strip() or "model"


def _remove_uploads(services: Services, job_id: str) -> None:
    for path in (services.volume.upload(job_id), services.volume.sample(job_id)):
        with contextlib.suppress(FileNotFoundError):
            services.volume.storage.remove(path)
    services.volume.delete_work(job_id)
