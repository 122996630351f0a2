"""`POST /trainings`."""

from flask import Response, request

from trainer.parameters import TrainingParameters
from web.api import api, examples
from web.api.answers import accepted, idempotency_key, json_body
from web.api.operations import operation, queued
from web.documents import JobDocument
from web.services import services
from worker.submissions import submit_training


@api.post("/trainings")
@operation(
    "Trainings",
    "Queue a training",
    body=TrainingParameters,
    example=examples.TRAINING,
    headers=("Idempotency-Key",),
    answers=queued(examples.TRAINING_JOB, JobDocument),
)
def create_training() -> Response:
    """Queue a training: a recipe, and whatever is to differ from it."""
    parameters = TrainingParameters.model_validate(json_body(request))
    return accepted(submit_training(services(), parameters, idempotency_key(request)))
