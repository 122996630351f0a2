"""One trace goes from the request that submits a job to each of its steps."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import write_digit_zip
from tenfold.web.server.tracing import trace_requests
from tenfold.worker.db.states import JobState
from tenfold.worker.observability.tracing import stop_tracing, trace_to
from tenfold.worker.process.runner import Runner
from tenfold.worker.services import Services


@pytest.fixture
def spans(app: Flask) -> Iterator[InMemorySpanExporter]:
    """Where this process's spans go."""
    exporter = InMemorySpanExporter()
    trace_to(SimpleSpanProcessor(exporter), "tests")
    trace_requests(app)
    yield exporter
    stop_tracing()


def submit_and_work_off(api: FlaskClient, services: Services, zipped: Path) -> str:
    """A classification of a zip by an untrained net, done in this process."""
    services.volume.model("model-1").joinpath("model.keras").unlink()
    build_model(RECIPES["dropout-128"].plan, classes=10, seed=1, steps=1).save(
        services.volume.model("model-1") / "model.keras"
    )
    answer = api.post("/api/v1/classifications", data={"file": (io.BytesIO(zipped.read_bytes()), "digits.zip")})
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json["id"]  # type: ignore[index]
    runner = Runner(services, shutting_down=lambda: False)
    while step_ids := services.jobs.queued_steps(job_id):
        runner.run(step_ids[0])
    assert services.jobs.get(job_id).state is JobState.SUCCEEDED
    return job_id


@pytest.fixture
def zipped(tmp_path: Path, mnist: Dataset) -> Path:
    write_digit_zip(mnist.test_images[:20], mnist.test_labels[:20], tmp_path / "digits.zip")
    return tmp_path / "digits.zip"


def test_each_step_belongs_to_the_request_that_submitted_its_job(
    api: FlaskClient, services: Services, model: str, zipped: Path, spans: InMemorySpanExporter
) -> None:
    job_id = submit_and_work_off(api, services, zipped)

    found = {span.name: span for span in spans.get_finished_spans()}
    request = found["POST /api/v1/classifications"]
    steps = [found[name] for name in ("plan", "shard", "merge", "plan queued", "shard queued", "merge queued")]
    for step in steps:
        assert step.parent is not None
        assert step.parent.span_id == request.context.span_id
        assert step.context.trace_id == request.context.trace_id
        assert step.attributes is not None
        assert step.attributes["tenfold.job"] == job_id
    shard = found["shard"].attributes
    assert shard is not None
    assert shard["tenfold.outcome"] == "done"
    assert {"tenfold.stage.read_seconds", "tenfold.stage.classify_seconds"} <= set(shard)
    assert found["shard queued"].start_time <= found["shard queued"].end_time <= found["shard"].start_time


def test_without_tracing_nothing_of_it_is_on_the_row(
    api: FlaskClient, services: Services, model: str, zipped: Path
) -> None:
    job_id = submit_and_work_off(api, services, zipped)

    assert set(services.jobs.get(job_id).source) == {"name", "bytes", "sha256", "aliases"}
