"""Command options made from the one typed declaration of a job's parameters."""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import click
from pydantic import BaseModel, ValidationError

from web.commands.completions import Complete, complete_datasets, complete_models, complete_with
from web.forms import as_text
from web.problems import field_errors

F = TypeVar("F", bound=Callable[..., Any])

# Fields that name something on the server.
NAMES: dict[str, Complete] = {
    "model": complete_models,
    "dataset": complete_datasets,
    "together_with": complete_datasets,
}

PLACEHOLDERS = {"integer": "INTEGER", "number": "NUMBER", "array": "LIST", "boolean": "[true|false]"}


def options_of(declaration: type[BaseModel], *, besides: Collection[str] = ()) -> Callable[[F], F]:
    """Add an option for each field of the declaration but those of `besides`. Left out, each arrives as None."""

    def decorate(function: F) -> F:
        for name, schema in reversed(declaration.model_json_schema()["properties"].items()):
            if name not in besides:
                function = _option(name, schema)(function)
        return function

    return decorate


def check(declaration: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    """The given values as the declaration types them.

    Raises:
        click.UsageError: a value is out of bounds or of another type.
    """
    known = {name: value for name, value in given.items() if value is not None}
    try:
        return declaration.model_validate(known).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        raise click.UsageError("; ".join(f"{e['field']}: {e['message']}" for e in field_errors(error))) from error


def _option(name: str, schema: dict[str, Any]) -> Callable[[F], F]:
    concrete = next((part for part in schema.get("anyOf", []) if part.get("type") != "null"), schema)
    choices = concrete.get("enum") or concrete.get("items", {}).get("enum") or []
    if concrete.get("type") == "boolean":
        choices = ["true", "false"]
    default = f"  [default: {as_text(schema['default'])}]" if schema.get("default") not in (None, []) else ""
    one_of = "enum" in concrete
    return click.option(
        f"--{name.replace('_', '-')}",
        name,
        help=schema.get("description", "") + default,
        metavar=f"[{'|'.join(choices)}]" if one_of else PLACEHOLDERS.get(concrete.get("type", ""), "TEXT"),
        shell_complete=NAMES.get(name) or (complete_with(choices) if choices else None),
    )
