"""JSON Schemas of the API's types for the OpenAPI document, made by pydantic."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

REFERENCE = "#/components/schemas/{model}"

# Hints to our own forms, of no use to others.
OUR_KEYS = frozenset({"advanced", "basic"})


class Schemas:
    """Collects the schemas of all types that a document names."""

    def __init__(self) -> None:
        self._definitions: dict[str, Any] = {}

    def reference(self, kind: Any, mode: JsonSchemaMode) -> dict[str, Any]:
        """What stands for a type in the document: a reference where it has a name."""
        schema = TypeAdapter(kind).json_schema(mode=mode, ref_template=REFERENCE)
        self._definitions |= schema.pop("$defs", {})
        name = getattr(kind, "__name__", "")
        if schema.get("type") == "object" and "properties" in schema and name:
            self._definitions[name] = schema
            return {"$ref": REFERENCE.format(model=name)}
        return schema

    def of_model(self, model: type[BaseModel]) -> dict[str, Any]:
        """The schema of a model itself, whose fields are to be spread out."""
        schema = model.model_json_schema(ref_template=REFERENCE)
        self._definitions |= schema.pop("$defs", {})
        return schema

    def components(self, used_in: Any) -> dict[str, Any]:
        """The schemas that are referred to there, or by one of them, sorted by name."""
        wanted: dict[str, Any] = {}
        found = _references(used_in)
        while found:
            name = found.pop()
            if name not in wanted:
                wanted[name] = _without_our_keys(self._definitions[name])
                found |= _references(wanted[name])
        return dict(sorted(wanted.items()))


def in_query(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of a model as parameters of a query, which knows no null: there a parameter is left out."""
    parameters = []
    for name, described in schema["properties"].items():
        said = {key: value for key, value in described.items() if key not in OUR_KEYS}
        description = said.pop("description", "")
        said.pop("title", None)
        options = [option for option in said.pop("anyOf", []) if option.get("type") != "null"]
        if options:
            said |= options[0] if len(options) == 1 else {"anyOf": options}
            if said.get("default", 0) is None:
                said.pop("default")
        parameter = {"name": name, "in": "query", "description": description, "schema": said}
        if name in schema.get("required", ()):
            parameter["required"] = True
        parameters.append(parameter)
    return parameters


def _references(document: Any) -> set[str]:
    return set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", repr(document)))


def _without_our_keys(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _without_our_keys(value) for key, value in schema.items() if key not in OUR_KEYS}
    if isinstance(schema, list):
        return [_without_our_keys(item) for item in schema]
    return schema
