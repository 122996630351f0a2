"""`POST /sweeps`."""

from flask import Response, request

from web.api import api, examples
from web.api.answers import accepted, idempotency_key, json_body
from web.api.operations import operation, queued
from web.documents import JobDocument
from web.services import services
from worker.submissions import submit_sweep
from worker.sweep_parameters import SweepParameters


@api.post("/sweeps")
@operation(
    "Trainings",
    "Queue a sweep",
    body=SweepParameters,
    example=examples.SWEEP,
    headers=("Idempotency-Key",),
    answers=queued({**examples.TRAINING_JOB, "kind": "sweep", "parameters": examples.SWEEP}, JobDocument),
)
def create_sweep() -> Response:
    """Queue a sweep: a search over hyper-parameters, each trial a training of its own."""
    parameters = SweepParameters.model_validate(json_body(request))
    return accepted(submit_sweep(services(), parameters, idempotency_key(request)))
