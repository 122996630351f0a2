"""Command options made from the one typed declaration of a job's parameters."""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import click
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tenfold.cli.completions import Complete, complete_datasets, complete_models, complete_with

F = TypeVar("F", bound=Callable[..., Any])

# Fields that name something on the server.
NAMES: dict[str, Complete] = {
    "model": complete_models,
    "from_model": complete_models,
    "dataset": complete_datasets,
    "together_with": complete_datasets,
    "on": complete_datasets,
    "check": complete_datasets,
    "shadow": complete_models,
}

# Options whose name is not that of the field.
FLAGS = {"from_model": "--from"}

PLACEHOLDERS = {"integer": "INTEGER", "number": "NUMBER", "array": "LIST", "boolean": "[true|false]"}


def options_of(declaration: type[BaseModel], *, besides: Collection[str] = ()) -> Callable[[F], F]:
    """Add an option for each field of the declaration, except those in `besides`. The default of each is None."""

    def decorate(function: F) -> F:
        for name, schema in reversed(declaration.model_json_schema()["properties"].items()):
            if name not in besides:
                function = _option(name, schema)(function)
        return function

    return decorate


def check(declaration: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    """The given values, converted to the types of the declaration.

    Raises:
        click.UsageError: a value is out of bounds or of another type.
    """
    known = {name: value for name, value in given.items() if value is not None}
    try:
        return declaration.model_validate(known).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        raise click.UsageError("; ".join(map(_message, error.errors()))) from error


def _option(name: str, schema: dict[str, Any]) -> Callable[[F], F]:
    concrete = next((part for part in schema.get("anyOf", []) if part.get("type") != "null"), schema)
    choices = concrete.get("enum") or concrete.get("items", {}).get("enum") or []
    if concrete.get("type") == "boolean":
        choices = ["true", "false"]
    default = f"  [default: {_as_text(schema['default'])}]" if schema.get("default") not in (None, []) else ""
    one_of = "enum" in concrete
    return click.option(
        FLAGS.get(name, f"--{name.replace('_', '-')}"),
        name,
        help=schema.get("description", "") + default,
        metavar=f"[{'|'.join(choices)}]" if one_of else PLACEHOLDERS.get(concrete.get("type", ""), "TEXT"),
        shell_complete=NAMES.get(name) or (complete_with(choices) if choices else None),
    )


def _message(error: ErrorDetails) -> str:
    return f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"


def _as_text(value: Any) -> str:
    """A default as a person would type it."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
