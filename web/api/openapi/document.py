"""`GET /openapi.json`: the OpenAPI 3.1 document."""

import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Flask, Response, current_app, has_request_context, jsonify, request
from werkzeug.routing import Rule

from tenfold.web.api.openapi.curl import curl
from tenfold.web.api.openapi.headers import HEADERS
from tenfold.web.api.openapi.operation_objects import describe_body, describe_parameters, describe_responses
from tenfold.web.api.openapi.operations import Answer, Operation, operation, operation_of
from tenfold.web.api.openapi.schemas import Schemas

routes = Blueprint("openapi", __name__)

METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")
EXTENSION = "tenfold-openapi"

TAGS = {
    "Jobs": "Whatever was submitted: list, poll, follow, cancel, retry, delete.",
    "Trainings": "Train a model, or search for the best hyperparameters.",
    "Classifications": "Classify images in bulk, or one immediately.",
    "Reviews": "Correct uncertain answers.",
    "Models": "Trained models, which one is the default, and which one is better.",
    "Data sets": "Built-in and imported data sets.",
    "Uploads": "Resumable uploads of large files, by tus 1.0.0.",
    "Webhooks": "Be notified when jobs end.",
    "Service": "Health, workers and this document.",
}


@routes.get("/openapi.json")
@operation(
    "Service",
    "Describe this API",
    answers=[Answer(200, "An OpenAPI 3.1 document.", dict[str, Any], {"openapi": "3.1.0"}, headers=("ETag",))],
    public=True,
)
def get_openapi() -> Response:
    """This document."""
    return jsonify(openapi_document(current_app._get_current_object()))  # type: ignore[attr-defined]


def openapi_document(app: Flask) -> dict[str, Any]:
    """The document of this application, built once."""
    document: dict[str, Any] | None = app.extensions.get(EXTENSION)
    if document is None:
        document = app.extensions[EXTENSION] = _build(app)
    return document


def _build(app: Flask) -> dict[str, Any]:
    schemas = Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for rule, method, declared in _declared(app):
        view = app.view_functions[rule.endpoint]
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        paths.setdefault(path, {})[method.lower()] = {
            "tags": [declared.tag],
            "summary": declared.summary,
            "description": _paragraphs(view.__doc__ or ""),
            "operationId": rule.endpoint.rpartition(".")[2],
            **describe_parameters(rule, declared, schemas),
            **describe_body(declared, schemas),
            "responses": describe_responses(declared, schemas),
            "x-codeSamples": [{"lang": "Shell", "label": "curl", "source": curl(method, path, declared)}],
            **({"security": []} if declared.public else {}),
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tenfold",
            "version": version("tenfold"),
            "summary": "Train handwritten-digit classifiers, and classify images in bulk.",
            "description": "Errors are problem documents (RFC 9457). Times are RFC 3339 in UTC. Long work is a job: "
            "it is accepted with `202`, then polled, followed, or reported by a webhook.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": f"{request.script_root if has_request_context() else ''}/", "description": "This server."}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "security": [{}, {"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key; while there are no users, the start-up token.",
                }
            },
            "headers": HEADERS,
            "schemas": schemas.components(paths),
        },
    }


def _declared(app: Flask) -> Iterator[tuple[Rule, str, Operation]]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    for rule in sorted(rules, key=lambda rule: rule.rule):
        declared = operation_of(app.view_functions[rule.endpoint])
        for method in METHODS if declared else ():
            if method in (rule.methods or ()):
                assert declared is not None
                yield rule, method, declared


def _paragraphs(docstring: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in docstring.split("\n\n")).strip()
