"""Forms made from the one typed declaration of a job's parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True)
class Choice:
    value: str
    text: str


@dataclass(frozen=True)
class FormField:
    """One input: `kind` is `select` where there are choices, else `number` or `text`."""

    name: str
    title: str
    description: str
    kind: str
    value: str
    minimum: float | None
    maximum: float | None
    step: str | None
    choices: tuple[Choice, ...]
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
        choices: what can be chosen, for fields whose choices are known only here (recipes, models).
        values: what the person entered, or what the page's address suggests.
        errors: `{"field", "message"}` for each field that was wrong.
    """
    messages = {error["field"]: error["message"] for error in errors}
    fields = []
    for name, schema in declaration.model_json_schema()["properties"].items():
        concrete = _concrete(schema)
        offered = tuple(choices.get(name) or [Choice(value, value) for value in concrete.get("enum", [])])
        number = concrete.get("type") in ("integer", "number")
        suggested = schema.get("default", *schema.get("examples", [None])[:1])
        fields.append(
            FormField(
                name=name,
                title=schema.get("title", name),
                description=schema.get("description", ""),
                kind="select" if offered else "number" if number else "text",
                value=values.get(name, "" if suggested is None else str(suggested)),
                minimum=concrete.get("minimum"),
                maximum=concrete.get("maximum"),
                step=("1" if concrete.get("type") == "integer" else "any") if number else None,
                choices=offered,
                error=messages.get(name),
            )
        )
    return fields


def given_fields(form: Mapping[str, str]) -> dict[str, str]:
    """What a person filled in: an input left empty takes its default."""
    return {name: value for name, value in form.items() if value.strip()}


def _concrete(schema: dict[str, Any]) -> dict[str, Any]:
    """The part of an optional field's schema that is not `null`; a constant counts as the only choice."""
    concrete: dict[str, Any] = next((part for part in schema.get("anyOf", []) if part.get("type") != "null"), schema)
    return concrete | {"enum": [concrete["const"]]} if "const" in concrete else concrete
