"""`/trainings`: queue and list."""

from flask import Blueprint, Response, request

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.web.api.documents.jobs import JobDocument
from tenfold.web.api.jobs import LISTED, KindFilter, list_of_kind
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import operation, queued
from tenfold.web.api.parts.answers import accepted, idempotency_key, json_body
from tenfold.web.core.services import services
from tenfold.worker.db.states import JobKind
from tenfold.worker.training.submission import submit_training

routes = Blueprint("trainings", __name__)


@routes.get("/trainings")
@operation("Trainings", "List the trainings", query=KindFilter, answers=LISTED)
def list_trainings() -> Response:
    """Jobs of this kind, the newest first: `GET /jobs?kind=training`."""
    return list_of_kind(JobKind.TRAINING)


@routes.post("/trainings")
@operation(
    "Trainings",
    "Queue a training",
    body=TrainingParameters,
    example=examples.TRAINING,
    headers=("Idempotency-Key",),
    answers=queued(examples.TRAINING_JOB, JobDocument),
)
def create_training() -> Response:
    """Queue a training of a recipe; parameters override those of the recipe."""
    parameters = TrainingParameters.model_validate(json_body(request))
    return accepted(submit_training(services(), parameters, idempotency_key(request)))
