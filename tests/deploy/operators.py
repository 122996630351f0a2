"""The schemas of KEDA's and of Prometheus' operator, as their packages carry them, and strictly: no other field may be.

The API servers of a cluster leave out a field that they do not know and say nothing; here it is found.
"""

from functools import cache
from typing import Any

import jsonschema_rs
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as prometheus_operator

from tests.deploy.pods import Document

MODELS = {"keda.sh/v1alpha1": keda, "monitoring.coreos.com/v1": prometheus_operator}


def is_an_operators(document: Document) -> bool:
    return document["apiVersion"] in MODELS


def faults(document: Document) -> list[str]:
    """What the schema of the document's kind has against it; with where it is."""
    errors = _validator(document["apiVersion"], document["kind"]).iter_errors(document)
    return [f"{error.instance_path}: {error.message[:200]}" for error in errors]


@cache
def _validator(api: str, kind: str) -> jsonschema_rs.Validator:
    # The schema of the models, not the models themselves: these take "5" for 5.
    return jsonschema_rs.validator_for(_closed(getattr(MODELS[api], kind).model_json_schema()))


def _closed(schema: Any) -> Any:
    """The schema, with each object's properties the only ones that it may have."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed
