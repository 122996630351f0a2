"""The API reference, rendered from the OpenAPI document. It needs no JavaScript and no CDN."""

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, render_template

from tenfold.web.api.openapi.document import openapi_document

blueprint = Blueprint("reference", __name__)


@dataclass(frozen=True)
class Field:
    """A parameter of an operation, or a property of its JSON body."""

    name: str
    place: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True)
class Example:
    title: str
    text: str


@dataclass(frozen=True)
class Call:
    """One operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    fields: list[Field]
    answers: list[tuple[str, str]]
    examples: list[Example]


@blueprint.get("/api/")
def show() -> str:
    """All operations of the API, grouped by tag."""
    document = openapi_document(current_app._get_current_object())  # type: ignore[attr-defined]
    calls: dict[str, list[Call]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            calls[operation["tags"][0]].append(_call(document, path, method, operation))
    return render_template("reference.html", document=document, calls=calls)


def _call(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Call:
    return Call(
        id=operation["operationId"],
        method=method.upper(),
        path=path.removeprefix("/api/v1"),
        summary=operation["summary"],
        description=operation["description"],
        fields=[*_parameters(document, operation), *_properties(document, operation)],
        answers=[(status, answer["description"]) for status, answer in operation["responses"].items()],
        examples=_examples(operation),
    )


def _parameters(document: dict[str, Any], operation: dict[str, Any]) -> list[Field]:
    return [
        Field(
            parameter["name"],
            parameter["in"],
            _kind(document, parameter["schema"]),
            parameter.get("required", False),
            parameter["description"],
        )
        for parameter in operation.get("parameters", [])
    ]


def _properties(document: dict[str, Any], operation: dict[str, Any]) -> list[Field]:
    """The properties of a JSON body; the fields of a form are among the parameters already."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return []
    schema = _resolved(document, content["application/json"]["schema"])
    return [
        Field(
            name,
            "body",
            _kind(document, described),
            name in schema.get("required", ()),
            described.get("description", ""),
        )
        for name, described in schema["properties"].items()
    ]


def _examples(operation: dict[str, Any]) -> list[Example]:
    found = [Example("curl", sample["source"]) for sample in operation["x-codeSamples"]]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        found.append(Example("request body", _text(body["example"])))
    for status, answer in operation["responses"].items():
        for media_type, content in answer.get("content", {}).items():
            if "example" in content:
                found.append(Example(f"{status}, {media_type}", _text(content["example"])))
    return found


def _text(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)


def _kind(document: dict[str, Any], schema: dict[str, Any]) -> str:
    """A short description of a schema."""
    schema = _resolved(document, schema)
    if "enum" in schema or "const" in schema:
        return " | ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        kinds = [_kind(document, option) for option in schema["anyOf"]]
        return " or ".join(kind for kind in kinds if kind != "null")
    if schema.get("type") == "array":
        return f"list of {_kind(document, schema['items'])}" if "items" in schema else "list"
    return str(schema.get("format") or schema.get("type", "any")) + _bounds(schema)


def _bounds(schema: dict[str, Any]) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is not None and high is not None:
        return f", {low} to {high}"
    if low is not None:
        return f", {low} or more"
    return ""


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return found
