"""`/sweeps`: queue and list."""

from flask import Blueprint, Response, request

from tenfold.web.api.documents.jobs import JobDocument
from tenfold.web.api.jobs import LISTED, KindFilter, list_of_kind
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import operation, queued
from tenfold.web.api.parts.answers import accepted, idempotency_key, json_body
from tenfold.web.core.services import services
from tenfold.worker.db.states import JobKind
from tenfold.worker.sweeps.parameters import SweepParameters
from tenfold.worker.sweeps.submission import submit_sweep

routes = Blueprint("sweeps", __name__)


@routes.get("/sweeps")
@operation("Trainings", "List the sweeps", query=KindFilter, answers=LISTED)
def list_sweeps() -> Response:
    """Jobs of this kind, the newest first: `GET /jobs?kind=sweep`."""
    return list_of_kind(JobKind.SWEEP)


@routes.post("/sweeps")
@operation(
    "Trainings",
    "Queue a sweep",
    body=SweepParameters,
    example=examples.SWEEP,
    headers=("Idempotency-Key",),
    answers=queued({**examples.TRAINING_JOB, "kind": "sweep", "parameters": examples.SWEEP}, JobDocument),
)
def create_sweep() -> Response:
    """Queue a sweep: a search over hyperparameters; each trial is a training."""
    parameters = SweepParameters.model_validate(json_body(request))
    return accepted(submit_sweep(services(), parameters, idempotency_key(request)))
