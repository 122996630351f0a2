"""HTML forms, generated from the declaration of a job's parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from werkzeug.datastructures import MultiDict


@dataclass(frozen=True)
class Choice:
    value: str
    text: str


@dataclass(frozen=True)
class FormField:
    """One input of a form.

    `kind` is `select` (one of `choices`), `checks` (any number of them), `number`, `text` or `lines`. `advanced` inputs
    are optional and collapsed.
    """

    name: str
    title: str
    description: str
    kind: str
    value: str
    minimum: float | None
    maximum: float | None
    step: str | None
    choices: tuple[Choice, ...]
    placeholder: str
    advanced: bool
    error: str | None


def form_fields(
    declaration: type[BaseModel],
    *,
    choices: Mapping[str, Sequence[Choice]],
    values: Mapping[str, str],
    errors: Sequence[Mapping[str, str]] = (),
) -> list[FormField]:
    """The inputs for a declaration, in its order.

    Args:
        choices: for fields whose choices are known only at run time (recipes, models).
        values: what the person entered, or what the page's address pre-fills.
        errors: `{"field", "message"}` for each invalid field.
    """
    messages = {error["field"].partition(".")[0]: error["message"] for error in errors}
    fields = []
    for name, schema in declaration.model_json_schema()["properties"].items():
        concrete = _concrete(schema)
        optional = schema.get("default", "") is None
        offered = tuple(choices.get(name) or _choices(concrete, optional))
        kind = _kind(concrete, offered)
        example = str(schema.get("examples", [""])[0])
        suggested = schema.get("default", example)
        fields.append(
            FormField(
                name=name,
                title=schema.get("title", name),
                description=schema.get("description", ""),
                kind=kind,
                value=values.get(name, as_text(suggested)),
                minimum=concrete.get("minimum"),
                maximum=concrete.get("maximum"),
                step=("1" if concrete.get("type") == "integer" else "any") if kind == "number" else None,
                choices=offered,
                placeholder=example if kind == "text" else "",
                advanced=schema.get("advanced", optional and not schema.get("basic", False)),
                error=messages.get(name),
            )
        )
    return fields


def given_fields(form: MultiDict[str, str]) -> dict[str, str]:
    """What a person filled in: empty inputs are left out; several of one name are joined by commas."""
    joined = {name: ",".join(values) for name, values in form.lists()}
    return {name: value for name, value in joined.items() if value.strip()}


def as_text(value: Any) -> str:
    """A value as a person would enter it."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _kind(schema: dict[str, Any], offered: Sequence[Choice]) -> str:
    if schema.get("type") == "array" and offered:
        return "checks"
    if offered:
        return "select"
    if schema.get("format") == "lines":
        return "lines"
    return "number" if schema.get("type") in ("integer", "number") else "text"


def _choices(schema: dict[str, Any], optional: bool) -> list[Choice]:
    named = schema.get("items", {}).get("enum") or schema.get("enum", [])
    choices = [Choice(value, value.replace("_", " ")) for value in named]
    if schema.get("type") == "boolean":
        choices = [Choice("true", "yes"), Choice("false", "no")]
    if optional and choices:
        choices.insert(0, Choice("", "Recipe default"))
    return choices


def _concrete(schema: dict[str, Any]) -> dict[str, Any]:
    """The non-null part of an optional field's schema; a constant becomes the only choice."""
    concrete: dict[str, Any] = next((part for part in schema.get("anyOf", []) if part.get("type") != "null"), schema)
    return concrete | {"enum": [concrete["const"]]} if "const" in concrete else concrete
