"""Schemathesis reads the OpenAPI document and calls the API in ways that nobody thought of."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings

from web.app import create_app
from web.services import EXTENSION
from web.settings import WebSettings
from worker.records import Model

EXAMPLES = 5


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory, redis_port: int) -> Iterator[Flask]:
    """An application with a model and no bounds on how often one may call."""
    data: Path = tmp_path_factory.mktemp("called") / "data"
    settings = WebSettings(
        data=data,
        redis_url=f"redis://127.0.0.1:{redis_port}/999",
        max_requests_per_minute=0,
        max_submissions_per_minute=0,
        max_wait_seconds=0,
    )
    application = create_app(settings)
    opened = application.extensions[EXTENSION]
    with opened.database.write() as session:
        session.add(Model(id="model-1", recipe="custom", dataset="mnist", parameters={}, metrics={}, created_at=1.0))
    yield application
    opened.database.close()


@pytest.fixture(scope="module")
def described(called: Flask) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", called)


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_call_behaves_as_the_document_says(case: schemathesis.Case) -> None:
    case.call_and_validate()
